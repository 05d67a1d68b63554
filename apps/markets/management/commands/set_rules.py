"""Let workers of an older build's making follow this build's rules: an operator's decision."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.redis_clients import journal_client
from apps.journals import directory
from apps.markets import services
from matching_worker.contracts.market import RULES_NEWEST


class Command(BaseCommand):
    """Send a `RulesSet` to one worker, or to all."""

    help = "Raise the rules version that books and partitions follow (docs/matching-rules.md)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say which version, and to whom."""
        parser.add_argument("number", type=int, nargs="?", default=RULES_NEWEST)
        parser.add_argument("--worker", help="one worker, as book:BTC-USDT; else all")

    def handle(self, *_args: Any, number: int, worker: str | None, **_options: Any) -> None:
        """Send it."""
        known = sorted(directory.workers(journal_client()))
        if not 0 < number <= RULES_NEWEST:
            raise CommandError(f"This build knows the rules 1 to {RULES_NEWEST}.")
        if worker is not None and worker not in known:
            raise CommandError(f"There is no worker {worker}; there are {', '.join(known)}.")
        for name in known if worker is None else [worker]:
            services.set_rules(number, worker=name)
            self.stdout.write(f"{name} follows rules {number} from its next batch on")
