"""A word to a worker that something waits. It may be lost: beat finds what waits by itself."""

from __future__ import annotations

import structlog
from celery import current_app
from kombu.exceptions import OperationalError
from redis import RedisError

_log = structlog.get_logger("fairbook.kyc")


def check_soon(application_id: int) -> None:
    """Ask a worker to check an application. Call it after the commit."""
    try:
        current_app.send_task(
            "apps.kyc.tasks.check", kwargs={"application_id": application_id}, retry=False
        )
    except (OperationalError, RedisError, OSError) as away:
        _log.warning("kyc.nudge.lost", reason=str(away)[:200])
