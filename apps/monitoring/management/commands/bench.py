"""`manage.py bench`: measure, write var/bench.json. Exit code 0 ok, 1 failed, 2 could not run."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.common.config import ROOT


class Command(BaseCommand):
    """The door to the benches, which live with the tests and are no part of what is installed."""

    help = "Measure the exchange on servers and processes of its own."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take which parts, and how thorough."""
        parser.add_argument("--only", help="some of the parts, like book,shard")
        parser.add_argument("--quick", action="store_true", help="small and once")

    def handle(self, *_args: Any, only: str | None, quick: bool, **_options: Any) -> None:
        """Run them as a program of their own, and leave with its code."""
        if not (ROOT / "tests" / "bench").is_dir():
            raise CommandError("there are no benches here", returncode=2)
        words = [*(["--only", only] if only else []), *(["--quick"] if quick else [])]
        done = subprocess.run(  # noqa: S603 - a list of words, and no shell
            [sys.executable, "-m", "tests.bench", *words], cwd=ROOT, check=False
        )
        sys.exit(done.returncode)
