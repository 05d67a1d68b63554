"""Every address of the site.

An app brings its own `urls.py` with whole paths ("api/v3/order", "trade/<market>"), included here
at the root in the order of the list; the first match wins.
"""

from __future__ import annotations

from importlib.util import find_spec

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from exchange_site import health

APPS = (
    *(["demo"] if settings.DEMO else []),
    "orders",
    "marketdata",
    "risk",
    "ledger",
    "proofs",
    "markets",
    "kyc",
    "users",
    "monitoring",
    "web",
    "common",
)

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    *(path("", include(f"apps.{app}.urls")) for app in APPS if find_spec(f"apps.{app}.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("admin/", admin.site.urls),
]
