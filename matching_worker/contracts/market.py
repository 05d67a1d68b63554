"""What a market is, and the words its orders are described with."""

from typing import Annotated, Literal

import msgspec

RULES_NEWEST = 2
"""The newest rules version of books and partitions: new workers are told to follow it at once."""

Side = Literal["B", "S"]
BUY: Side = "B"
SELL: Side = "S"

OrderKind = Literal["L", "M"]
LIMIT: OrderKind = "L"
MARKET: OrderKind = "M"

TimeInForce = Literal["GTC", "IOC", "FOK"]

Liquidity = Literal["M", "T"]  # Maker rested, taker came.

MarketState = Literal[
    "pre_open", "auction", "post_only", "trading", "cancel_only", "halted", "delisted"
]

SelfTrade = Literal["T", "M", "B", "N"]
"""What ends when an order would trade with its own owner's: taker, maker, both, nothing."""

Trigger = Literal["", "stop", "profit"]
"""What an order waits for. "stop": the price runs against its side (up for a buy, down for a sell);
"profit": the other way."""

TriggerBy = Literal["last", "mark"]

EndReason = Literal["filled", "canceled", "expired", "refused"]
"""Why an order version ended. `expired`: what an IOC, FOK, market or capped order left over."""

Positive = Annotated[int, msgspec.Meta(gt=0, le=2**53)]
Whole = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]  # Times in nanoseconds need all 63 bits.
AccountNumber = Annotated[int, msgspec.Meta(gt=0, le=2**53)]
ClientId = Annotated[str, msgspec.Meta(min_length=1, max_length=36)]


class MarketSpec(msgspec.Struct, frozen=True, gc=False, kw_only=True, tag="market_spec.v1"):
    """A market's numbers. A tick times a lot is whole in quote minor units: no fill ever rounds."""

    symbol: str  # "BTC-USDT"; the trading dialect calls it "BTCUSDT".
    kind: Literal["spot"] = "spot"
    base: str
    quote: str
    base_decimals: Whole  # Minor units per base coin: 10^base_decimals.
    quote_decimals: Whole
    price_decimals: Whole
    tick_units: Positive = 1  # A tick is tick_units x 10^-price_decimals of quote per base.
    size_decimals: Whole
    lot_units: Positive = 1  # A lot is lot_units x 10^-size_decimals of base.
    quote_per_tick_lot: Positive  # Quote minor units of one lot at a price of one tick.
    base_per_lot: Positive  # Base minor units of one lot.
    min_lots: Positive
    max_lots: Positive
    min_notional: Positive  # In quote minor units.
    orders_per_account_max: Positive = 200
    band_ppm: Positive = 100_000  # A limit price may be this far from the reference, either way.
    reference_ticks: Positive  # The reference until the first trade: the oracle's price at listing.
    cut_s: Positive = 10  # Header time from the first trade after a cut to the next cut.
    maker_ppm: int = 1_000  # Fee rates of an account without a tier of its own, in millionths.
    taker_ppm: int = 1_500


class MarketStateSet(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="market_state_set.v1"
):
    """To a book: trade, or stop trading, with a reason that the record keeps."""

    state: MarketState
    reason: str


class BreakerSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="breaker_set.v1"):
    """To a book: pause by itself once a trade is this far from the published reference.

    It is `cancel_only` for a while, then `post_only`, then trades again. 0 ppm: never.
    """

    ppm: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
    cancel_only_s: Positive = 120
    post_only_s: Positive = 10


class MarkSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="mark_set.v1"):
    """To a book: the mark price, numbered; what is not newer than the last one is ignored."""

    number: Positive
    ticks: Positive


class ReferenceSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="reference_set.v1"):
    """To a book: the oracle's price, used while no trade of the last 5 minutes gives one."""

    ticks: Positive
