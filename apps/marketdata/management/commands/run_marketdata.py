"""Run the process of market data, with candles kept in PostgreSQL."""

from typing import Any

from django.core.management.base import BaseCommand

from apps.marketdata import services, worker


class Command(BaseCommand):
    """Follow all books' logs; write depth, tape, tickers and candles; send the feeds."""

    help = "Run market data: depth, trades, tickers, candles and feeds from the books' logs"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until asked to stop."""
        keeper = services.CandleKeeper()
        keeper.start()
        try:
            worker.main(sink=keeper)
        finally:
            keeper.stop()
