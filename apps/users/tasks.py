"""Doors for Celery: mails leave, and what is over is forgotten. Each may run twice."""

from __future__ import annotations

import time

import structlog
from celery import shared_task
from django.db import OperationalError
from redis import RedisError

from apps.users.services import failed_tries, mail, open_sessions, proofs

MAILS_PER_RUN_MAX = 50
_log = structlog.get_logger("fairbook.users")


@shared_task(acks_late=True, ignore_result=True)
def send_mails(**_from_newer_senders: object) -> None:
    """Send the mails that are due. Beat asks every other second."""
    try:
        for _ in range(MAILS_PER_RUN_MAX):
            if not mail.send_next():
                return
    except OperationalError as away:  # Heals by itself; beat asks again.
        _log.warning("users.mail.database_away", error=str(away).splitlines()[0][:200])


@shared_task(acks_late=True, ignore_result=True)
def forget_what_is_over(**_from_newer_senders: object) -> None:
    """Drop old mails, old proofs, sign-ups that were never proven, and log-ins that ended."""
    mail.forget_old()
    proofs.forget_old()
    open_sessions.forget_ended()


@shared_task(acks_late=True, ignore_result=True)
def record_failed_tries(**_from_newer_senders: object) -> None:
    """Write failed log-ins into the audit log, bounded. Beat asks every ten seconds."""
    try:
        failed_tries.record(at=time.time())
    except (OperationalError, RedisError) as away:  # Heals by itself; beat asks again.
        _log.warning("users.failed_tries.away", error=str(away).splitlines()[0][:200])
