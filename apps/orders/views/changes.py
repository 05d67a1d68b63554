"""The doors of changes: smaller in its place, and another in its place."""

from __future__ import annotations

import time

from django.http import HttpRequest, HttpResponse

from apps.markets import selectors as markets
from apps.orders import services
from apps.orders.dialect import amounts, endpoints, refusals, tickets
from apps.orders.dialect.params import CLIENT_ID
from apps.orders.doors import answer, charge, door, identify
from apps.orders.runtime import Edge

AMEND_WEIGHT = 4
_MODES = {"STOP_ON_FAILURE": False, "ALLOW_FAILURE": True}


async def amend_order(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Make an open order smaller; it keeps its place, its price and its client id."""
    caller = await identify(request, edge, endpoints.AMEND)
    market = tickets.market_of(caller.params, markets.known())
    order_id, client_id = tickets.order_named(caller.params)
    lots = amounts.lots(caller.params, market, "newQty")
    new_name = caller.params.matching("newClientOrderId", CLIENT_ID)
    if new_name not in (None, client_id):
        raise refusals.not_required("newClientOrderId")
    used = await charge(request, edge, caller, weight=AMEND_WEIGHT)
    done = await services.amend(
        edge, caller, market, order_id=order_id, client_id=client_id, lots=lots
    )
    return answer(done, used)


async def replace_order(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Cancel an order, then place another one: two acts, each with its own outcome."""
    received_ns = time.time_ns()
    caller = await identify(request, edge, endpoints.CANCEL_REPLACE)
    params = caller.params
    goes_on = _MODES.get(params.needed("cancelReplaceMode"))
    if goes_on is None:
        raise refusals.bad_value("cancelReplaceMode")
    ticket = tickets.ticket_of(params, markets.known(), now_ns=received_ns)
    order_id, client_id = tickets.named(params, "cancelOrderId", "cancelOrigClientOrderId")
    if params.raw("cancelRestrictions") is not None:
        raise refusals.bad_value("cancelRestrictions")
    cancel_id = params.matching("cancelNewClientOrderId", CLIENT_ID) or ""
    used = await charge(request, edge, caller, weight=1, orders=1, is_new_order=True)
    done = await services.cancel_replace(
        edge,
        caller,
        ticket,
        order_id=order_id,
        client_id=client_id,
        cancel_id=cancel_id,
        goes_on=goes_on,
        received_ns=received_ns,
    )
    return answer(done, used)


amend_view = door(PUT=amend_order)
replace_view = door(POST=replace_order)
