"""The door to Celery: "there may be something to settle". A nudge may be late, twice, or lost.

The publisher's loop only notes a partition; one thread sends, at most 5 times a second for each,
and piles up no more than a handful in a queue that nobody drains. Beat nudges every second anyway.
"""

import threading
from typing import Any

import structlog
from celery import Celery

from apps.common.redis_clients import cache_client

SETTLE = "apps.ledger.tasks.settle"
QUEUE = "settlement"
KEY_PREFIX = "celery:"  # As CELERY_BROKER_TRANSPORT_OPTIONS in the settings; a test compares them.
WINDOW_S = 0.2  # Fills within it are one nudge, and mostly one transaction.
PAUSE_S = 1.0  # After a failure the broker is left alone for so long.
WAITING_MAX = 50  # Nudges in the queue above which there is no use in one more.
EXPIRES_S = 5

_log = structlog.get_logger("fairbook.publisher")


def celery_sender(url: str) -> Celery:
    """Return a Celery application that knows nothing but where to send."""
    app = Celery("fairbook-publisher", broker=url, set_as_current=False, fixups=[])
    app.conf.update(
        broker_transport_options={
            "global_keyprefix": KEY_PREFIX,
            "socket_timeout": 2,
            "socket_connect_timeout": 2,
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0,
            "interval_max": 0,
        },
        broker_connection_retry=False,
        task_ignore_result=True,
        task_serializer="json",
    )
    return app


class Nudges:
    """Collects partitions and nudges their settlement from a thread of its own."""

    def __init__(self, url: str) -> None:
        self._app = celery_sender(url)
        self._queue = cache_client(url, socket_timeout=2)
        self._due: set[int] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="nudges", daemon=True)
        self.sent = 0
        self.failed = 0

    def start(self) -> None:
        """Begin to send."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more; what is noted and unsent is beat's to find."""
        self._stopping.set()
        self._wake.set()
        self._thread.join(timeout=5)
        self._queue.close()

    def note(self, partitions: set[int]) -> None:
        """Remember that these partitions may have something to settle. Never waits."""
        with self._lock:
            self._due |= partitions
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wake.wait()
            self._stopping.wait(WINDOW_S)
            if self._stopping.is_set():
                return
            with self._lock:
                due, self._due = self._due, set()
                self._wake.clear()
            self._send(sorted(due))

    def _send(self, partitions: list[int]) -> None:
        try:
            if self._queue.llen(KEY_PREFIX + QUEUE) >= WAITING_MAX:
                return
            for partition in partitions:
                self._nudge(partition=partition)
                self.sent += 1
        except Exception as away:
            self.failed += 1
            _log.warning("publisher.nudge.failed", error=f"{type(away).__name__}: {away}")
            self._stopping.wait(PAUSE_S)

    def _nudge(self, **kwargs: Any) -> None:
        self._app.send_task(
            SETTLE, kwargs=kwargs, queue=QUEUE, expires=EXPIRES_S, ignore_result=True, retry=False
        )
