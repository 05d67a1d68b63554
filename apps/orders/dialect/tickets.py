"""From the parameters of an order to its terms in ticks and lots, or to the refusal they earn.

The edge's checks are a courtesy: partition and book check every field again. The edge alone knows
the dialect's words, so it alone can say which parameter was wrong.
"""

from __future__ import annotations

from typing import Any, cast

import msgspec

from apps.common.kernel.money import parse_units, wide
from apps.markets.contracts import Catalogue, MarketInfo
from apps.orders.dialect import refusals
from apps.orders.dialect.params import CLIENT_ID, DECIMAL, SYMBOL, WHOLE, Params
from apps.risk.contracts.commands import PlaceOrder, ResponseKind
from matching_worker.contracts.market import BUY, LIMIT, MARKET, SELL, OrderKind, Side, TimeInForce

DECIMALS_MAX = 8  # Of any price or size, in the dialect's numbers.
UNITS_MAX = 2**53

_TYPES = ("LIMIT", "MARKET", "LIMIT_MAKER")
_TIMES_IN_FORCE = ("GTC", "IOC", "FOK")
_RESPONSES = ("ACK", "RESULT", "FULL")
_NO_USE = ("stopPrice", "trailingDelta", "icebergQty")


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

    def command(
        self, *, request: int, account: int, client_id: str, derived: bool, deadline_ns: int
    ) -> PlaceOrder:
        """Return the message that asks the account's partition for this order."""
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


def ticket_of(params: Params, catalogue: Catalogue) -> Ticket:
    """Read one order."""
    market = market_of(params, catalogue)
    side = _side(params)
    kind = params.needed("type")
    if kind not in _TYPES:
        raise refusals.bad_type()
    for name in _NO_USE:
        _unused(params, name)
    if params.raw("selfTradePreventionMode") not in (None, "NONE", "EXPIRE_TAKER"):
        raise refusals.bad_value("selfTradePreventionMode")
    for name in ("strategyId", "strategyType"):
        params.whole(name)
    build = _market_order if kind == "MARKET" else _limit_order
    terms = build(params, market, kind)
    return Ticket(
        market=market,
        side=side,
        client_id=params.matching("newClientOrderId", CLIENT_ID) or "",
        response=_response(params, kind),
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
        return "ACK" if kind == "LIMIT_MAKER" else "FULL"
    if response not in _RESPONSES:
        raise refusals.bad_value("newOrderRespType")
    return cast(ResponseKind, response)


def _unused(params: Params, name: str) -> None:
    if name in params:
        raise refusals.not_required(name)


def _limit_order(params: Params, market: MarketInfo, kind: str) -> _Terms:
    post_only = kind == "LIMIT_MAKER"
    time_in_force = "GTC"
    if post_only:
        _unused(params, "timeInForce")
    else:
        time_in_force = params.needed("timeInForce")
        if time_in_force not in _TIMES_IN_FORCE:
            raise refusals.bad_time_in_force()
    _unused(params, "quoteOrderQty")
    params.needed("quantity")
    params.needed("price")
    return _Terms(
        kind=LIMIT,
        time_in_force=cast(TimeInForce, time_in_force),
        post_only=post_only,
        price_ticks=_ticks(params, market),
        lots=_lots(params, market),
    )


def _market_order(params: Params, market: MarketInfo, _kind: str) -> _Terms:
    for name in ("timeInForce", "price"):
        _unused(params, name)
    if "quantity" not in params and "quoteOrderQty" not in params:
        raise refusals.one_of("quantity", "quoteOrderQty")
    if "quantity" in params and "quoteOrderQty" in params:
        raise refusals.bad_combination()
    if "quantity" in params:
        return _Terms(kind=MARKET, time_in_force="IOC", lots=_lots(params, market))
    budget = _units(params, "quoteOrderQty", decimals=market.spec.quote_decimals)
    return _Terms(kind=MARKET, time_in_force="IOC", quote_budget=budget)


def _units(params: Params, name: str, *, decimals: int) -> int:
    """Read a decimal exactly, in units of 10^-decimals; finer than that is too precise."""
    text = params.matching(name, DECIMAL) or ""
    units = parse_units(text, decimals=decimals)
    if units is None:
        raise refusals.too_precise(name)
    return units


def _steps(params: Params, name: str, *, decimals: int, step_units: int, failure: str) -> int:
    """Read a decimal as a whole number of the market's steps."""
    units = _units(params, name, decimals=max(decimals, DECIMALS_MAX))
    steps, rest = divmod(units, step_units * 10 ** (max(decimals, DECIMALS_MAX) - decimals))
    if rest or not 0 < steps <= UNITS_MAX:
        raise refusals.filter_failure(failure)
    return steps


def _ticks(params: Params, market: MarketInfo) -> int:
    spec = market.spec
    return _steps(
        params,
        "price",
        decimals=spec.price_decimals,
        step_units=spec.tick_units,
        failure="PRICE_FILTER",
    )


def _lots(params: Params, market: MarketInfo) -> int:
    spec = market.spec
    lots = _steps(
        params,
        "quantity",
        decimals=spec.size_decimals,
        step_units=spec.lot_units,
        failure="LOT_SIZE",
    )
    if not spec.min_lots <= lots <= spec.max_lots:
        raise refusals.filter_failure("LOT_SIZE")
    return lots


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
    order_id = params.whole("orderId")
    client_id = params.matching("origClientOrderId", CLIENT_ID)
    if order_id is None and client_id is None:
        raise refusals.one_of("origClientOrderId", "orderId")
    if order_id == 0:
        raise refusals.illegal_characters("orderId", WHOLE)
    return order_id or 0, client_id or ""
