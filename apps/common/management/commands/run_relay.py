"""`manage.py run_relay`: the process that publishes the outbox."""

from __future__ import annotations

from typing import Any

import psycopg
import redis
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from apps.common import audit_chain, outbox, relay
from apps.common.listening import connection_that_listens
from apps.common.redis_clients import journal_client
from apps.common.service import Service

POLL_S = 1.0
AWAY_S = 0.5


class Command(BaseCommand):
    """Publish commands that wait in the outbox as soon as they commit, and seal the audit log."""

    help = "Publish the outbox: commands that ride in database transactions."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until stopped: woken by NOTIFY, and once a second in any case."""
        service = Service(kind="relay", configure_logs=False)
        service.check("postgres", False, "connecting")
        service.check("journal", False, "connecting")
        while not service.stopping.is_set():
            try:
                self._listen(service)
            except (psycopg.Error, DatabaseError) as away:
                service.check("postgres", False, str(away).strip())
                close_old_connections()  # Else Django keeps asking the connection that broke.
                service.stopping.wait(AWAY_S)
        service.close()

    def _listen(self, service: Service) -> None:
        with journal_client() as journal, connection_that_listens("relay") as listening:
            listening.execute(f"LISTEN {outbox.CHANNEL}")
            while not service.stopping.is_set():
                pause_s = POLL_S
                try:
                    audit_chain.seal_new()
                    relay.publish_all(journal)
                    service.check("journal", True)
                except redis.RedisError as away:  # The frame keeps its number and is sent again.
                    service.check("journal", False, str(away))
                    pause_s = AWAY_S
                service.check("postgres", True)
                for _ in listening.notifies(timeout=pause_s, stop_after=1):
                    pass
