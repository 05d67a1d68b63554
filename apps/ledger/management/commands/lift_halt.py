"""`manage.py lift_halt`: a person has looked, and lets withdrawals or settlement go on."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.errors import Refusal
from apps.ledger import selectors, services

SETTLEMENT = "settle:"


class Command(BaseCommand):
    """Lift one reason for which withdrawals are stopped; a stopped settlement goes on."""

    help = "Lift a halt of withdrawals, with a name and a reason. Without a source: list them."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which halt, who lifts it, and why."""
        parser.add_argument("source", nargs="?", help="settle:risk:0, verify, …")
        parser.add_argument("--by", default="", help="who has looked")
        parser.add_argument("--reason", default="", help="what was found, and why it may go on")

    def handle(self, *_args: Any, **options: Any) -> None:
        """List the halts, or lift one."""
        source, by, reason = options["source"], options["by"], options["reason"]
        if source is None:
            for halt in selectors.halts():
                self.stdout.write(f"{halt.source}  since {halt.raised_at:%F %T}  {halt.reason}")
            return
        if not by or not reason:
            raise CommandError("--by and --reason stay in the record: both are needed")
        try:
            if source.startswith(SETTLEMENT):
                services.resume(source.removeprefix(SETTLEMENT), by=by, reason=reason)
            else:
                services.lift_halt(source=source, by=by, reason=reason)
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"{source} is lifted")
