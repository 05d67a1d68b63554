"""Every door of the exchange, read from the URL conf, the WebSocket routes and the admin.

A door is a method and a path as the URL conf writes it: "GET /api/v1/account/keys/<str:public_id>".
The pages that the admin makes of every model are written once, for all models: "/admin/MODEL/add/".
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver

from apps.marketdata import routing as public_sockets
from apps.orders import routing as private_sockets

HTTP = ("GET", "POST", "PUT", "PATCH", "DELETE")
FORMS = ("GET", "POST")  # What a plain view takes that does not say which methods it has.
MODEL = "/admin/MODEL/"
_REGEX = re.compile(r"[$^]|\(\?P<(\w+)>[^)]*\)")


def all_doors() -> list[str]:
    """Return every door, each once."""
    found: dict[str, None] = {}
    for path, pattern in addresses(get_resolver()):
        for method in _methods(pattern.callback):
            found[f"{method} {_as_model_page(path)}"] = None
    for route in [*private_sockets.websocket_urlpatterns, *public_sockets.websocket_urlpatterns]:
        found[f"WS /{_REGEX.sub(_named, str(route.pattern)).replace('/?', '')}"] = None
    return list(found)


def all_models() -> dict[str, Any]:
    """Return the models that the back office shows, by the names their pages have."""
    return {
        f"{model._meta.app_label}/{model._meta.model_name}": model for model in admin.site._registry
    }


def addresses(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    """Return every path of the site with its pattern."""
    for entry in resolver.url_patterns:
        text = before + _REGEX.sub(_named, str(entry.pattern))
        if isinstance(entry, URLResolver):
            yield from addresses(entry, text)
        else:
            yield text, entry


def _named(found: re.Match[str]) -> str:
    return f"<{found[1]}>" if found[1] else ""


def _as_model_page(path: str) -> str:
    if path.count("/") < 4 or not path.startswith("/admin/"):
        return path
    model, _, rest = path.removeprefix("/admin/").partition("/")
    name, _, page = rest.partition("/")
    ours = page == "" or page == "add/" or page.startswith("<path:object_id>")
    return f"{MODEL}{page}" if ours and f"{model}/{name}" in all_models() else path


def _methods(view: Any) -> tuple[str, ...]:
    if hasattr(view, "hot_handlers"):
        return tuple(view.hot_handlers)
    if hasattr(view, "cls"):
        return tuple(name for name in HTTP if hasattr(view.cls, name.lower()))
    if hasattr(view, "view_class"):  # Of Django's own: it says what it takes when it is asked.
        return ("GET",)
    said = _declared(view)
    return tuple(name for name in HTTP if name in said) if said else FORMS


def _declared(view: Any) -> list[str]:
    """Return what `require_http_methods` was told, wherever it stands among the decorators."""
    while view is not None:
        told = inspect.getclosurevars(view).nonlocals if inspect.isfunction(view) else {}
        if "request_method_list" in told:
            return list(told["request_method_list"])
        view = getattr(view, "__wrapped__", None)
    return []
