"""The clock: `python -m celery -A exchange_site.beat beat`. It sends names and loads no Django.

Its schedule is exchange_site/schedule.py, its memory of last runs a file under $FAIRBOOK_VAR/run.
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery, signals

from apps.common import logs
from apps.common.config import config
from apps.common.service import Service
from exchange_site.schedule import BEAT_SCHEDULE, TASK_ROUTES

app = Celery("fairbook-beat", broker=config.text("REDIS_URL"), set_as_current=False)
app.conf.update(
    beat_schedule=BEAT_SCHEDULE,
    beat_schedule_filename=str(config.path("FAIRBOOK_VAR") / "run" / "beat-schedule"),
    beat_max_loop_interval=5,
    broker_connection_retry_on_startup=True,
    broker_transport_options={"global_keyprefix": "celery:", "socket_timeout": 10},
    enable_utc=True,
    task_default_queue="default",
    task_ignore_result=True,
    task_routes=TASK_ROUTES,
    task_serializer="json",
    timezone="UTC",
)


@signals.setup_logging.connect
def use_our_logging(**_kwargs: Any) -> None:
    """Write JSON lines as every process does."""
    logs.configure(service=os.environ.get("FAIRBOOK_SERVICE", "beat"))


@signals.beat_init.connect
def serve_health(**_kwargs: Any) -> None:
    """Serve health once the clock runs. Celery keeps the signals."""
    service = Service(kind="beat", handle_signals=False, configure_logs=False)
    service.check("clock", True)
