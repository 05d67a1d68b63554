"""Open, pause or halt a market from a shell: an operator's decision, with its reason."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import Refusal
from apps.common.forms import REASON_LENGTH_MAX
from apps.markets import services
from apps.markets.forms import STATES


class Command(BaseCommand):
    """Tell a market's book which state it is to be in."""

    help = "Open, pause or halt a market; the book follows within a second."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say which market, which state, and why."""
        parser.add_argument("market", help="as BTC-USDT")
        parser.add_argument("state", choices=[state for state, _ in STATES])
        parser.add_argument("--reason", required=True, help="kept in the record for ever")

    def handle(self, *_args: Any, market: str, state: Any, reason: str, **_options: Any) -> None:
        """Set it."""
        if not 0 < len(reason) <= REASON_LENGTH_MAX:
            raise CommandError(f"A reason has 1 to {REASON_LENGTH_MAX} characters.")
        try:
            services.set_state(market, state, reason=reason, by="operator:shell")
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{market} is told: {state}")
