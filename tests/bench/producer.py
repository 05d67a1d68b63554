"""A process that writes frames made beforehand, at their moments or as fast as they are taken.

    with Producer(steps, worker="book:BTC-USDT", stream=...) as producer:
        producer.go(per_s=800)              # open loop: step k is due k/800 s after the start
        producer.go(window=16)              # closed: never more than 16 steps ahead of the worker
        ended = producer.wait()

It is forked before anything is measured, so that what it writes costs the measured process nothing.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Self

from apps.common.redis_clients import journal_client
from apps.journals import keys

HEAD_START_S = 0.2
NAP_S = 0.0001


@dataclass(frozen=True)
class Step:
    """What is written at one moment: entries as the server reads them."""

    packed: bytes
    entries: int


@dataclass(frozen=True)
class Go:
    """One run over all steps."""

    start: float  # By `time.perf_counter`, which all processes of a machine share on Linux.
    per_s: float | None
    window: int | None
    taken_before: int


def packed_entry(stream: str, entry: str, fields: Mapping[bytes, bytes]) -> bytes:
    """Return the XADD of one entry as it goes over the wire."""
    words = [b"XADD", stream.encode(), entry.encode()]
    for name, value in fields.items():
        words += (name, value)
    head = b"*%d\r\n" % len(words)
    return head + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


def step(entries: Iterable[bytes]) -> Step:
    """Put some packed entries into one step."""
    kept = list(entries)
    return Step(b"".join(kept), len(kept))


class Producer:
    """Writes its steps whenever it is told to."""

    def __init__(self, steps: Sequence[Step], *, worker: str, stream: str) -> None:
        """Fork. `stream`: the one whose n-th entry is in the n-th step, with the id `<n>-0`."""
        fork = multiprocessing.get_context("fork")
        self._wire, theirs = fork.Pipe()
        self._process = fork.Process(
            target=_serve, args=(theirs, steps, worker, stream), daemon=True
        )
        self._process.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._wire.send(None)
        self._process.join(timeout=10)

    def go(
        self, *, per_s: float | None = None, window: int | None = None, taken_before: int = 0
    ) -> float:
        """Start a run; return its first moment. `taken_before`: entries older than the steps."""
        start = time.perf_counter() + HEAD_START_S
        self._wire.send(Go(start, per_s, window, taken_before))
        return start

    def wait(self) -> float:
        """Return when the last step had been written."""
        ended: float = self._wire.recv()
        return ended


def _serve(wire: Connection, steps: Sequence[Step], worker: str, stream: str) -> None:
    while (go := wire.recv()) is not None:
        _run(steps, go, worker, stream)
        wire.send(time.perf_counter())


def _run(steps: Sequence[Step], go: Go, worker: str, stream: str) -> None:
    client = journal_client()
    connection: Any = client.connection_pool.get_connection()
    time.sleep(max(0.0, go.start - time.perf_counter()))
    done = 0
    while done < len(steps):
        allowed = len(steps)
        if go.window is not None:
            taken = client.hget(keys.cursor(worker), stream) or b"0-0"
            allowed = min(allowed, int(taken.partition(b"-")[0]) - go.taken_before + go.window)
        if go.per_s is not None:
            allowed = min(allowed, int((time.perf_counter() - go.start) * go.per_s) + 1)
        if allowed <= done:
            time.sleep(NAP_S)
            continue
        now = steps[done:allowed]
        connection.send_packed_command([b"".join(each.packed for each in now)])
        for _ in range(sum(each.entries for each in now)):
            connection.read_response()
        done = allowed
