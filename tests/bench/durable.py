"""A worker's owner on a journal server of its own, with every fsync on, and each frame timed."""

from __future__ import annotations

import contextlib
import gc
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import redis

from apps.common.config import config
from apps.common.redis_clients import lean_journal_client
from apps.common.service import Service
from apps.journals import atomic, directory, metrics
from apps.journals.deaths import Deaths
from apps.journals.inbox import Inbox
from apps.journals.owner import Owner
from apps.journals.process import BLOCK_TIMEOUT_S, blueprint_of
from apps.journals.recovery import Blueprint, bring_up
from apps.journals.replica import Replica
from apps.journals.turn import SealedBatch

STALLED_S = 60


@contextlib.contextmanager
def fresh_servers(*names: str) -> Iterator[redis.Redis]:
    """Run these embedded servers with empty data directories; yield a client of the journal."""
    from exchange_site.ops import places, servers

    config.generate_secrets()
    chosen = [server for server in servers.all_servers() if server.name in names]
    with contextlib.ExitStack() as running:
        for server in chosen:
            shutil.rmtree(server.data_dir, ignore_errors=True)
            server.prepare()
            log = running.enter_context((places.log_dir() / f"{server.name}.log").open("ab"))
            child = subprocess.Popen(
                server.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            running.callback(_end, child)
        servers.wait_until_answering(chosen)
        yield running.enter_context(lean_journal_client(socket_timeout=BLOCK_TIMEOUT_S))


def _end(child: subprocess.Popen[bytes]) -> None:
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=30)


class TimedInbox(Inbox):
    """Knows when each frame was read, until its batch is written."""

    def __init__(self, replica: Replica) -> None:
        super().__init__(replica)
        self.taken: list[float] = []  # When the frames of the open batch were read.
        self.decided: deque[list[float]] = deque()  # The same of batches that are not durable yet.
        self._read_at: dict[str, deque[float]] = {}

    def read(self, *args: Any, **options: Any) -> Any:
        """Read, and note the moment for each frame that came."""
        also = super().read(*args, **options)
        now = time.perf_counter()
        for stream, waiting in self._waiting.items():
            moments = self._read_at.setdefault(stream, deque())
            moments.extend([now] * (len(waiting) - len(moments)))
        return also

    def drop_first(self, stream: str) -> None:
        """Move the frame's moment to the open batch."""
        super().drop_first(stream)
        self.taken.append(self._read_at[stream].popleft())

    def end_batch(self) -> None:
        """Keep the batch's moments until it is written."""
        super().end_batch()
        self.decided.append(self.taken)
        self.taken = []


class Samples(metrics.WorkerMeters):
    """The worker's meters, which keep every single value as well."""

    def __init__(self, worker: str, inbox: TimedInbox) -> None:
        super().__init__(worker)
        self.decided_us: list[float] = []
        self.durable_us: list[float] = []
        self.batches: list[tuple[float, SealedBatch]] = []  # With the moment it was durable.
        self.cpu_s = 0.0  # Of this process, once `measured` has ended.
        self._inbox = inbox

    def note(self, batch: SealedBatch, decided_s: float, durable_s: float) -> None:
        """Keep, for each frame of the batch, the time since it was read."""
        written = time.perf_counter()
        decided = written - durable_s + decided_s
        super().note(batch, decided_s, durable_s)
        taken = self._inbox.decided.popleft()
        self.decided_us += [(decided - read) * 1e6 for read in taken]
        self.durable_us += [(written - read) * 1e6 for read in taken]
        self.batches.append((written, batch))


class TimedOwner:
    """One worker, founded, brought up and owned by this process."""

    def __init__(
        self,
        journal: redis.Redis,
        worker: str,
        *,
        make_machine: Callable[[], Any],
        codec: Any,
        genesis: Sequence[msgspec.Struct],
    ) -> None:
        directory.found(journal, worker, genesis)
        self.blueprint: Blueprint = blueprint_of(worker, make_machine, codec)
        replica = bring_up(self.blueprint, journal)
        self.owner = Owner(
            replica,
            blueprint=self.blueprint,
            journal=journal,
            epoch=atomic.claim_epoch(journal, worker, seen=0) or 0,
            service=Service("bench", handle_signals=False, configure_logs=False),
            deaths=Deaths(self.blueprint.snapshot_dir, worker, "a"),
        )
        self.samples = self._watch(worker)

    @property
    def machine(self) -> Any:
        return self.owner.replica.machine

    def _watch(self, worker: str) -> Samples:
        inbox = TimedInbox(self.owner.replica)
        samples = Samples(worker, inbox)
        self.owner._inbox, self.owner._meters = inbox, samples
        return samples

    def work_off(self, *, seq: int) -> None:
        """Serve until so many commands were applied since genesis."""
        moved_at, before = time.monotonic(), -1
        while self.machine.seq < seq:
            self.owner.turn()
            if self.machine.seq != before:
                moved_at, before = time.monotonic(), self.machine.seq
            elif time.monotonic() - moved_at > STALLED_S:
                raise RuntimeError(f"stalled at {before} of {seq}")

    @contextlib.contextmanager
    def measured(self) -> Iterator[Samples]:
        """Forget earlier samples, and keep the garbage collector out, as a worker does."""
        self.samples = self._watch(self.owner.worker)
        gc.collect()
        gc.freeze()
        gc.disable()
        before = time.process_time()
        try:
            yield self.samples
        finally:
            self.samples.cpu_s = time.process_time() - before
            gc.enable()
            gc.unfreeze()
