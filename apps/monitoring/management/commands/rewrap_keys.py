"""`manage.py rewrap_keys`: seal under the key in use what another one has sealed (docs/keys.md).

Exit codes: 0 nothing is left · 1 something is, or no key that is set opens it.
"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.errors import Refusal
from apps.kyc.services import rewrapping as kyc
from apps.users import sealing
from apps.users.services import rewrapping
from apps.users.services.rewrapping import Rewrapped

COLUMNS = (*rewrapping.COLUMNS, *kyc.COLUMNS)
_SHOWN = 5


class Command(BaseCommand):
    """Change the key of keys, the part that takes long. It may be broken off and run again."""

    help = "Seal what is sealed under another key of keys under the one in use, in batches."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take how much at once, or whether to look only."""
        parser.add_argument("--batch", type=int, default=rewrapping.BATCH, help="rows at a time")
        parser.add_argument("--count", action="store_true", help="only say how much is left")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Go through all columns and say what became of each."""
        try:
            kyc.keep_index_key()
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(f"key in use: {sealing.key_in_use().number.hex()}")
        told = [self._one(column, options) for column in COLUMNS]
        for one in told:
            self.stdout.write(f"{one.column:40} {one.done:8} done {one.left:8} left")
        if any(one.left for one in told):
            raise CommandError(_what_is_left(told))
        self.stdout.write("Nothing in PostgreSQL needs another key. Listen keys do for an hour.")

    @staticmethod
    def _one(column: rewrapping.Column, options: dict[str, Any]) -> Rewrapped:
        if options["count"]:
            return rewrapping.count_left(column)
        return rewrapping.rewrap(column, batch=max(1, options["batch"]))


def _what_is_left(told: list[Rewrapped]) -> str:
    closed = [f"{one.column}: {one.closed[:_SHOWN]}" for one in told if one.closed]
    if not closed:
        return "Something is left; run it again."
    return "No key that is set opens these rows: " + "; ".join(closed)
