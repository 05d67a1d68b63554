"""Small sums for benches: percentiles, medians of several runs, and the disk's own speed."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

Figures = dict[str, float | int | str | None]


def percentile(values: list[float], share: float) -> float:
    """Return the value below which `share` (0…1) of the values lie, without interpolation."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def median_of(runs: int, measure: Callable[[], Figures]) -> Figures:
    """Run a measurement several times; return the median of each of its figures."""
    taken = [measure() for _ in range(runs)]
    return {
        name: statistics.median(run[name] for run in taken if run[name] is not None)  # type: ignore[type-var]
        for name in taken[0]
    }


def fsync_figures(folder: Path, *, writes: int = 2_000) -> Figures:
    """Time fdatasync of 200-byte appends in `folder`: what durable means on this disk."""
    took: list[float] = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(writes):
            file.write(bytes(200))
            file.flush()
            started = time.perf_counter()
            os.fdatasync(file.fileno())
            took.append((time.perf_counter() - started) * 1e6)
    return {"fsync_p50_us": percentile(took, 0.5), "fsync_p99_us": percentile(took, 0.99)}
