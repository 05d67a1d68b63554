"""The hot doors of the dialect: orders in, orders out. No database, no thread, one write."""

from __future__ import annotations

import time
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.markets import selectors as markets
from apps.orders import callers, selectors, services
from apps.orders.dialect import endpoints, refusals, render, tickets
from apps.orders.dialect.params import CLIENT_ID
from apps.orders.doors import answer, charge, charge_address, door, identify
from apps.orders.runtime import Edge
from apps.orders.views.account import rates_of

FIND_WEIGHT, OPEN_WEIGHT, OPEN_ALL_WEIGHT = 4, 6, 80


async def place_order(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Place an order."""
    received_ns = time.time_ns()
    caller = await identify(request, edge, endpoints.NEW_ORDER)
    ticket = tickets.ticket_of(caller.params, markets.known(), now_ns=received_ns)
    used = await charge(request, edge, caller, weight=1, orders=1, is_new_order=True)
    return answer(await services.place(edge, caller, ticket, received_ns=received_ns), used)


async def test_order(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Check an order as placing it would, and send nothing."""
    caller = await identify(request, edge, endpoints.TEST_ORDER)
    wants_rates = caller.params.flag("computeCommissionRates", default=False)
    ticket = tickets.ticket_of(caller.params, markets.known(), now_ns=time.time_ns())
    callers.check_may_trade(caller, ticket.market)
    used = await charge(request, edge, caller, weight=20 if wants_rates else 1)
    if not wants_rates:
        return answer({}, used)
    account = await edge.models.account(caller.account)
    maker, taker = rates_of(account, ticket.market)
    rates = {"maker": render.rate(maker), "taker": render.rate(taker)}
    return answer({"standardCommissionForOrder": rates}, used)


async def find_order(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Look one order up."""
    caller = await identify(request, edge, endpoints.FIND_ORDER)
    market = tickets.market_of(caller.params, markets.known())
    order_id, client_id = tickets.order_named(caller.params)
    used = await charge(request, edge, caller, weight=FIND_WEIGHT)
    found = await selectors.find_order(edge, caller, market, order_id=order_id, client_id=client_id)
    return answer(found, used)


async def cancel_order(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Cancel one order."""
    caller = await identify(request, edge, endpoints.CANCEL_ORDER)
    market = tickets.market_of(caller.params, markets.known())
    order_id, client_id = tickets.order_named(caller.params)
    if caller.params.raw("cancelRestrictions") is not None:
        raise refusals.bad_value("cancelRestrictions")
    cancel_id = caller.params.matching("newClientOrderId", CLIENT_ID) or ""
    used = await charge(request, edge, caller, weight=1)
    ended = await services.cancel(
        edge, caller, market, order_id=order_id, client_id=client_id, cancel_id=cancel_id
    )
    return answer(ended[0], used)


async def open_orders(request: HttpRequest, edge: Edge) -> HttpResponse:
    """List what may still trade."""
    caller = await identify(request, edge, endpoints.OPEN_ORDERS)
    catalogue = markets.known()
    market = tickets.optional_market(caller.params, catalogue)
    used = await charge(request, edge, caller, weight=OPEN_WEIGHT if market else OPEN_ALL_WEIGHT)
    return answer(await selectors.open_orders(edge, caller, market, catalogue), used)


async def cancel_all(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Cancel all of an account's orders in a market."""
    caller = await identify(request, edge, endpoints.CANCEL_ALL)
    market = tickets.market_of(caller.params, markets.known())
    used = await charge(request, edge, caller, weight=1)
    if not await edge.gate.is_first(caller):
        raise refusals.repeated()
    return answer(await services.cancel(edge, caller, market), used)


async def ping(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Answer."""
    used = await charge_address(request, edge, weight=1)
    callers.public_params(request, endpoints.NOTHING)
    return answer({}, used)


async def server_time(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Tell the time by which windows and deadlines are judged."""
    used = await charge_address(request, edge, weight=1)
    callers.public_params(request, endpoints.NOTHING)
    body: dict[str, Any] = {"serverTime": time.time_ns() // 1_000_000}
    return answer(body, used)


order = door(POST=place_order, GET=find_order, DELETE=cancel_order)
order_test = door(POST=test_order)
orders_open = door(GET=open_orders, DELETE=cancel_all)
ping_view = door(GET=ping)
time_view = door(GET=server_time)
