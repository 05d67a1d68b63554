"""A stage for toy workers on real servers: one place for plumbing, so that tests tell stories."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import Any

import msgspec
import redis

from apps.common.kernel.ids import StreamId, parse_stream_id
from apps.common.service import Service
from apps.journals import atomic, directory, keys, wire
from apps.journals.contracts import FrameRefused, LinkAdd
from apps.journals.deaths import Deaths
from apps.journals.history import History
from apps.journals.lease import LeaseTerms
from apps.journals.owner import Owner
from apps.journals.recorded import RecordedBatch
from apps.journals.recovery import Blueprint, bring_up
from apps.journals.replica import Replica
from apps.journals.standby import SnapshotPace, Standby
from tests.helpers.toy_machine import TOY_CODEC, ToyEvent, ToyMachine

START_NS = 1_700_000_000_000_000_000
_events = msgspec.msgpack.Decoder(list[ToyEvent | FrameRefused])
_replies = msgspec.msgpack.Decoder(wire.ReplyFrame)


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now_ns = START_NS

    def __call__(self) -> int:
        self.now_ns += 1_000
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        """Let time go by."""
        self.now_ns += int(seconds * 1e9)


class ToySource:
    """Someone who sends numbered frames, and may be made to repeat or to leave a gap."""

    def __init__(self, journal: redis.Redis, stream: str, source: bytes | None = None) -> None:
        self.source = source or secrets.token_bytes(8)
        self._journal = journal
        self._stream = stream
        self.number = 0

    def send(self, *commands: Any, number: int | None = None) -> StreamId:
        """Append one frame, with the next number unless another is said."""
        self.number = self.number + 1 if number is None else number
        raw = [
            command if isinstance(command, msgspec.Raw) else msgspec.Raw(wire.encode(command))
            for command in commands
        ]
        frame = wire.encode(wire.CommandFrame(self.source, self.number, raw))
        return self.append(frame)

    def append(self, frame: bytes) -> StreamId:
        """Append bytes that may be no frame at all."""
        return parse_stream_id(self._journal.xadd(self._stream, {keys.FRAME_FIELD: frame}))


class ToyWorker:
    """One toy worker: its record, its owner when there is one, and ways to look at both."""

    def __init__(
        self,
        journal: redis.Redis,
        var: Path,
        worker: str = "book:TOY",
        *,
        peers: tuple[str, ...] = (),
        make_machine: Any = ToyMachine,
    ) -> None:
        self.journal = journal
        self.worker = worker
        self.blueprint = Blueprint(
            worker, make_machine, TOY_CODEC, var / "archive", var / "snapshots"
        )
        self.clock = Clock()
        self.service = Service(name=worker, kind="toy", handle_signals=False, configure_logs=False)
        directory.found(journal, worker, [LinkAdd(peer) for peer in peers])
        self.owner: Owner | None = None

    # -- who moves it

    def start_owner(self, journal: redis.Redis | None = None) -> Owner:
        """Come up and claim the epoch, without waiting for any lease."""
        journal = journal or self.journal
        seen = atomic.read_epoch(journal, self.worker)
        epoch = atomic.claim_epoch(journal, self.worker, seen=seen)
        assert epoch is not None
        self.owner = self.owner_at(bring_up(self.blueprint, journal), epoch, journal)
        return self.owner

    def owner_at(self, replica: Replica, epoch: int, journal: redis.Redis | None = None) -> Owner:
        """Return an owner that goes on from this replica."""
        return Owner(
            replica,
            blueprint=self.blueprint,
            journal=journal or self.journal,
            epoch=epoch,
            service=self.service,
            deaths=Deaths(self.blueprint.snapshot_dir, self.worker, "a"),
            clock=self.clock,
        )

    def standby(self, cache: redis.Redis, *, member: str = "b", **terms: Any) -> Standby:
        """Return a standby that stands at the newest snapshot, or at genesis."""
        return Standby(
            self.blueprint.from_snapshot(self.journal),
            blueprint=self.blueprint,
            journal=self.journal,
            cache=cache,
            service=self.service,
            member=member,
            terms=LeaseTerms(**terms),
            pace=SnapshotPace(every_s=10**6, every_commands=10**9),
        )

    def run(self, *, turns_max: int = 1_000) -> None:
        """Let the owner take all that is there."""
        owner = self.owner or self.start_owner()
        for _ in range(turns_max):
            if not owner.turn(wait=False):
                return

    # -- who talks to it

    def source(self, kind: str = "commands", source: bytes | None = None) -> ToySource:
        """Return someone who writes to its commands or cancels."""
        stream = {"commands": keys.commands, "cancels": keys.cancels}[kind](self.worker)
        return ToySource(self.journal, stream, source)

    # -- what is on record

    def batches(self) -> list[RecordedBatch]:
        """Return all batches of the record, with their inputs."""
        found: list[RecordedBatch] = []
        history = History(self.journal, self.blueprint.archive_dir, self.worker)
        while batches := history.read(after=len(found)):
            found += batches
        return found

    def events(self) -> list[Any]:
        """Return all events of the record."""
        return [
            event
            for batch in self.batches()
            for event in (_events.decode(batch.outputs) if batch.outputs else ())
        ]

    def refusals(self) -> list[tuple[int, str]]:
        """Return index and code of all refused frames and commands."""
        return [(e.index, e.code) for e in self.events() if isinstance(e, FrameRefused)]

    def replies(self, source: bytes) -> list[wire.ReplyFrame]:
        """Return the reply frames that a source can read."""
        entries = self.journal.xrange(keys.replies(self.worker, source))
        return [_replies.decode(fields[keys.FRAME_FIELD]) for _, fields in entries]

    def replayed(self) -> Replica:
        """Replay everything from genesis."""
        replica = self.blueprint.at_genesis(self.journal)
        from apps.journals.recorded import apply_recorded

        for batch in self.batches():
            apply_recorded(replica, batch)
        return replica


def wait_until(claim: Any, *, for_s: float = 10.0, because: str = "") -> None:
    """Wait until a claim holds."""
    until = time.monotonic() + for_s
    while time.monotonic() < until:
        if claim():
            return
        time.sleep(0.02)
    raise AssertionError(f"not within {for_s} s: {because or claim}")
