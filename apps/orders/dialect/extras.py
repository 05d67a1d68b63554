"""What an order asks for beyond a plain one's terms: triggers, an end, a self-trade mode."""

from __future__ import annotations

from apps.markets.contracts import MarketInfo
from apps.orders.dialect import amounts, refusals, words
from apps.orders.dialect.params import Params
from matching_worker.contracts.to_book import OrderExtras
from matching_worker.engine.admission import TRAIL_PPM_MAX, TRAIL_PPM_MIN

PLAIN = OrderExtras()
TRAIL_BIPS_MIN = TRAIL_PPM_MIN // words.PPM_PER_BIP
TRAIL_BIPS_MAX = TRAIL_PPM_MAX // words.PPM_PER_BIP
NO_ACTIVATION = (
    "Activation prices are not offered: send either 'stopPrice' or 'trailingDelta', not both."
)
_OF_TRIGGERS = ("stopPrice", "trailingDelta", "workingType")
_NS_PER_MS = 1_000_000


def extras_of(params: Params, market: MarketInfo, kind: str, *, now_ns: int) -> OrderExtras:
    """Read what the parameters of one order ask for, its type being known."""
    if "icebergQty" in params:
        raise refusals.rejected("Iceberg orders are not supported for this symbol.")
    mode = params.raw("selfTradePreventionMode") or words.SELF_TRADE_DEFAULT
    self_trade = words.self_trade_of(mode)
    if self_trade is None:
        raise refusals.bad_value("selfTradePreventionMode")
    expires_ns = _good_till(params, now_ns=now_ns)
    if kind not in words.TRIGGER_TYPES:
        for name in _OF_TRIGGERS:
            params.unused(name)
        return OrderExtras(self_trade=self_trade, expires_ns=expires_ns)
    trigger_ticks, trail_ppm = _trigger(params, market, kind)
    working_type = params.raw("workingType") or "CONTRACT_PRICE"
    trigger_by = words.WORKING_TYPES.get(working_type)
    if trigger_by is None:
        raise refusals.bad_value(params.sent_as("workingType"))
    return OrderExtras(
        self_trade=self_trade,
        expires_ns=expires_ns,
        trigger=words.TRIGGER_TYPES[kind],
        trigger_by=trigger_by,
        trigger_ticks=trigger_ticks,
        trail_ppm=trail_ppm,
    )


def _trigger(params: Params, market: MarketInfo, kind: str) -> tuple[int, int]:
    """Return the price that sets the order off, or how far it trails; the other is 0."""
    stop, trail = params.raw("stopPrice"), params.raw("trailingDelta")
    if stop is not None and trail is not None:
        raise refusals.DialectRefusal(-1128, NO_ACTIVATION)
    if trail is not None and words.TRIGGER_TYPES[kind] == "profit":
        params.unused("trailingDelta")
    if stop is None and trail is None:
        raise refusals.one_of(params.sent_as("stopPrice"), params.sent_as("trailingDelta"))
    if stop is not None:
        return amounts.ticks(params, market, "stopPrice"), 0
    bips = params.whole("trailingDelta") or 0
    if not TRAIL_BIPS_MIN <= bips <= TRAIL_BIPS_MAX:
        raise refusals.filter_failure("TRAILING_DELTA")
    return 0, bips * words.PPM_PER_BIP


def _good_till(params: Params, *, now_ns: int) -> int:
    """Return the time (ns) until which the order stands, or 0 if it names none."""
    if params.raw("timeInForce") != "GTD":
        params.unused("goodTillDate")
        return 0
    params.needed("goodTillDate")
    until_ns = (params.moment("goodTillDate") or 0) * _NS_PER_MS
    if not now_ns < until_ns < 2**63:
        raise refusals.bad_value("goodTillDate")
    return until_ns
