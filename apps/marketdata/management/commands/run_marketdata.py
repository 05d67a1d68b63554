"""Run the process of market data. It is a plain module: Django comes later, for its candles."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Become `python -m apps.marketdata.worker`: the same process, with its memory given back."""

    help = "Run market data: depth, trades, tickers, candles and feeds from the books' logs"
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Replace this process by the worker's."""
        words = [sys.executable, "-m", "apps.marketdata.worker"]
        os.execv(sys.executable, words)  # noqa: S606 - no shell is wanted
