"""The thread that keeps candles, so that a slow or absent database never stalls a feed.

It sets Django up when it has something to keep, and not before: the feeds speak a second or two
earlier after a restart.
"""

import threading

import structlog

from apps.marketdata.candles import Candle, copied

PACE_S = 1.0
Key = tuple[str, int, int]  # Market, step in minutes, opening time in ms.

log = structlog.get_logger("fairbook.marketdata")


class CandleKeeper:
    """Writes candles about once a second. While PostgreSQL is away they wait here."""

    def __init__(self) -> None:
        self._waiting: dict[Key, Candle] = {}
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

    def put(self, market: str, minutes: list[Candle], hours: list[Candle]) -> None:
        """Take candles as they are now (copies: the process goes on changing its own)."""
        with self._lock:
            for step, some in ((1, minutes), (60, hours)):
                for candle in some:
                    self._waiting[market, step, candle.open_ms] = copied(candle)

    def flush(self) -> None:
        """Write what waits; what cannot be written waits on."""
        from django.db import DatabaseError, InterfaceError, connection

        from apps.marketdata import services

        with self._lock:
            taken, self._waiting = self._waiting, {}
        try:
            services.keep_candles(sorted(taken.items(), key=lambda row: row[0]))
        except (DatabaseError, InterfaceError) as error:
            log.warning("marketdata.candles.waiting", rows=len(taken), error=type(error).__name__)
            with self._lock:
                self._waiting = taken | self._waiting
            connection.close()

    def _run(self) -> None:
        is_set_up = False
        while not self._stopping.wait(PACE_S):
            if self._waiting:
                if not is_set_up:
                    _set_django_up()
                    is_set_up = True
                self.flush()
        if self._waiting and is_set_up:
            self.flush()


def _set_django_up() -> None:
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")
    django.setup()
