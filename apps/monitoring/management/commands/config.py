"""Show every setting: `manage.py config [--json | --env-example]`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.common import config


class Command(BaseCommand):
    """Prints the registry of settings; values of secrets are never shown."""

    help = "Show every setting with its value and default."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Choose the form of the answer."""
        parser.add_argument("--json", action="store_true")
        parser.add_argument("--env-example", action="store_true", help="print .env.example")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the table."""
        if options["env_example"]:
            self.stdout.write(config.env_example(), ending="")
            return
        table = config.config.table()
        if options["json"]:
            self.stdout.write(json.dumps(table))
            return
        for row in table:
            shown = "(secret)" if row["secret"] else row["value"]
            self.stdout.write(f"{row['name'].ljust(34)} {shown}")
