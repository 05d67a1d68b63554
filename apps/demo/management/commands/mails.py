"""manage.py mails: what a demo would have mailed, as JSON."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.users.services import mail


class Command(BaseCommand):
    """Print mails, newest first. In a demo they never leave the machine."""

    help = "Print the newest mails of a demo with their texts, as JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        """Take whose mails are wanted."""
        parser.add_argument("--to", default="", help="only mails to this address")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print them."""
        found = mail.newest_in_demo(to=options["to"])
        self.stdout.write(json.dumps(found, default=str, indent=1))
