"""Doors for Celery. Each may come twice, late, or not at all."""

from __future__ import annotations

from datetime import timedelta

import structlog
from celery import shared_task
from django.db import OperationalError
from django.utils import timezone

from apps.kyc import selectors
from apps.kyc.providers import provider_in_use
from apps.kyc.providers.base import ProviderAway
from apps.kyc.services import applications, checks, personal, statistics, verifications

FORGOTTEN_AFTER = timedelta(seconds=30)

_log = structlog.get_logger("fairbook.kyc")


@shared_task(
    acks_late=True,
    ignore_result=True,
    autoretry_for=(ProviderAway, OperationalError),
    retry_backoff=True,
    retry_backoff_max=60,
    max_retries=checks.TRIES_MAX,
)
def check(*, application_id: int, **_from_newer_senders: object) -> None:
    """Check one application that was submitted."""
    checks.run(application_id=application_id, provider=provider_in_use(), at=timezone.now())


@shared_task(acks_late=True, ignore_result=True)
def check_what_waits(**_from_newer_senders: object) -> None:
    """Check what a lost nudge, a dead worker or an absent provider left waiting."""
    since = timezone.now() - FORGOTTEN_AFTER
    for application_id in selectors.checks_that_wait(since=since):
        try:
            checks.run(application_id=application_id, provider=provider_in_use(), at=timezone.now())
        except ProviderAway:
            continue  # Counted; the next turn asks again.


@shared_task(acks_late=True, ignore_result=True)
def watch_the_clock(**_from_newer_senders: object) -> None:
    """Say aloud what is late."""
    statistics.watch(timezone.now())


@shared_task(acks_late=True, ignore_result=True)
def end_what_is_over(**_from_newer_senders: object) -> None:
    """End what ran out, tell who has to come again, and forget what nobody has to keep."""
    now = timezone.now()
    _log.info(
        "kyc.day.done",
        drafts_ended=applications.expire_idle(at=now),
        verifications_ended=verifications.end_run_out(at=now),
        people_told=len(verifications.warn(at=now)),
        applications_erased=personal.erase_due(at=now),
    )
