"""When and from where keys are used: noted by the request, written beside it once in a while."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import structlog
from django.db import InterfaceError, OperationalError, connections

from apps.users.contracts import KeyUse
from apps.users.services import keys

WRITE_EVERY_S = 5.0
WRITTEN_AGAIN_S = 60.0  # So long is a key that was written not written again by this process.

log = structlog.get_logger("fairbook.users")


class KeyUses:
    """The uses that one process has seen. A request notes; a task writes, in a thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._seen: dict[str, KeyUse] = {}
        self._written: dict[str, float] = {}
        self._lock = threading.Lock()

    def note(self, public_id: str, address: str) -> None:
        """Remember that a key signed a request just now."""
        use = KeyUse(public_id, self._clock(), address)
        with self._lock:
            self._seen[public_id] = use

    def take_due(self) -> list[KeyUse]:
        """Take what may be written now: of one key, at most once a minute."""
        now = self._clock()
        with self._lock:
            due = [
                use
                for use in self._seen.values()
                if now - self._written.get(use.public_id, 0.0) >= WRITTEN_AGAIN_S
            ]
            for use in due:
                del self._seen[use.public_id]
                self._written[use.public_id] = now
            for name in [n for n, at in self._written.items() if now - at >= WRITTEN_AGAIN_S]:
                del self._written[name]
        return due

    def write_due(self) -> None:
        """Write what is due. While PostgreSQL is away, nothing is: a later use is as good."""
        due = self.take_due()
        if not due:
            return
        try:
            keys.note_uses(due)
        except (OperationalError, InterfaceError) as error:
            log.warning("users.key_uses.not_written", reason=str(error).splitlines()[0][:200])
        finally:
            connections.close_all()

    async def keep_writing(self) -> None:
        """Write until cancelled."""
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            if self._seen:
                await asyncio.to_thread(self.write_due)
