"""The frame of every hot door: methods, the one handler of refusals, answers with their headers.

Every request is counted once. Who asks well is counted by the door, against their account; what is
refused before that, is counted here: against the account if we believe who asks, else against the
address. A key or cookie that nobody knows is counted before it is looked up.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec
import structlog
from django.http import HttpRequest, HttpResponse

from apps.common.errors import Refusal
from apps.common.middleware import name_refusal
from apps.orders import callers, runtime
from apps.orders.contracts import Caller
from apps.orders.dialect import refusals
from apps.orders.dialect.refusals import DialectRefusal
from apps.orders.limits import Spend, Used
from apps.orders.readmodels import ReadModelsNotReady
from apps.orders.runtime import Edge

Handler = Callable[[HttpRequest, Edge], Awaitable[HttpResponse]]

log = structlog.get_logger("fairbook.edge")
_encode = msgspec.json.Encoder().encode


def answer(body: Any, used: Used | None = None) -> HttpResponse:
    """Render an answer, and what it cost."""
    headers = used.headers() if used is not None else None
    return HttpResponse(_encode(body), content_type="application/json", headers=headers)


def refusal_answer(refusal: Refusal) -> HttpResponse:
    """Render a refusal of any kind in the dialect."""
    spoken = in_dialect(refusal)
    response = HttpResponse(
        _encode(spoken.as_json()),
        content_type="application/json",
        status=spoken.http_status,
        headers=spoken.headers,
    )
    name_refusal(response, spoken.number)
    if spoken.retry_after_s is not None:
        response["Retry-After"] = str(spoken.retry_after_s)
    # A refusal is an answer like any other: Django would log a warning for each one.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def in_dialect(refusal: Refusal) -> DialectRefusal:
    """Say a refusal in the dialect's words."""
    if isinstance(refusal, DialectRefusal):
        return refusal
    if refusal.http_status == 503:
        return refusals.not_now(refusal.message)
    number = -1003 if refusal.http_status == 429 else -1000
    return DialectRefusal(
        number,
        refusal.message,
        status=refusal.http_status,
        retry_after_s=refusal.retry_after_s,
    )


def fault_answer() -> HttpResponse:
    """Render a fault: it is in the log, and its caller learns no more than that there was one."""
    body = {"code": -1000, "msg": "An unknown error occurred while processing the request."}
    return HttpResponse(_encode(body), content_type="application/json", status=500)


def door(**handlers: Handler) -> Callable[..., Any]:
    """Make an asynchronous view of one handler per method."""

    async def view(request: HttpRequest) -> HttpResponse:
        handler = handlers.get(request.method or "", not_supported)
        try:
            return await handler(request, await runtime.edge())
        except Refusal as refusal:
            return refusal_answer(await _counted(request, refusal))
        except ReadModelsNotReady:
            return refusal_answer(refusals.catching_up())
        except Exception:
            log.exception("edge.request.failed", path=request.path, method=request.method)
            return fault_answer()

    async def not_supported(_request: HttpRequest, _edge: Edge) -> HttpResponse:
        refusal = DialectRefusal(-1020, "This operation is not supported.", status=405)
        refusal.headers["Allow"] = ", ".join(handlers)
        raise refusal

    # Keys sign; the log-ins of browsers are checked inside.
    view.csrf_exempt = True  # type: ignore[attr-defined]
    view.hot_handlers = handlers  # type: ignore[attr-defined]  # For the API's schema.
    return view


class _Visit:
    """What the frame has to know of one request: who asks, if we believe them; if it is counted."""

    __slots__ = ("caller", "is_counted")

    def __init__(self) -> None:
        self.caller: Caller | None = None
        self.is_counted = False


def _visit(request: HttpRequest) -> _Visit:
    visit: _Visit | None = getattr(request, "visit", None)
    if visit is None:
        visit = request.visit = _Visit()  # type: ignore[attr-defined]
    return visit


async def _counted(request: HttpRequest, refusal: Refusal) -> Refusal:
    """Count a request that failed before its door counted it; too many are answered as such."""
    visit = _visit(request)
    if visit.is_counted or refusal.http_status >= 500:
        return refusal
    edge = await runtime.edge()
    try:
        if visit.caller is not None:
            await charge(request, edge, visit.caller, weight=1)
        else:
            await charge_address(request, edge, weight=1)
    except DialectRefusal as too_fast:
        return too_fast
    return refusal


async def identify(request: HttpRequest, edge: Edge, allowed: frozenset[str]) -> Caller:
    """Say who asks, or refuse. `allowed` are the endpoint's parameters."""
    admit = partial(charge_address, request, edge, weight=1)
    caller = await callers.identify(request, edge.memory, allowed, admit=admit)
    _visit(request).caller = caller
    return caller


async def identify_key(request: HttpRequest, edge: Edge, allowed: frozenset[str]) -> Caller:
    """Say whose API key a request names; for the endpoints that need no signature."""
    admit = partial(charge_address, request, edge, weight=1)
    standing = await callers.identify_key(request, edge.memory, admit=admit)
    params = callers.public_params(request, allowed)
    caller = Caller(standing=standing, params=params, deadline_ns=0)
    _visit(request).caller = caller
    return caller


async def charge(
    request: HttpRequest,
    edge: Edge,
    caller: Caller,
    *,
    weight: int,
    orders: int = 0,
    is_new_order: bool = False,
) -> Used:
    """Count a request against its account."""
    _visit(request).is_counted = True
    spend = Spend(f"a:{caller.account}", weight, orders)
    return await edge.gate.admit(spend, is_new_order=is_new_order)


async def charge_address(request: HttpRequest, edge: Edge, *, weight: int) -> Used:
    """Count a request against its address."""
    _visit(request).is_counted = True
    return await edge.gate.admit(Spend(f"ip:{callers.address_of(request)}", weight))
