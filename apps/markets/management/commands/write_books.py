"""`manage.py write_books`: write the listed markets' part of the table of processes."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.markets import selectors, supervised


class Command(BaseCommand):
    """Write down which listed markets have books, from the database. `make up` does so."""

    help = "Write which listed markets have books, for the table of processes."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Do it."""
        supervised.write(selectors.book_table())
