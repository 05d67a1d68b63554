"""Make people who trade, with funds and keys: for benches and tests."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.errors import Refusal
from apps.orders import demo


class Command(BaseCommand):
    """Print the new traders as JSON, in the shape of var/demo.json's users."""

    help = "Make people who trade, with funds and keys (demo and test only)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Say how many, and how they are called."""
        parser.add_argument("--count", type=int, default=8)
        parser.add_argument("--prefix", required=True, help="logins are <prefix>1, <prefix>2, …")

    def handle(self, *_args: Any, count: int, prefix: str, **_options: Any) -> None:
        """Make them."""
        try:
            made = [demo.make_trader(f"{prefix}{number + 1}") for number in range(count)]
        except Refusal as refusal:
            raise CommandError(refusal.message) from None
        self.stdout.write(json.dumps(made))
