"""`manage.py run_lister`: the process that takes listings further."""

from __future__ import annotations

from typing import Any

import psycopg
import redis
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from apps.common.listening import connection_that_listens
from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import Service
from apps.markets import listings
from apps.markets.lister import Lister, Waits
from apps.markets.supervised import SupervisedBooks

POLL_S = 2.0  # Requests wake it by NOTIFY; this is for one that was not heard.
PACE_S = 0.1  # While something is under way.
AWAY_S = 0.5


class Command(BaseCommand):
    """Bring listed markets' books up and delisted ones down. Alone of all it steers processes."""

    help = "Take listings and delistings further, step by step."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until stopped."""
        service = Service(kind="lister", configure_logs=False)
        service.check("postgres", False, "connecting")
        while not service.stopping.is_set():
            try:
                self._listen(service)
            except (psycopg.Error, DatabaseError) as away:
                service.check("postgres", False, str(away).strip())
                close_old_connections()  # Else Django keeps asking the connection that broke.
                service.stopping.wait(AWAY_S)
            except redis.RedisError as away:
                service.check("journal", False, str(away))
                service.stopping.wait(AWAY_S)
            except Waits as reason:
                service.check("supervisor", False, str(reason))
                service.stopping.wait(POLL_S)
        service.close()

    def _listen(self, service: Service) -> None:
        with (
            journal_client() as journal,
            cache_client(socket_timeout=1) as cache,
            connection_that_listens("lister") as listening,
        ):
            listening.execute(f"LISTEN {listings.CHANNEL}")
            lister = Lister(journal, cache, SupervisedBooks())
            lister.hold()
            while not service.stopping.is_set():
                under_way = lister.turn()
                for name in ("postgres", "journal", "supervisor"):
                    service.check(name, True)
                for _ in listening.notifies(
                    timeout=PACE_S if under_way else POLL_S, stop_after=None if under_way else 1
                ):
                    pass
