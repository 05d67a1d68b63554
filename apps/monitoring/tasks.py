"""Doors for Celery: the verifier's tick."""

from __future__ import annotations

from functools import cache

import structlog
from celery import shared_task
from django.db import OperationalError
from redis import RedisError

from apps.common.redis_clients import cache_client, journal_client
from apps.monitoring.watch import Watch

_log = structlog.get_logger("fairbook.verify")


@cache
def _watch() -> Watch:
    """Return this process's watch: its replicas live as long as the process."""
    return Watch(journal_client(), cache_client())


@shared_task(acks_late=True, ignore_result=True)
def verify(**_from_newer_senders: object) -> None:
    """Go on verifying where the last tick stopped, and say what was found."""
    try:
        status = _watch().tick()
    except (OperationalError, RedisError) as away:  # Nothing is known: the page shows its age.
        _log.warning("verify.tick.server_away", error=str(away))
        return
    if not status.ok:
        _log.error("verify.tick.violated", first=status.first)
