"""How full the journals are: one value on the cache server, ten times a second.

Edges refuse new orders while it says so, and when it has been missing for two seconds; cancels,
links and orders that reduce pass.
"""

import shutil
import time
from pathlib import Path

import msgspec
import redis

from apps.journals import keys

KEY = "journal:pressure"
LIFE_MS = 1_000
MEGABYTE = 2**20


class Limits(msgspec.Struct, frozen=True):
    """At what size edges refuse."""

    journal_bytes: int = 300 * MEGABYTE
    stream_bytes: int = 64 * MEGABYTE
    disk_percent: int = 80


class WorkerPressure(msgspec.Struct):
    """How one worker's streams stand."""

    commands: int = 0  # Entries in its command stream, and so on.
    cancels: int = 0
    log: int = 0
    biggest_bytes: int = 0  # Of its streams, links included.
    batch: int = 0
    archived_batch: int = 0
    reason: str = ""  # Why it must be spared, or "".


class Pressure(msgspec.Struct):
    """What the archiver says."""

    refuse: bool
    reason: str
    at_ms: int
    journal_bytes: int
    disk_percent: int
    workers: dict[str, WorkerPressure]


class PressureGauge:
    """Measures the journal server: cheap counts each time, sizes in bytes once a second."""

    def __init__(
        self, journal: redis.Redis, cache: redis.Redis, archive_dir: Path, limits: Limits
    ) -> None:
        self._journal = journal
        self._cache = cache
        self._archive_dir = archive_dir
        self._limits = limits
        self._sized_at = float("-inf")
        self._biggest: dict[str, tuple[int, str]] = {}
        self._disk_percent = 0

    def publish(self, archived: dict[str, int]) -> Pressure:
        """Measure, and write the value. `archived`: per worker, the last batch in its archive."""
        if time.monotonic() - self._sized_at >= 1:
            self._sized_at = time.monotonic()
            self._measure_sizes(sorted(archived))
        pressure = self._measure(archived)
        self._cache.set(KEY, msgspec.msgpack.encode(pressure), px=LIFE_MS)
        return pressure

    def _measure(self, archived: dict[str, int]) -> Pressure:
        names = sorted(archived)
        pipeline = self._journal.pipeline(transaction=False)
        pipeline.info("memory")
        for worker in names:
            for stream in (keys.commands(worker), keys.cancels(worker), keys.log(worker)):
                pipeline.xlen(stream)
            pipeline.hget(keys.cursor(worker), "batch")
        memory, *counts = pipeline.execute()
        workers = {}
        for place, worker in enumerate(names):
            commands, cancels, log, batch = counts[place * 4 : place * 4 + 4]
            size, stream = self._biggest.get(worker, (0, ""))
            too_big = size > self._limits.stream_bytes
            workers[worker] = WorkerPressure(
                commands=commands,
                cancels=cancels,
                log=log,
                biggest_bytes=size,
                batch=int(batch or 0),
                archived_batch=archived[worker],
                reason=f"{stream} holds {size // MEGABYTE} MB" if too_big else "",
            )
        reason = self._reason(memory["used_memory"], workers)
        return Pressure(
            refuse=bool(reason),
            reason=reason,
            at_ms=time.time_ns() // 1_000_000,
            journal_bytes=memory["used_memory"],
            disk_percent=self._disk_percent,
            workers=workers,
        )

    def _reason(self, journal_bytes: int, workers: dict[str, WorkerPressure]) -> str:
        if journal_bytes > self._limits.journal_bytes:
            return f"the journals hold {journal_bytes // MEGABYTE} MB"
        if self._disk_percent > self._limits.disk_percent:
            return f"the archive's disk is {self._disk_percent} % full"
        return next((worker.reason for worker in workers.values() if worker.reason), "")

    def _measure_sizes(self, names: list[str]) -> None:
        streams = [
            (worker, stream)
            for worker in names
            for stream in (
                keys.commands(worker),
                keys.cancels(worker),
                keys.log(worker),
                *(keys.link(peer, worker) for peer in names if peer != worker),
            )
        ]
        pipeline = self._journal.pipeline(transaction=False)
        for _, stream in streams:
            pipeline.memory_usage(stream, samples=5)
        self._biggest = {}
        for (worker, stream), size in zip(streams, pipeline.execute(), strict=True):
            self._biggest[worker] = max(
                self._biggest.get(worker, (0, "")), (int(size or 0), stream)
            )
        usage = shutil.disk_usage(self._archive_dir)
        self._disk_percent = round(100 * (usage.total - usage.free) / usage.total)


def read_pressure(cache: redis.Redis) -> Pressure | None:
    """Return what the archiver said last, or None if it has been silent."""
    raw = cache.get(KEY)
    return None if raw is None else msgspec.msgpack.decode(raw, type=Pressure)  # type: ignore[arg-type]
