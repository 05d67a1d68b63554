"""Where TLS is asked for, programs are refused without it, and only people's pages are redirected.

A program that is redirected never notices that it sent its key, cookie or order in the clear, each
time anew. Pages are redirected by Django (`SECURE_SSL_REDIRECT`); this stands before it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import sync_and_async_middleware

from apps.common import addresses, refusal_log
from apps.common.errors import Refusal
from apps.common.middleware import name_refusal
from apps.orders import doors

DIALECT = ("/api/v3/", "/sapi/", "/fapi/", "/dapi/")
PROGRAMS = ("/api/", *DIALECT)
NOT_TLS = 4426  # A WebSocket's close code, after HTTP's 426.


class HttpsRequired(Refusal):
    """What was sent came in the clear. Nothing was done; what it carried is no secret any more."""

    code = "https_required"
    http_status = 403


@sync_and_async_middleware
def https_only(get_response: Callable[[HttpRequest], Any]) -> Any:
    """Refuse requests of programs that did not come by TLS, before anything is read of them."""
    if not settings.SECURE_SSL_REDIRECT:
        raise MiddlewareNotUsed
    if inspect.iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            response: HttpResponse = _refused(request) or await get_response(request)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = _refused(request) or get_response(request)
        return response

    return answer


def _refused(request: HttpRequest) -> HttpResponse | None:
    if request.is_secure() or not request.path_info.startswith(PROGRAMS):
        return None
    refusal = HttpsRequired("Come by https. What you sent was readable on its way: change its key.")
    if request.path_info.startswith(DIALECT):
        return doors.refusal_answer(refusal)
    response = JsonResponse(refusal.as_json(), status=refusal.http_status)
    name_refusal(response, refusal.code)
    return response


class TlsSockets:
    """Lets WebSockets through to `inner`, where TLS is asked for only those that came by it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on, or close before accepting (the client sees 403)."""
        if not settings.SECURE_SSL_REDIRECT or came_by_tls(scope):
            await self._inner(scope, receive, send)
            return
        address = addresses.of_scope(scope)
        refusal_log.in_use.note("ws.socket.refused", code=HttpsRequired.code, address=address)
        await send({"type": "websocket.close", "code": NOT_TLS})


def came_by_tls(scope: dict[str, Any]) -> bool:
    """Say it of a handshake as Django says it of a request: the front's header has the word."""
    if settings.SECURE_PROXY_SSL_HEADER is not None:
        name, secure = settings.SECURE_PROXY_SSL_HEADER
        wanted = name.removeprefix("HTTP_").replace("_", "-").lower().encode()
        said = next((value for key, value in scope["headers"] if key.lower() == wanted), None)
        if said is not None:
            return bool(said.decode("latin1").split(",")[0].strip() == secure)
    return bool(scope.get("scheme") == "wss")
