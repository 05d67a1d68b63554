"""What the whole exchange costs while only its bots trade: processor time and memory."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import psutil

from tests.bench.figures import Figures
from tests.helpers.stack import Stack

SETTLE_S = 15.0  # What only follows a start is none of idling.
SECONDS = 60.0


def run(stack: Stack, *, quick: bool = False) -> Figures:
    """Watch every process under the supervisor for a minute."""
    supervisor = psutil.Process(int((stack.var / "run" / "supervisord.pid").read_text()))
    time.sleep(2 if quick else SETTLE_S)
    used_before, started = _cpu_s(supervisor), time.monotonic()
    time.sleep(5 if quick else SECONDS)
    used, took = _cpu_s(supervisor) - used_before, time.monotonic() - started
    return {
        "idle.cpu_percent": round(100 * used / took, 1),  # Of one core.
        "idle.rss_mb": round(_pss_kb(supervisor) / 1024),
    }


def _family(supervisor: psutil.Process) -> list[psutil.Process]:
    return [supervisor, *supervisor.children(recursive=True)]


def _cpu_s(supervisor: psutil.Process) -> float:
    """Return what they and the children that they have buried used."""
    used = 0.0
    for process in _family(supervisor):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used += times.user + times.system + times.children_user + times.children_system
    return used


def _pss_kb(supervisor: psutil.Process) -> int:
    """Return their proportional set sizes: a page that several share is counted once."""
    total = 0
    for process in _family(supervisor):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
    return total
