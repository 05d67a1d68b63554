"""The Celery application of the workers: `python -m celery -A exchange_site.celery worker`.

Settings: exchange_site/settings/components/tasks.py. Queues and schedule: schedule.py.
A worker process serves health and metrics like every other process.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")

app = Celery("fairbook")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@signals.setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Django has set logging up already; having a receiver keeps Celery from doing it again."""


@signals.worker_ready.connect
def serve_health(**_kwargs: Any) -> None:
    """Serve health once the worker consumes. Celery keeps the signals."""
    from apps.common.service import Service

    service = Service(kind="celery", handle_signals=False, configure_logs=False)
    service.check("broker", True)


@signals.worker_shutting_down.connect
def say_stopping(**_kwargs: Any) -> None:
    """Leave readiness as soon as a stop is asked for."""
    from apps.common import service

    if (running := service.current()) is not None:
        running.stop()
