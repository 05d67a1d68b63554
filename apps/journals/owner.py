"""The owner of a worker: takes inputs, decides, and makes every batch durable before going on."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog

from apps.common.kernel.ids import StreamId
from apps.common.kernel.invariants import ensure
from apps.common.service import Service
from apps.journals import atomic, keys, metrics, wire
from apps.journals.deaths import Deaths
from apps.journals.inbox import Inbox
from apps.journals.machine import Input
from apps.journals.poison import find_poison, find_skip
from apps.journals.recorded import Damage
from apps.journals.recovery import Blueprint, bring_up
from apps.journals.replica import InputEntry, Replica
from apps.journals.tables import LinkBroken
from apps.journals.turn import SealedBatch

IDLE_BLOCK_MS = 1_000
BACKOFF_S = 0.25

_log = structlog.get_logger("fairbook.journals")


class Fenced(Exception):
    """Another owner has raised the epoch: this process has nothing more to say."""


class MemoryDoubted(Exception):
    """The record stands elsewhere than our memory: drop it, and come up the one way."""


class Stopped(Exception):
    """We were asked to stop while the journal was down: what was not written never happened."""


@dataclass(frozen=True)
class OnItsWay:
    """A batch that was sent and has no outcome yet."""

    batch: SealedBatch
    started: float  # By `time.perf_counter`.
    decided: float


class Owner:
    """Runs one worker under one epoch.

    While one batch is made durable the next one may be decided, if its inputs are here already. It
    is sent only when the one before is durable; if that fails, both are lost with this memory.
    """

    def __init__(
        self,
        replica: Replica,
        *,
        blueprint: Blueprint,
        journal: redis.Redis,
        epoch: int,
        service: Service,
        deaths: Deaths,
        is_overtaken: Callable[[], bool] = lambda: False,
        clock: Callable[[], int] = time.time_ns,
        reply_ttl_ms: int = atomic.REPLY_TTL_MS,
    ) -> None:
        self.replica = replica
        self.worker = blueprint.worker
        self.blocked_by: wire.CommandId | None = None
        self._blueprint = blueprint
        self._journal = journal
        self._epoch = epoch
        self._service = service
        self._deaths = deaths
        self._is_overtaken = is_overtaken
        self._clock = clock
        self._writer = atomic.Writer(journal, self.worker, reply_ttl_ms=reply_ttl_ms)
        self._inbox = Inbox(replica)
        self._skip_scan: StreamId = (0, 0)
        self._has_written = False
        self._on_its_way: OnItsWay | None = None
        self._stands_at = (replica.batch, replica.hash)  # The newest batch known to be durable.
        self._journal_is_down = False
        self._meters = metrics.of_worker(self.worker)

    def run(self) -> None:
        """Serve until asked to stop; raises Fenced, MemoryDoubted or what broke."""
        try:
            self._check_nothing_was_missed()
            while not self._service.stopping.is_set():
                if self._is_overtaken():
                    self._check_epoch()
                self.turn()
            self._settle()
        finally:
            self._writer.close()

    def turn(self, *, wait: bool = True) -> bool:
        """Read what came, and make a batch of it (or of a timer). True if there was something."""
        was_blocked = self.blocked_by is not None
        if self._on_its_way is None and not self._read(wait=wait):
            return True
        if not self._inbox.has_entries() and not self._is_due():
            return was_blocked and self.blocked_by is None
        started = time.perf_counter()
        batch = self._decide()
        if batch is None:
            return True
        decided = time.perf_counter()
        if self._on_its_way is not None:
            self._settle()
            self._read(wait=False)
        self._send(batch, started, decided)
        if not (self._has_written and self._inbox.has_entries()):
            self._settle()  # There is nothing to do meanwhile.
        return True

    # -- reading

    def _read(self, *, wait: bool) -> bool:
        """Wait for input or a timer. False if the journal does not answer."""
        also = {keys.commands(self.worker): self._skip_scan} if self.blocked_by else None
        try:
            block_ms = self._wait_ms() if wait else 0
            came = self._inbox.read(self._journal, block_ms=block_ms, also=also)
        except redis.RedisError as error:
            self._wait_for_journal(error)
            self._compare_cursor()
            return False
        for entries in came.values():
            self._look_for_skip(entries)
        self._journal_answers()
        return True

    def _wait_ms(self) -> int:
        due_ns = self.replica.machine.due_ns()
        if due_ns is None:
            return IDLE_BLOCK_MS
        return max(0, min(IDLE_BLOCK_MS, -(-(due_ns - self._clock()) // 1_000_000)))

    def _is_due(self) -> bool:
        due_ns = self.replica.machine.due_ns()
        return due_ns is not None and due_ns <= max(self._clock(), self.replica.at_ns)

    def _check_nothing_was_missed(self) -> None:
        """Claim that no input was trimmed before we took it: XREAD would skip it in silence."""
        for feed in self.replica.feeds():
            trimmed = atomic.read_trimmed(self._journal, keys.writer_of(feed.stream))
            if trimmed.get(feed.stream, (0, 0)) > self.replica.taken_up_to(feed.stream):
                raise Damage(self.worker, feed.stream, "trimmed beyond what was taken")

    def _check_epoch(self) -> None:
        """End at once, rather than at the next write, when another beats as a later owner."""
        epoch = atomic.read_epoch(self._journal, self.worker)
        if epoch != self._epoch:
            raise Fenced(f"{self.worker} is owned under epoch {epoch}, not {self._epoch}")

    # -- deciding

    def _decide(self) -> SealedBatch | None:
        """Apply what waits. None if a command broke a belief: the worker is rebuilt without it."""
        tried: list[tuple[str, InputEntry]] = []
        at_ns = self._clock()
        replica = self.replica
        if not self._has_written:
            self._deaths.trying(batch=replica.batch)
        try:
            replica.begin(at_ns)
            for stream, entry in self._inbox.entries():
                tried.append((stream, entry))
                if not replica.take(stream, *entry, bounded=True):
                    tried.pop()
                    break
                self._inbox.drop_first(stream)
                if replica.is_full():
                    break
            self._inbox.end_batch()
            return replica.finish(self._epoch)
        except LinkBroken:
            raise
        except Exception as error:
            _log.exception("journals.owner.belief_broken", worker=self.worker)
            self._settle()  # What is on its way was decided before, and well.
            self._quarantine(error, tried, at_ns)
            return None

    # -- poison

    def _quarantine(
        self, error: Exception, tried: list[tuple[str, InputEntry]], at_ns: int
    ) -> None:
        """Rebuild to the last header, name the command that broke it, and block its stream."""
        granted = self.replica.skips_waiting
        trial = self._rebuild(granted)
        poison = find_poison(trial, tried, at_ns=at_ns, epoch=self._epoch)
        if poison is None:
            raise error
        self.replica = self._rebuild(granted)
        self._inbox.start_over(self.replica)
        self._inbox.only, self._inbox.blocked_stream = Input.CANCELS, poison.stream
        self._skip_scan = self.replica.taken_up_to(keys.commands(self.worker))
        self.blocked_by = poison
        self._deaths.not_this_time()
        detail = f"{poison.stream} {poison.entry[0]}-{poison.entry[1]} #{poison.index}: {error}"
        _log.critical("journals.owner.blocked", worker=self.worker, poison=detail)
        self._service.check("poison", False, detail)
        self._meters.blocked.set(1)

    def _rebuild(self, granted: frozenset[wire.CommandId]) -> Replica:
        while True:
            try:
                replica = bring_up(self._blueprint, self._journal)
            except redis.RedisError as error:
                self._wait_for_journal(error)
                continue
            replica.skip(granted)
            return replica

    def _look_for_skip(self, entries: list[InputEntry]) -> None:
        """End the block when an operator has said to step over the command that caused it."""
        if not entries or self.blocked_by is None:
            return
        self._skip_scan = entries[-1][0]
        skip = find_skip(entries, self.blocked_by)
        if skip is None:
            return
        _log.warning("journals.owner.skipping", worker=self.worker, by=skip.by, reason=skip.reason)
        self.replica.skip([self.blocked_by])
        self.blocked_by = self._inbox.only = None
        self._inbox.blocked_stream = ""
        self._inbox.start_over(self.replica)
        self._service.check("poison", True)
        self._meters.blocked.set(0)

    # -- writing

    def _send(self, batch: SealedBatch, started: float, decided: float) -> None:
        """Put a batch on its way, and let go of what it was made from while the server writes."""
        ensure(self._on_its_way is None, "one batch at a time is on its way")
        self._on_its_way = OnItsWay(batch, started, decided)
        self._writer.send(batch)
        self.replica.let_go()

    def _settle(self) -> None:
        """Wait until what is on its way is durable. After a lost connection it is sent again."""
        sent = self._on_its_way
        if sent is None:
            return
        while True:
            try:
                outcome = self._writer.outcome()
            except redis.RedisError as error:
                self._wait_for_journal(error)
                self._writer.send(sent.batch)
                continue
            if outcome is atomic.Written.FENCED:
                raise Fenced(f"{self.worker} is owned under a later epoch than {self._epoch}")
            if outcome is atomic.Written.CONFLICT:
                raise MemoryDoubted(f"{self.worker}: the record does not stand before our batch")
            break
        self._on_its_way = None
        self._stands_at = (sent.batch.number, sent.batch.hash)
        self._journal_answers()
        if not self._has_written:
            self._has_written = True
            self._deaths.survived()
        decided_s, durable_s = sent.decided - sent.started, time.perf_counter() - sent.started
        self._meters.note(sent.batch, decided_s, durable_s)
        self._service.info(batch=sent.batch.number, seq=self.replica.machine.seq)

    def _wait_for_journal(self, error: redis.RedisError) -> None:
        """Say that the journal is down, and come back when it answers."""
        if not self._journal_is_down:
            self._journal_is_down = True
            self._service.check("journal", False, f"{type(error).__name__}: {error}")
        self._writer.close()  # The line for writing is as dead as the one that told us.
        pause_s = 0.02
        while not self._service.stopping.wait(pause_s):
            try:
                self._journal.ping()
            except redis.RedisError:
                pause_s = min(pause_s * 2, BACKOFF_S)
                continue
            if isinstance(error, redis.ResponseError):
                self._service.stopping.wait(BACKOFF_S)  # It answers, and refuses: do not spin.
            return
        raise Stopped

    def _journal_answers(self) -> None:
        if self._journal_is_down:
            self._journal_is_down = False
            self._service.check("journal", True)

    def _compare_cursor(self) -> None:
        """After an outage: go on only if the record stands where we wrote it to."""
        try:
            cursor = atomic.read_cursor(self._journal, self.worker)
        except redis.RedisError:
            return  # Down again; the next read comes back here.
        if cursor.batch == 0 and self._stands_at[0] == 0:
            return
        if (cursor.batch, cursor.hash) != self._stands_at:
            raise MemoryDoubted(f"{self.worker}: the record stands at batch {cursor.batch}")
