"""Show or steer the processes: `manage.py services [--json] [stop|start|restart NAME]`."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange_site.ops import status
from exchange_site.ops.supervision import NoSupervisor


class Command(BaseCommand):
    """A door to exchange_site.ops.status."""

    help = "Show the processes, or stop, start, restart one (returns when done)."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take an act and a name, or nothing."""
        parser.add_argument("act", nargs="?", choices=["stop", "start", "restart"])
        parser.add_argument("name", nargs="?")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do the act, or print the table."""
        if options["act"]:
            self._act(options["act"], options["name"])
        elif options["json"]:
            self.stdout.write(json.dumps(status.document()))
        else:
            self.stdout.write(status.table())

    def _act(self, act: str, name: str | None) -> None:
        if not name:
            raise CommandError(f"services {act} needs a name")
        try:
            {"stop": status.stop, "start": status.start, "restart": status.restart}[act](name)
        except (status.UnknownService, NoSupervisor, TimeoutError) as error:
            raise CommandError(str(error)) from None
