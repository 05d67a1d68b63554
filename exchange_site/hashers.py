"""How passwords are hashed: a few at a time, and never on an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.contrib.auth.hashers import Argon2PasswordHasher

from apps.common.config import config
from apps.common.errors import Unavailable
from apps.common.kernel.invariants import ensure

WAITING_MAX, WAIT_S = 40, 4.0


class Turns:
    """Lets so many in at once, so many wait, and sends the others away (503, come again).

    A flood of log-ins takes `at_once` cores and as many times 19 MiB, and no more.
    """

    def __init__(self, at_once: int, *, waiting_max: int = WAITING_MAX) -> None:
        self._free = threading.Semaphore(at_once)
        self._places = threading.Semaphore(at_once + waiting_max)

    @contextmanager
    def take(self, *, wait_s: float = WAIT_S) -> Iterator[None]:
        """Wait for a turn and hold it."""
        if not self._places.acquire(blocking=False):
            raise Unavailable("Checking passwords", retry_after_s=5)
        try:
            if not self._free.acquire(timeout=wait_s):
                raise Unavailable("Checking passwords", retry_after_s=5)
            try:
                yield
            finally:
                self._free.release()
        finally:
            self._places.release()


turns = Turns(max(1, config.integer("FAIRBOOK_HASHES_AT_ONCE")))


def _is_on_a_loop() -> bool:
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return True
    return False


class Argon2id(Argon2PasswordHasher):
    """Argon2id at 19 MiB, two passes, one lane: 31 ms of CPU, a seventh of the default."""

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Hash a password, when it is its turn."""
        ensure(not _is_on_a_loop(), "a password is hashed in a thread")
        with turns.take():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Compare a password, when it is its turn."""
        ensure(not _is_on_a_loop(), "a password is hashed in a thread")
        with turns.take():
            return super().verify(password, encoded)
