"""Doors for Celery. A settlement task is a nudge: it may come twice, late, or not at all."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import OperationalError

from apps.ledger import services

_log = structlog.get_logger("fairbook.ledger")


@shared_task(acks_late=True, ignore_result=True)
def settle(*, partition: int, **_from_newer_senders: object) -> None:
    """Book what the partition's log holds beyond its cursor."""
    try:
        services.settle(partition=partition)
    except OperationalError as away:  # Heals by itself; beat nudges again in a second.
        services.settlement_away(partition=partition)
        _log.warning("ledger.settlement.database_away", partition=partition, error=str(away))
