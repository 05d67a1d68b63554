"""What is done to the table of candles."""

from collections.abc import Iterable
from datetime import UTC, datetime

from apps.marketdata import candles
from apps.marketdata.keeper import Key
from apps.marketdata.models import Candle

AT_ONCE = 500
_VALUES = [
    "open_ticks",
    "high_ticks",
    "low_ticks",
    "close_ticks",
    "volume_lots",
    "quote_minor",
    "trades",
    "taker_buy_lots",
    "taker_buy_quote_minor",
    "first_trade",
    "last_trade",
]


def keep_candles(rows: Iterable[tuple[Key, candles.Candle]]) -> None:
    """Write candles over what was there of the same opening: the newest word is the whole truth."""
    Candle.objects.bulk_create(
        [_row(key, candle) for key, candle in rows],
        batch_size=AT_ONCE,
        update_conflicts=True,
        unique_fields=["market", "step_minutes", "opened_at"],
        update_fields=_VALUES,
    )


def _row(key: Key, candle: candles.Candle) -> Candle:
    market, step_minutes, open_ms = key
    return Candle(
        market=market,
        step_minutes=step_minutes,
        opened_at=datetime.fromtimestamp(open_ms // 1_000, UTC),
        open_ticks=candle.open,
        high_ticks=candle.high,
        low_ticks=candle.low,
        close_ticks=candle.close,
        volume_lots=candle.lots,
        quote_minor=int(candle.quote),
        trades=candle.trades,
        taker_buy_lots=candle.taker_lots,
        taker_buy_quote_minor=int(candle.taker_quote),
        first_trade=candle.first_id,
        last_trade=candle.last_id,
    )
