"""Lists of orders: one cancels the other (OCO), in the dialect's two forms, and how they are shown.

A list is two orders: the one with the trigger first, as the dialect numbers them. Its number is
the first order's. Its client's name gives both orders theirs, unless they have names of their own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from apps.marketdata.dialect import ms
from apps.markets.contracts import Catalogue, MarketInfo
from apps.orders.dialect import refusals, tickets
from apps.orders.dialect.params import CLIENT_ID, Params
from apps.orders.dialect.tickets import Ticket
from apps.orders.readmodels import OrderModel
from matching_worker.contracts.market import BUY

NO_LIST = -1
BASE_MAX = 34  # A list's name that leaves room for the endings of its orders' names.
FIRST, SECOND = ".1", ".2"
_SHARED = {
    name: name
    for name in ("symbol", "side", "quantity", "newOrderRespType", "selfTradePreventionMode")
}
_STOP_TYPES = ("STOP_LOSS", "STOP_LOSS_LIMIT")


class PairTicket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Two orders of which one may trade, as they were asked for."""

    stop: Ticket
    limit: Ticket
    name: str  # "" if the client named none.


def old_pair_of(params: Params, catalogue: Catalogue) -> PairTicket:
    """Read the form that names a limit order and a stop order."""
    stop_limit = "stopLimitPrice" in params
    if not stop_limit:
        params.unused("stopLimitTimeInForce")
    stop = params.part(
        _SHARED
        | {
            "price": "stopLimitPrice",
            "timeInForce": "stopLimitTimeInForce",
            "newClientOrderId": "stopClientOrderId",
            "strategyId": "stopStrategyId",
            "strategyType": "stopStrategyType",
            "icebergQty": "stopIcebergQty",
            **{name: name for name in ("stopPrice", "trailingDelta", "workingType")},
        },
        type="STOP_LOSS_LIMIT" if stop_limit else "STOP_LOSS",
    )
    limit = params.part(
        _SHARED
        | {
            "price": "price",
            "newClientOrderId": "limitClientOrderId",
            "strategyId": "limitStrategyId",
            "strategyType": "limitStrategyType",
            "icebergQty": "limitIcebergQty",
        },
        type="LIMIT_MAKER",
    )
    return _pair(params, stop, limit, catalogue)


def pair_of(params: Params, catalogue: Catalogue) -> PairTicket:
    """Read the form that names the order above the market's price and the one below it."""
    tickets.market_of(params, catalogue)
    above, below = _side_of(params, "above"), _side_of(params, "below")
    types = params.needed("aboveType"), params.needed("belowType")
    stop, limit = (above, below) if types[1] == "LIMIT_MAKER" else (below, above)
    stands_below = types[0] == "LIMIT_MAKER"
    is_known = stop.needed("type") in _STOP_TYPES and limit.needed("type") == "LIMIT_MAKER"
    if not is_known or stands_below != (params.needed("side") == "SELL"):
        raise refusals.rejected("Unsupported order combination.")
    return _pair(params, stop, limit, catalogue)


def _side_of(params: Params, side: str) -> Params:
    own = {
        "type": "Type",
        "price": "Price",
        "timeInForce": "TimeInForce",
        "stopPrice": "StopPrice",
        "trailingDelta": "TrailingDelta",
        "newClientOrderId": "ClientOrderId",
        "strategyId": "StrategyId",
        "strategyType": "StrategyType",
        "icebergQty": "IcebergQty",
    }
    names = _SHARED | {name: side + ending for name, ending in own.items()}
    if params.raw(names["type"]) in _STOP_TYPES:
        names["workingType"] = "workingType"
    return params.part(names)


def _pair(params: Params, stop: Params, limit: Params, catalogue: Catalogue) -> PairTicket:
    if stop.raw("timeInForce") == "GTD":
        raise refusals.bad_time_in_force()  # The limit order stands until it is canceled.
    pair = PairTicket(
        stop=tickets.ticket_of(stop, catalogue),
        limit=tickets.ticket_of(limit, catalogue),
        name=params.matching("listClientOrderId", CLIENT_ID) or "",
    )
    own_names = [order.client_id for order in (pair.stop, pair.limit) if order.client_id]
    if len(own_names) != len(set(own_names)):
        raise refusals.rejected("Duplicate order sent.")
    trigger, price = pair.stop.extras.trigger_ticks, pair.limit.price_ticks
    is_between = price < trigger if pair.stop.side == BUY else price > trigger
    if trigger and not is_between:
        raise refusals.prices_unrelated()
    return pair


# ── Names ───────────────────────────────────────────────────────────────────────────────────────


def order_names(pair: PairTicket, base: str) -> tuple[str, str]:
    """Return the client ids of a list's orders: their own, or the list's with an ending."""
    return pair.stop.client_id or base + FIRST, pair.limit.client_id or base + SECOND


def name_of(first: str, second: str) -> str:
    """Return the name that a list's orders tell: what they share, or else the first one's."""
    base = first.removesuffix(FIRST)
    return base if (base + FIRST, base + SECOND) == (first, second) else first


# ── Shown ───────────────────────────────────────────────────────────────────────────────────────


def list_body(
    market: MarketInfo,
    orders: list[tuple[int, str]],
    *,
    name: str,
    at_ns: int,
    is_done: bool,
) -> dict[str, Any]:
    """Write a list of orders: (number, client id), the first one first."""
    return {
        "orderListId": orders[0][0],
        "contingencyType": "OCO",
        "listStatusType": "ALL_DONE" if is_done else "EXEC_STARTED",
        "listOrderStatus": "ALL_DONE" if is_done else "EXECUTING",
        "listClientOrderId": name,
        "transactionTime": ms(at_ns),
        "symbol": market.pair,
        "orders": [
            {"symbol": market.pair, "orderId": number, "clientOrderId": client_id}
            for number, client_id in orders
        ],
    }


def list_row(market: MarketInfo, orders: list[OrderModel], name: str) -> dict[str, Any]:
    """Write a list as reads show it: any of its orders knows the other."""
    one = orders[0]
    both = sorted([(one.order_id, one.client_id), (one.other_leg, one.other_client_id)])
    return list_body(
        market,
        both,
        name=name or name_of(both[0][1], both[1][1]),
        at_ns=max(order.updated_ns for order in orders),
        is_done=all(order.ended is not None for order in orders),
    )
