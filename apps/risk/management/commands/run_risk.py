"""Run a risk partition's process. The worker itself is a plain module, free of Django."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    """Become `python -m apps.risk.worker`: this process gives its memory back and keeps its pid."""

    help = "Run one member (owner or standby) of a risk partition."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take what the worker takes."""
        parser.add_argument("--partition", type=int, required=True)
        parser.add_argument("--member", default="a")

    def handle(self, *_args: Any, partition: int, member: str, **_options: Any) -> None:
        """Replace this process by the worker's."""
        words = ["-m", "apps.risk.worker", "--partition", str(partition), "--member", member]
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606 - no shell is wanted
