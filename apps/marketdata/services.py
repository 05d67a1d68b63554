"""What is done to the table of candles, and the thread that does it without stalling a feed."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime

import structlog
from django.db import DatabaseError, close_old_connections, connection

from apps.marketdata import candles
from apps.marketdata.models import Candle

log = structlog.get_logger(__name__)

PACE_S = 1.0
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

Key = tuple[str, int, int]  # Market, step in minutes, opening time in ms.


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


class CandleKeeper:
    """Writes candles about once a second. While PostgreSQL is away they wait here."""

    def __init__(self) -> None:
        self._waiting: dict[Key, candles.Candle] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="candles", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, if the database answers, and end."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def put(self, market: str, minutes: list[candles.Candle], hours: list[candles.Candle]) -> None:
        """Take candles as they are now (copies: the process goes on changing its own)."""
        with self._lock:
            for step, some in ((1, minutes), (60, hours)):
                for candle in some:
                    self._waiting[market, step, candle.open_ms] = candles.copied(candle)

    def flush(self) -> None:
        """Write what waits; what cannot be written waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, {}
        try:
            keep_candles(sorted(taken.items(), key=lambda row: row[0]))
        except DatabaseError as error:
            log.warning("marketdata.candles.waiting", rows=len(taken), error=type(error).__name__)
            with self._lock:
                self._waiting = taken | self._waiting
            connection.close()

    def _run(self) -> None:
        while not self._stopping.wait(PACE_S):
            if self._waiting:
                close_old_connections()
                self.flush()
        if self._waiting:
            self.flush()
        connection.close()
