"""Found the workers, list the demo's markets, make its people. Safe to run again."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.redis_clients import journal_client
from apps.markets import demo as demo_markets
from apps.markets import services as markets
from apps.orders import demo


class Command(BaseCommand):
    """Seed the demo."""

    help = "Found the workers, list the demo's markets, make its people (demo and test only)."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Do it."""
        try:
            demo.check_is_demo()
            self._seed()
        except Refusal as refusal:
            raise CommandError(refusal.message) from None

    def _seed(self) -> None:
        wanted = config.words("FAIRBOOK_MARKETS")
        journal = journal_client()
        markets.found_partitions(journal)
        for asset in demo_markets.ASSETS:
            markets.name_asset(asset)
        for spec in demo_markets.MARKETS:
            if spec.symbol in wanted:
                markets.list_market(spec, journal=journal)
                markets.open_first(spec.symbol, reason="listed by seed_demo")
        people = demo.seed()
        self.stdout.write(f"seeded {len(people)} people; logins are in {demo.file()}")
