"""`manage.py run_standing`: the process that keeps every account's standing on the cache."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from apps.common.config import config
from apps.common.redis_clients import cache_client
from apps.common.service import Service
from apps.users.standing.publishing import Publisher
from apps.users.standing.running import keep_publishing


class Command(BaseCommand):
    """Keep accounts' standings for the edges: new ones at once, and a beat in any case."""

    help = "Keep what every account may do on the cache, for the edges."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Run until stopped."""
        service = Service(kind="standing", configure_logs=False)
        cache = cache_client(socket_timeout=1, socket_connect_timeout=1)
        publisher = Publisher(cache, beat_s=config.integer("FAIRBOOK_STANDING_BEAT_S"))

        def say(trouble: str) -> None:
            service.check("postgres", not trouble, trouble)
            service.check("published", publisher.is_ready, "the cache does not hold everything")
            service.info(accounts=publisher.accounts)

        say("connecting")
        keep_publishing(publisher, service.stopping, say=say)
        service.close()
