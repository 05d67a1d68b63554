"""From the parameters of an order to its terms in ticks and lots, or to the refusal they earn.

The edge's checks are a courtesy: partition and book check every field again. The edge alone knows
the dialect's words, so it alone can say which parameter was wrong.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from apps.common.kernel.money import wide
from apps.markets.contracts import Catalogue, MarketInfo
from apps.orders.dialect import amounts, refusals, words
from apps.orders.dialect.extras import PLAIN, extras_of
from apps.orders.dialect.params import CLIENT_ID, SYMBOL, WHOLE, Params
from apps.risk.contracts.commands import PlaceExtra, PlaceOrder, ResponseKind
from matching_worker.contracts.market import BUY, LIMIT, MARKET, SELL, OrderKind, Side, TimeInForce
from matching_worker.contracts.to_book import OrderExtras

_TIMES_IN_FORCE: dict[str, TimeInForce] = {"GTC": "GTC", "IOC": "IOC", "FOK": "FOK", "GTD": "GTC"}
_RESPONSES = ("ACK", "RESULT", "FULL")


class Ticket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One order as it was asked for, in the market's own units."""

    market: MarketInfo
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool
    price_ticks: int
    lots: int
    quote_budget: int
    client_id: str  # "" if the client named none.
    response: ResponseKind
    extras: OrderExtras = PLAIN

    def order(
        self, *, request: int, account: int, client_id: str, derived: bool, deadline_ns: int
    ) -> PlaceOrder:
        """Return the message that asks the account's partition for this order's plain terms."""
        return PlaceOrder(
            request=request,
            account=account,
            market=self.market.spec.symbol,
            client_id=client_id,
            derived=derived,
            side=self.side,
            kind=self.kind,
            time_in_force=self.time_in_force,
            post_only=self.post_only,
            price_ticks=self.price_ticks,
            lots=self.lots,
            quote_budget=wide(self.quote_budget),
            deadline_ns=deadline_ns,
            response=self.response,
        )

    def command(self, order: PlaceOrder) -> PlaceOrder | PlaceExtra:
        """Return the message that asks for all of it."""
        return order if self.extras == PLAIN else PlaceExtra(order=order, extras=self.extras)


def market_of(params: Params, catalogue: Catalogue) -> MarketInfo:
    """Return the market that `symbol` names."""
    return _named(params.needed("symbol"), catalogue)


def optional_market(params: Params, catalogue: Catalogue) -> MarketInfo | None:
    """Return the market that `symbol` names, or None if it was not sent."""
    symbol = params.raw("symbol")
    return None if symbol is None else _named(symbol, catalogue)


def _named(symbol: str, catalogue: Catalogue) -> MarketInfo:
    Params({"symbol": symbol}).matching("symbol", SYMBOL)
    market = catalogue.by_pair.get(symbol)
    if market is None:
        raise refusals.bad_symbol()
    return market


def ticket_of(params: Params, catalogue: Catalogue, *, now_ns: int = 0) -> Ticket:
    """Read one order. What is good until a time that has passed by `now_ns` is refused."""
    market = market_of(params, catalogue)
    side = _side(params)
    kind = params.needed("type")
    if kind not in words.ORDER_TYPES:
        raise refusals.bad_type()
    for name in ("strategyId", "strategyType"):
        params.whole(name)
    build = _market_order if kind in words.MARKET_TYPES else _limit_order
    terms = build(params, market, kind)
    extras = extras_of(params, market, kind, now_ns=now_ns)
    return Ticket(
        market=market,
        side=side,
        client_id=params.matching("newClientOrderId", CLIENT_ID) or "",
        response=_response(params, kind),
        extras=extras,
        **_checked(terms, market, side),
    )


class _Terms(msgspec.Struct, kw_only=True, gc=False):
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool = False
    price_ticks: int = 0
    lots: int = 0
    quote_budget: int = 0


def _side(params: Params) -> Side:
    sides: dict[str, Side] = {"BUY": BUY, "SELL": SELL}
    side = sides.get(params.needed("side"))
    if side is None:
        raise refusals.bad_side()
    return side


def _response(params: Params, kind: str) -> ResponseKind:
    response = params.raw("newOrderRespType")
    if response is None:
        return "FULL" if kind in ("LIMIT", "MARKET") else "ACK"
    if response not in _RESPONSES:
        raise refusals.bad_value("newOrderRespType")
    return cast(ResponseKind, response)


def _limit_order(params: Params, market: MarketInfo, kind: str) -> _Terms:
    post_only = kind == "LIMIT_MAKER"
    if post_only:
        params.unused("timeInForce")
    time_in_force = _TIMES_IN_FORCE.get("GTC" if post_only else params.needed("timeInForce"))
    if time_in_force is None:
        raise refusals.bad_time_in_force()
    params.unused("quoteOrderQty")
    params.needed("quantity")
    return _Terms(
        kind=LIMIT,
        time_in_force=time_in_force,
        post_only=post_only,
        price_ticks=amounts.ticks(params, market),
        lots=amounts.lots(params, market),
    )


def _market_order(params: Params, market: MarketInfo, kind: str) -> _Terms:
    for name in ("timeInForce", "price"):
        params.unused(name)
    if kind != "MARKET":
        params.unused("quoteOrderQty")
        return _Terms(kind=MARKET, time_in_force="IOC", lots=amounts.lots(params, market))
    if "quantity" not in params and "quoteOrderQty" not in params:
        raise refusals.one_of("quantity", "quoteOrderQty")
    if "quantity" in params and "quoteOrderQty" in params:
        raise refusals.bad_combination()
    if "quantity" in params:
        return _Terms(kind=MARKET, time_in_force="IOC", lots=amounts.lots(params, market))
    budget = amounts.units(params, "quoteOrderQty", decimals=market.spec.quote_decimals)
    return _Terms(kind=MARKET, time_in_force="IOC", quote_budget=budget)


def _checked(terms: _Terms, market: MarketInfo, side: Side) -> dict[str, Any]:
    """Apply the filters that need more than one number."""
    spec = market.spec
    if terms.kind == LIMIT:
        worth = terms.price_ticks * terms.lots * spec.quote_per_tick_lot
    elif terms.lots:
        worth = spec.min_notional  # Its worth is known at the book only, which checks it.
    elif side == SELL:
        raise refusals.rejected("A market sell names its quantity; quoteOrderQty is for buying.")
    else:
        worth = terms.quote_budget
    if worth < spec.min_notional:
        raise refusals.filter_failure("NOTIONAL")
    return msgspec.structs.asdict(terms)


def order_named(params: Params) -> tuple[int, str]:
    """Read which order is meant: (its number or 0, its client id or "")."""
    return named(params, "orderId", "origClientOrderId")


def named(params: Params, number: str, client_id: str) -> tuple[int, str]:
    """Read what is meant, by its number (or 0) or by its client's name (or ""), or by both."""
    found = params.whole(number)
    name = params.matching(client_id, CLIENT_ID)
    if found is None and name is None:
        raise refusals.one_of(client_id, number)
    if found == 0:
        raise refusals.illegal_characters(number, WHOLE)
    return found or 0, name or ""
