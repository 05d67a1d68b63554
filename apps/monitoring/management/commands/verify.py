"""`manage.py verify`: do the books tie? Exit code 0 yes, 1 no (named), 2 could not check."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import redis
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseError

from apps.common.redis_clients import cache_client, journal_client
from apps.monitoring import verify
from apps.monitoring.contracts import Verified

COULD_NOT_CHECK = 2


class Command(BaseCommand):
    """Replay every journal from nothing and from a snapshot, and compare everything with it."""

    help = "Replay every journal and compare ledger, books and read models with it."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take `--json`."""
        parser.add_argument("--json", action="store_true", help="the whole result, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Verify, print, and leave with the code that says how it went."""
        try:
            with journal_client(socket_timeout=30) as journal, cache_client() as cache:
                found = verify.verify(journal, cache)
        except (redis.RedisError, DatabaseError, OSError) as away:
            self.stderr.write(f"could not check: {away}")
            sys.exit(COULD_NOT_CHECK)
        if options["json"]:
            self.stdout.write(msgspec.json.encode(found).decode())
        else:
            self._print(found)
        sys.exit(0 if found.ok else 1)

    def _print(self, found: Verified) -> None:
        for one in found.invariants:
            sign = {True: "ok", False: "VIOLATED", None: "not checked"}[one.ok]
            note = one.first or (one.skipped if one.ok is None else "") or ""
            self.stdout.write(f"{one.id:4} {sign:12} {one.checked:>9} checked  {note}".rstrip())
        off = {asset: amount for asset, amount in found.imbalance_minor.items() if amount != "0"}
        self.stdout.write(f"ledger off by {off or 0}")
        for worker, seq in found.at.items():
            hashes = found.hashes[worker]
            live = "no standby" if hashes.live is None else f"live {hashes.live[:12]}"
            genesis, snapshot = (hashes.genesis or "-")[:12], (hashes.snapshot or "-")[:12]
            self.stdout.write(f"{worker} #{seq}: genesis {genesis} snapshot {snapshot} {live}")
        verdict = "the books tie" if found.ok else "THE BOOKS DO NOT TIE"
        self.stdout.write(f"{verdict} ({found.seconds} s)")
