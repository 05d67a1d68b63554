"""A replica that goes through a worker's record batch by batch, and what it sees on the way.

Every batch is applied and compared in each byte by `apps.journals.recorded.apply_recorded`; this
adds stopping at a batch, and giving each batch's events to whoever folds them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import msgspec
import redis

from apps.common.config import config
from apps.journals import keys, wire
from apps.journals.codec import Codec
from apps.journals.contracts import FrameRefused
from apps.journals.machine import Machine
from apps.journals.recorded import Damage, RecordedBatch, apply_recorded, names_the_sequence
from apps.journals.recovery import Blueprint
from apps.journals.replica import Replica
from apps.risk.codec import RISK_CODEC
from apps.risk.contracts.events import RiskEvent
from apps.risk.engine import RiskMachine
from matching_worker.codec import BOOK_CODEC
from matching_worker.contracts.from_book import BookEvent
from matching_worker.engine import BookMachine

QUIET_BATCHES_MAX = 500
Fold = Callable[[RecordedBatch, Sequence[Any]], None]

_risk_events = msgspec.msgpack.Decoder(list[RiskEvent | FrameRefused])
_book_events = msgspec.msgpack.Decoder(list[BookEvent | FrameRefused])


def is_partition(worker: str) -> bool:
    """Whether a worker is a risk partition (else it is a book)."""
    return worker.startswith("risk:")


def number_of(worker: str) -> int:
    """Return a partition's number."""
    return int(worker.partition(":")[2])


def market_of(worker: str) -> str:
    """Return the market of a book."""
    return worker.partition(":")[2]


def machine_of(worker: str) -> tuple[Callable[[], Machine], Codec]:
    """Return what makes a worker's state machine, and what it reads."""
    if is_partition(worker):
        return partial(RiskMachine, number_of(worker)), RISK_CODEC
    return BookMachine, BOOK_CODEC


def blueprint_of(worker: str) -> Blueprint:
    """Return what it takes to replay a worker."""
    make_machine, codec = machine_of(worker)
    return Blueprint(
        worker,
        make_machine,
        codec,
        config.path("FAIRBOOK_ARCHIVE_DIR"),
        config.path("FAIRBOOK_SNAPSHOT_DIR"),
    )


def last_batch(journal: redis.Redis, worker: str) -> int:
    """Return the number of the last batch that a worker has written."""
    return int(journal.hget(keys.cursor(worker), "batch") or 0)


def last_batch_with_commands(journal: redis.Redis, worker: str) -> int:
    """Return the last batch that moved the sequence: `replay --at` of that sequence ends there.

    Looks at the newest batches only; where none of them holds a command, it is the last batch.
    """
    newest = cast("list[Any]", journal.xrevrange(keys.log(worker), count=QUIET_BATCHES_MAX))
    for _, fields in newest:
        try:
            header = wire.decode_header(wire.decode_sealed(fields[keys.LOG_FIELD_HEADER]).core)
        except (msgspec.MsgspecError, KeyError):
            break  # Damaged: the walk will name it.
        if header.last_seq >= header.first_seq:
            return header.batch
    return last_batch(journal, worker)


class Walk:
    """One worker's replica on its way through the record."""

    def __init__(
        self,
        worker: str,
        journal: redis.Redis,
        *,
        from_snapshot: bool,
        batch_max: int | None = None,  # Take no snapshot of a later batch.
    ) -> None:
        self.worker = worker
        self._blueprint = blueprint_of(worker)
        self._journal = journal
        self.replica: Replica = (
            self._blueprint.from_snapshot(journal, batch_max=batch_max)
            if from_snapshot
            else self._blueprint.at_genesis(journal)
        )
        self.start_batch = self.replica.batch
        self.commands = 0
        self._history = self._blueprint.history(journal)
        self._waiting: deque[RecordedBatch] = deque()
        self._decoder = _risk_events if is_partition(worker) else _book_events

    @property
    def machine(self) -> Any:
        """Return the state machine where the walk stands."""
        return self.replica.machine

    def to(self, batch: int, *, fold: Fold | None = None) -> None:
        """Apply everything up to and including this batch; raises Damage or Diverged by name."""
        while self.replica.batch < batch:
            recorded = self._next()
            if recorded is None:
                part = f"batch {self.replica.batch + 1} is not there, and {batch} was written"
                raise Damage(self.worker, keys.log(self.worker), part)
            self._apply(recorded, fold)

    def step(self, *, fold: Fold | None = None) -> bool:
        """Apply the next batch; False if there is none yet."""
        recorded = self._next()
        if recorded is None:
            return False
        self._apply(recorded, fold)
        return True

    def _apply(self, recorded: RecordedBatch, fold: Fold | None) -> None:
        before = self.replica.machine.seq
        with names_the_sequence(self.replica):
            apply_recorded(self.replica, recorded)
        self._waiting.popleft()
        self.commands += self.replica.machine.seq - before
        if fold is not None:
            events = self._decoder.decode(recorded.outputs) if recorded.outputs else ()
            fold(recorded, events)

    def _next(self) -> RecordedBatch | None:
        if not self._waiting:
            with names_the_sequence(self.replica):
                self._waiting.extend(self._history.read(after=self.replica.batch))
        return self._waiting[0] if self._waiting else None
