"""A line in the log for each refused right and each limit that struck, and never a flood of them.

One who is refused again and again gets five lines a minute, and a process writes sixty in all; how
many were left out is a line of its own. No Django here.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog

EACH_MAX, ALL_MAX, PER_S = 5, 60, 60.0

_log = structlog.get_logger("fairbook.refusals")


class RefusalLog:
    """Writes what was refused, bounded."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._began = clock()
        self._of: Counter[tuple[str, str]] = Counter()
        self._left_out = 0

    def note(self, event: str, *, code: str, address: str, **words: Any) -> None:
        """Write a line, if this minute has room for it: by code and by who asks."""
        may_write, left_out = self._take(code, address)
        if left_out:
            _log.warning("refusals.left_out", times=left_out)
        if may_write:
            _log.warning(event, code=code, address=address, **words)

    def _take(self, code: str, address: str) -> tuple[bool, int]:
        """Say whether there is room, and how many lines of the minute before had none."""
        with self._lock:
            left_out = 0
            if (now := self._clock()) - self._began >= PER_S:
                left_out, self._left_out, self._began = self._left_out, 0, now
                self._of.clear()
            if self._of[code, address] >= EACH_MAX or self._of.total() >= ALL_MAX:
                self._left_out += 1
                return False, left_out
            self._of[code, address] += 1
            return True, left_out


in_use = RefusalLog()
