"""The publisher of standings in a thread of the test's process, beside an edge in its loop."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from django.db import connections

from apps.common.config import config
from apps.common.redis_clients import cache_client
from apps.users.services.announcing import notify_standing
from apps.users.standing.publishing import Publisher
from apps.users.standing.running import keep_publishing


@contextlib.contextmanager
def published(*, beat_s: float = 5) -> Iterator[Publisher]:
    """Run a publisher until the block ends; it has read everything when the block begins."""
    cache = cache_client(config.text("REDIS_URL"), socket_timeout=1)
    publisher, stopping = Publisher(cache, beat_s=beat_s), threading.Event()
    is_up = threading.Event()

    def run() -> None:
        try:
            keep_publishing(publisher, stopping, say=lambda trouble: trouble or is_up.set())
        finally:
            connections.close_all()

    thread = threading.Thread(target=run, name="standing")
    thread.start()
    try:
        assert is_up.wait(10), "the publisher did not come up"
        yield publisher
    finally:
        stopping.set()
        notify_standing("0")  # Wakes it.
        connections.close_all()
        thread.join(timeout=10)
        cache.close()
