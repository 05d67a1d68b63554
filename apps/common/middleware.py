"""Middleware that never leaves the event loop: plain functions, sync and async."""

from __future__ import annotations

import inspect
import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from apps.common import addresses, refusal_log

_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "X-Frame-Options": "DENY",
}
# For answers that are no pages and have no policy of their own.
_DATA_POLICY = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"


def _wrap(
    get_response: Callable[[HttpRequest], Any],
    before: Callable[[HttpRequest], None],
    after: Callable[[HttpRequest, HttpResponse], None],
) -> Callable[[HttpRequest], HttpResponse] | Callable[[HttpRequest], Awaitable[HttpResponse]]:
    if inspect.iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            before(request)
            response: HttpResponse = await get_response(request)
            after(request, response)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        before(request)
        response: HttpResponse = get_response(request)
        after(request, response)
        return response

    return answer


def put_fixed_headers(response: HttpResponse, *, is_static: bool = False) -> None:
    """Put the security headers on an answer, and keep it out of caches if it may be private."""
    for name, value in _FIXED.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", _DATA_POLICY)
    if not response.streaming:
        response.headers.setdefault("Content-Length", str(len(response.content)))
    if not is_static:
        response.headers.setdefault("Cache-Control", "no-store")


@sync_and_async_middleware
def fixed_headers(get_response: Callable[[HttpRequest], Any]) -> Any:
    """Put the security headers on every answer of every way through Django."""
    https_only = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"

    def after(request: HttpRequest, response: HttpResponse) -> None:
        put_fixed_headers(response, is_static=request.path.startswith("/static/"))
        if settings.SECURE_HSTS_SECONDS and request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", https_only)

    return _wrap(get_response, lambda _request: None, after)


@sync_and_async_middleware
def correlation(get_response: Callable[[HttpRequest], Any]) -> Any:
    """Give each request one id (`request.correlation_id`): in its logs, commands and answer."""

    def before(request: HttpRequest) -> None:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        known = given if _ACCEPTED_ID.fullmatch(given) else secrets.token_hex(8)
        request.correlation_id = known  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(correlation_id=known)

    def after(request: HttpRequest, response: HttpResponse) -> None:
        response.headers["X-Request-Id"] = request.correlation_id  # type: ignore[attr-defined]

    return _wrap(get_response, before, after)


_BY_STATUS = {401: "not_logged_in", 403: "forbidden", 429: "too_many_requests"}
_STRANGER = ("not_logged_in", "-2014")  # Nobody claimed to be anybody: no news.
_BAD_SIGNATURE = "-1022"  # The dialect answers it by 400.


def name_refusal(response: HttpResponse, code: object) -> None:
    """Let an answer carry the code of its refusal to the log."""
    response.refusal_code = str(code)  # type: ignore[attr-defined]


@sync_and_async_middleware
def refusals(get_response: Callable[[HttpRequest], Any]) -> Any:
    """Log refused rights, what is not there for who asks, and limits that struck: bounded."""

    def after(request: HttpRequest, response: HttpResponse) -> None:
        code = getattr(response, "refusal_code", "") or response.headers.get("X-Refusal", "")
        is_no_such = response.status_code == 404 and code
        if not (response.status_code in _BY_STATUS or is_no_such or code == _BAD_SIGNATURE):
            return
        # Django would log each of them by its path, which may name what is private.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
        code = code or _BY_STATUS[response.status_code]
        if code in _STRANGER:
            return
        match = request.resolver_match
        refusal_log.in_use.note(
            "http.request.refused",
            code=code,
            address=addresses.counted_as(str(request.META.get("REMOTE_ADDR") or "")),
            status=response.status_code,
            method=request.method if request.method in _METHODS else "other",
            route=match.route if match else "",
            user=getattr(getattr(request, "_cached_user", None), "pk", None),
        )

    return _wrap(get_response, lambda _request: None, after)


_METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
