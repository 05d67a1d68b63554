"""Work that steps back: on a full machine it waits for those who answer somebody.

A standby follows and saves snapshots in a thread of lower priority, and its process owns with the
main thread's own: priorities are a thread's on Linux, and nobody without rights gets one back.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

NICE = 10
_Result = TypeVar("_Result")


def behind(work: Callable[[], _Result]) -> _Result:
    """Do the work in a thread that steps back; return what it returns, or raise what it raises."""
    with ThreadPoolExecutor(1, thread_name_prefix="behind", initializer=_step_back) as pool:
        return pool.submit(work).result()


def _step_back() -> None:
    now = os.getpriority(os.PRIO_PROCESS, 0)
    with contextlib.suppress(OSError):  # Elsewhere than on Linux it runs as it is.
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(19, now + NICE))
