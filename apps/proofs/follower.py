"""Following one book: its own state machine again, and beside each batch the line for everyone.

The follower applies every batch as a standby does, so a line is only written for a batch whose
inside chain, inputs and outputs were found to be whole. What stands in the line is what the state
machine was given, in the order it was given, under the day's pseudonyms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import msgspec
import redis

from apps.common.kernel.invariants import ensure
from apps.journals.contracts import FrameRefused
from apps.journals.machine import Origin, Outputs
from apps.journals.recorded import RecordedBatch, apply_recorded
from apps.journals.recovery import Blueprint
from apps.journals.snapshots import Snapshots
from apps.proofs.contracts import OutsideHead
from apps.proofs.lines import Heard, Lines
from apps.proofs.spool import Place, Spool
from matching_worker.codec import BOOK_CODEC
from matching_worker.contracts.from_book import BookEvent
from matching_worker.engine import BookMachine
from matching_worker.engine.limits import LIMITS, Limits
from matching_worker.engine.ways import PURE, Way

KeepHeads = Callable[[Sequence[OutsideHead]], None]
_events = msgspec.msgpack.Decoder(list[BookEvent | FrameRefused])


class ListeningBook(BookMachine):
    """A book that also remembers what it was given in this batch."""

    def __init__(self, limits: Limits = LIMITS, way: Way = PURE) -> None:
        super().__init__(limits, way)
        self.heard: list[Heard] = []

    def apply(
        self, origin: Origin, commands: Sequence[msgspec.Struct], at_ns: int, out: Outputs
    ) -> None:
        """Remember, and do as a book does."""
        self.heard.append((origin, list(commands)))
        super().apply(origin, commands, at_ns, out)

    def take_heard(self) -> list[Heard]:
        """Return what was given since the last call."""
        taken, self.heard = self.heard, []
        return taken


class SecretChanged(Exception):
    """The secret is not the one that this day began with: its lines would contradict each other."""


class BookFollower:
    """One market's place in its book's record, and its lines so far."""

    def __init__(
        self,
        worker: str,
        journal: redis.Redis,
        *,
        archive_dir: Path,
        snapshot_dir: Path,
        spool: Spool,
        secret: bytes,
        keep: KeepHeads,
    ) -> None:
        self.worker, self.spool = worker, spool
        self._keep = keep
        place = spool.place
        self._lines = Lines(spool.market, secret, head=place.head, at_ns=place.at_ns)
        if place.batch and place.names != self._lines.mark:
            raise SecretChanged(
                f"{worker}: this day's pseudonyms are by another FAIRBOOK_PROOF_SECRET"
            )
        self._snapshots = Snapshots(snapshot_dir, worker)
        blueprint = Blueprint(worker, ListeningBook, BOOK_CODEC, archive_dir, snapshot_dir)
        self._history = blueprint.history(journal)
        self._replica = blueprint.from_snapshot(journal, batch_max=place.batch)
        self._has_kept = 0  # The last batch whose head is kept.
        self._catch_up()

    @property
    def batch(self) -> int:
        """The last batch that was followed."""
        return self._replica.batch

    def step(self) -> int:
        """Follow what is new, some batches at most; returns how many there were."""
        self._keep_the_unkept()
        batches = self._history.read(after=self._replica.batch)
        for batch in batches:
            self._follow(batch)
        self.spool.flush()
        return len(batches)

    def rest(self, now_ns: int) -> None:
        """Nothing new came: keep the head of a minute, and close a cut, that are over by now."""
        if self.spool.ends_minute(now_ns):
            self._keep_head()
        if self.spool.ends_cut(now_ns):
            self.spool.close_cut()

    def save(self) -> None:
        """Write a snapshot to come back to, behind lines that are durable."""
        self.spool.sync()
        self._snapshots.save(self._replica)

    # -- one batch

    def _follow(self, batch: RecordedBatch) -> None:
        at_ns, lines = batch.core.at_ns, []
        if self.spool.ends_minute(at_ns):
            self._keep_head()
        if self.spool.ends_cut(at_ns):
            self.spool.close_cut()
        if self.spool.is_new_day(at_ns):
            state = self._machine.dump()
            lines.append(self._lines.begin_day(at_ns=at_ns, batch=self._replica.batch, state=state))
        made = apply_recorded(self._replica, batch)
        lines.append(self._line_of(batch, made.hash))
        seq, lines_of = batch.core.last_seq, self._lines
        inside = made.hash.hex()
        place = Place(batch.number, seq, at_ns, lines_of.head, inside, lines_of.mark)
        self.spool.append(lines, place)

    def _line_of(self, batch: RecordedBatch, hash_: bytes) -> bytes:
        said = _events.decode(batch.outputs) if batch.outputs else []
        return self._lines.batch(
            batch.core, inside=hash_, heard=self._machine.take_heard(), said=said
        )

    # -- heads

    def _keep_head(self) -> None:
        """Keep the head behind the last batch, once its line is durable. Raises if it cannot."""
        if self.spool.place.batch > self._has_kept:
            self.spool.sync()
            self._keep([self.spool.head()])
            self._has_kept = self.spool.place.batch

    def _keep_the_unkept(self) -> None:
        if self.spool.unkept:
            self._keep([self.spool.head_of(place) for place in self.spool.unkept])
            self.spool.unkept = []

    # -- coming up

    def _catch_up(self) -> None:
        """Move the replica to where the lines end, and claim that they are of this record."""
        place = self.spool.place
        while self._replica.batch < place.batch:
            batches = self._history.read(after=self._replica.batch)
            ensure(bool(batches), f"{self.worker}: the lines go no further than the record")
            for batch in batches[: place.batch - self._replica.batch]:
                apply_recorded(self._replica, batch)
                self._machine.take_heard()
        same = not place.batch or self._replica.hash.hex() == place.inside
        ensure(same, f"{self.worker}: the lines are those of this record")

    @property
    def _machine(self) -> ListeningBook:
        return cast("ListeningBook", self._replica.machine)
