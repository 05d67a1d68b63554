"""The limit of everything that takes a thread: pages, `/api/v1`, the schema, the back office.

The trading dialect counts by itself, because what a request costs there depends on what it asks;
its doors in threads are only looked at here, so that a cookie somebody invented is not looked up
for an address that is over its limit.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.deprecation import MiddlewareMixin

from apps.common.errors import Refusal, TooManyRequests
from apps.orders import callers, doors
from apps.orders.https_only import DIALECT
from apps.orders.limits import Limits, Spend
from apps.orders.views.base import gate


class AddressLimit(MiddlewareMixin):
    """Count a request against its address before anything is read for it."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Refuse an address that is over the published limit."""
        is_dialect = request.path_info.startswith(DIALECT)
        if is_dialect and settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        spend = Spend(f"ip:{callers.address_of(request)}", weight=0 if is_dialect else 1)
        return _admitted(request, spend, None)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        """Refuse an address that tries too often what may be guessed, or makes something new.

        Such a view says `tries_per_minute = {"POST": 60}`.
        """
        view_class = getattr(view, "cls", None)
        tries = getattr(view_class, "tries_per_minute", {}).get(request.method)
        if tries is None:
            return None
        who = f"{view_class.__name__}:{callers.address_of(request)}"  # type: ignore[union-attr]
        return _admitted(request, Spend(who, weight=1), Limits(weight_1m=tries, orders_10s=0))


def _admitted(request: HttpRequest, spend: Spend, most: Limits | None) -> HttpResponse | None:
    try:
        gate().admit(spend, most)
    except Refusal as refusal:
        return _answer(request, refusal)
    return None


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Say no in the words of whom was asked."""
    if request.path_info.startswith(DIALECT):
        return doors.refusal_answer(refusal)
    spoken = TooManyRequests("Too many requests from your address; come again later.")
    if request.path_info.startswith("/api/"):
        response: HttpResponse = JsonResponse(spoken.as_json(), status=spoken.http_status)
    else:
        response = HttpResponse(spoken.message, status=spoken.http_status)
    response["Retry-After"] = str(refusal.retry_after_s)
    # A refusal is an answer like any other: Django would log a warning for each one.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
