"""Settlement: book the partitions' logs into the ledger, once and in order. Stop, never skip."""

from __future__ import annotations

import time
from collections.abc import Sequence

import msgspec
import redis
import structlog
from django.db import DataError, IntegrityError, InternalError, NotSupportedError, transaction
from django.db.models.functions import Now

from apps.common import relay
from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.ids import format_stream_id
from apps.common.kernel.invariants import InvariantBroken
from apps.common.redis_clients import cache_client, journal_client
from apps.journals import directory, keys, wire
from apps.journals.contracts import FrameRefused
from apps.journals.reader import Batch, LogReader
from apps.journals.recorded import Damage
from apps.ledger import lag, locks, metrics, rows
from apps.ledger.booking import (
    DIGEST_MODULUS,
    AccountKey,
    BatchNow,
    Booking,
    digest_of,
    moment,
    sum_name,
)
from apps.ledger.contracts import Settled
from apps.ledger.models import Cursor, CursorState, Halt
from apps.risk.contracts.events import Checkpoint, RiskEvent

FRAMES_PER_TRANSACTION = 128  # 512 at most: a short transaction keeps the lag short.
RUN_S = 20.0  # A run that is still behind after this ends; the next nudge goes on.

_decoder = msgspec.msgpack.Decoder(list[RiskEvent | FrameRefused])
_log = structlog.get_logger("fairbook.ledger")

# What PostgreSQL says when it refuses a row. (Anything else is a server that is away: ask again.)
_REFUSALS = (IntegrityError, DataError, InternalError, NotSupportedError)


class LogNotBookable(Exception):
    """The log and the ledger do not fit: a gap, another history, or sums that differ."""


# What stops a cursor until a person has looked.
_STOPS = (LogNotBookable, Damage, InvariantBroken, msgspec.DecodeError, *_REFUSALS)


class NothingToResume(Refusal):
    """The cursor of this worker is not stopped."""

    code = "nothing_to_resume"
    http_status = 409


def settle(*, partition: int, run_s: float = RUN_S) -> Settled:
    """Book what the partition's log holds beyond the cursor, some frames a transaction."""
    worker = keys.worker_of_partition(partition)
    with journal_client() as journal, cache_client() as cache:
        begin(worker, partition=partition, journal=journal)
        return _Drain(worker, journal, cache).run(until=time.monotonic() + run_s)


def begin(worker: str, *, partition: int, journal: redis.Redis) -> None:
    """Make the cursor of a partition that settles for the first time, before its first batch."""
    if Cursor.objects.filter(worker=worker).exists():
        return
    try:
        genesis = directory.genesis_of(journal, worker)
    except directory.NotFounded:
        return  # There is no such partition yet.
    Cursor.objects.bulk_create(
        [
            Cursor(
                worker=worker,
                partition=partition,
                hash=wire.genesis_hash(genesis),
                digest=bytes(wire.HASH_BYTES),
            )
        ],
        ignore_conflicts=True,
    )


@transaction.atomic(durable=True)
def stop(worker: str, *, reason: str) -> None:
    """Stop a partition's cursor and all withdrawals, and keep why."""
    cursor = locks.lock_cursor(worker)
    if cursor is not None:
        cursor.state, cursor.reason = CursorState.STOPPED, reason
        cursor.save(update_fields=["state", "reason", "moved_at"])
    _raise_halt(f"settle:{worker}", reason)
    metrics.STOPPED.labels(worker).set(1)
    _log.critical("ledger.settlement.stopped", worker=worker, reason=reason)


@transaction.atomic(durable=True)
def resume(worker: str, *, by: str, reason: str) -> None:
    """Let a stopped cursor go on, and withdrawals too if nothing else stops them."""
    cursor = locks.lock_cursor(worker)
    if cursor is None or cursor.state != CursorState.STOPPED:
        raise NothingToResume("This partition's settlement is not stopped.", worker=worker)
    cursor.state, cursor.reason = CursorState.RUNNING, ""
    cursor.save(update_fields=["state", "reason", "moved_at"])
    _lift_halt(f"settle:{worker}", by=by, reason=reason)
    _log.warning("ledger.settlement.resumed", worker=worker, by=by, reason=reason)


@transaction.atomic
def halt_withdrawals(*, source: str, reason: str) -> None:
    """Stop withdrawals for a reason that a person has to lift. Saying it again changes nothing."""
    if _raise_halt(source, reason):
        _log.critical("ledger.withdrawals.stopped", source=source, reason=reason)


@transaction.atomic
def lift_halt(*, source: str, by: str, reason: str) -> None:
    """Take back one reason for which withdrawals are stopped."""
    _lift_halt(source, by=by, reason=reason)
    _log.warning("ledger.withdrawals.resumed", source=source, by=by, reason=reason)


def _raise_halt(source: str, reason: str) -> bool:
    _, is_new = Halt.objects.get_or_create(
        source=source, lifted_at=None, defaults={"reason": reason}
    )
    return is_new


def _lift_halt(source: str, *, by: str, reason: str) -> None:
    Halt.objects.filter(source=source, lifted_at=None).update(
        lifted_at=Now(), lifted_by=by, lift_reason=reason
    )


class _Drain:
    """One run of settlement over one partition's log."""

    def __init__(self, worker: str, journal: redis.Redis, cache: redis.Redis) -> None:
        self._worker = worker
        self._journal = journal
        self._cache = cache
        self._reader: LogReader | None = None
        self._read_to = -1  # The batch that the reader has handed out last.
        self._batches = 0
        self._entries = 0
        self._seq = 0

    def run(self, *, until: float) -> Settled:
        """Book chunk after chunk until the log or the run ends, or something must not be."""
        while True:
            try:
                more = self._book_next([])
            except _STOPS:
                return self._stop_before_the_first_bad()
            if not more:
                return self._settled()
            if time.monotonic() > until:
                return self._settled(is_behind=True)

    @transaction.atomic(durable=True)
    def _book_next(self, chunk: list[Batch], *, count: int = 0) -> bool:
        """Book up to `count` frames and move the cursor with them. False at the end of the log."""
        count = count or FRAMES_PER_TRANSACTION
        cursor = locks.try_lock_cursor(self._worker)
        if cursor is None or cursor.state == CursorState.STOPPED:
            return False  # Another settles it now, or a person has to look first.
        chunk.extend(self._read_after(cursor.batch, count))
        entries = self._book(cursor, chunk) if chunk else 0
        is_end = len(chunk) < count
        late_s = time.time() - chunk[-1].header.at_ns / 1e9 if chunk and not is_end else 0.0
        transaction.on_commit(lambda: self._booked(cursor, len(chunk), entries, late_s))
        return not is_end

    def _read_after(self, batch: int, count: int) -> Sequence[Batch]:
        if self._reader is None or self._read_to != batch:
            archive = config.path("FAIRBOOK_ARCHIVE_DIR")
            self._reader = LogReader(self._journal, archive, workers={self._worker: batch})
        found = self._reader.read(block_ms=0, count=count)
        self._read_to = found[-1].number if found else batch
        return found

    def _book(self, cursor: Cursor, chunk: Sequence[Batch]) -> int:
        """Book these batches and move the cursor past them. Returns how many entries that made."""
        booking, entries = _booking_for(cursor), 0
        for batch in chunk:
            _check_follows(cursor, batch)
            now = BatchNow(batch.number, batch.hash, moment(batch.header.at_ns))
            for event in batch.events(_decoder):
                if isinstance(event, Checkpoint):  # First in its batch: of all that came before.
                    entries += _write(cursor, booking)
                    booking = _booking_for(cursor)
                    _check_checkpoint(cursor, event)
                elif isinstance(event, FrameRefused):
                    _give_again(cursor.worker, event)
                else:
                    booking.take(event, now)
            cursor.batch, cursor.hash = batch.number, batch.hash
            cursor.seq, cursor.at_ns = batch.header.last_seq, batch.header.at_ns
        entries += _write(cursor, booking)
        cursor.save()
        return entries

    def _booked(self, cursor: Cursor, batches: int, entries: int, late_s: float) -> None:
        self._batches += batches
        self._entries += entries
        self._seq = cursor.seq
        metrics.BATCHES.labels(self._worker).inc(batches)
        metrics.ENTRIES.labels(self._worker).inc(entries)
        metrics.SEQ.labels(self._worker).set(cursor.seq)
        metrics.LAG_SECONDS.labels(self._worker).set(late_s)
        metrics.STOPPED.labels(self._worker).set(0)
        lag.publish(self._cache, worker=self._worker, lag_s=late_s)

    def _stop_before_the_first_bad(self) -> Settled:
        """Book what is good of a chunk that failed, batch by batch, and stop at what is not."""
        self._reader = None
        for _ in range(FRAMES_PER_TRANSACTION):
            one: list[Batch] = []
            try:
                if not self._book_next(one, count=1):
                    break
            except _STOPS as error:
                batch = f"batch {one[0].number}: " if one else ""
                stop(self._worker, reason=f"{batch}{str(error).strip()}")
                return self._settled(stopped=str(error))
        return self._settled(is_behind=True)  # It went through this time: the next nudge goes on.

    def _settled(self, *, is_behind: bool = False, stopped: str = "") -> Settled:
        return Settled(
            worker=self._worker,
            batches=self._batches,
            entries=self._entries,
            seq=self._seq,
            is_behind=is_behind,
            stopped=stopped,
        )


def _give_again(worker: str, refused: FrameRefused) -> None:
    """Have the relay send a frame of its own again that the partition could not take."""
    if refused.stream == keys.commands(worker) and refused.code in ("unknown_source", "gap"):
        relay.give_again(worker, entry=format_stream_id(refused.entry))


def _write(cursor: Cursor, booking: Booking) -> int:
    balances = rows.write(booking)
    _check_totals(booking, balances)
    _move_sums(cursor, booking, balances)
    cursor.markets = booking.markets
    return len(booking.entries)


def _booking_for(cursor: Cursor) -> Booking:
    markets = {symbol: (base, quote) for symbol, (base, quote) in cursor.markets.items()}
    return Booking(cursor.partition, markets)


def _check_follows(cursor: Cursor, batch: Batch) -> None:
    """Refuse anything but the next batch of the history that is booked."""
    if batch.number != cursor.batch + 1:
        raise LogNotBookable(f"a gap: batch {batch.number} follows {cursor.batch}")
    if batch.prev != bytes(cursor.hash):
        raise LogNotBookable(
            f"another history: batch {batch.number} does not follow what is booked"
        )


def _check_totals(booking: Booking, balances: dict[AccountKey, int]) -> None:
    """Compare every balance that moved with what the partition says it is."""
    for key, amount in balances.items():
        said = booking.totals.get((key.number, key.asset))
        if key.kind == "customer" and said is not None and said != amount:
            raise LogNotBookable(
                f"account {key.number} has {amount} {key.asset} here and {said} at its partition"
            )


def _move_sums(cursor: Cursor, booking: Booking, balances: dict[AccountKey, int]) -> None:
    """Keep a checkpoint's digest and sums by what this booking changed."""
    digest = int.from_bytes(bytes(cursor.digest), "big")
    sums = {name: int(amount) for name, amount in cursor.sums.items()}
    for key, change in booking.moved.items():
        name = f"{sum_name(key)}|{key.asset}"
        sums[name] = sums.get(name, 0) + change
        if key.kind == "customer":
            now = balances[key]
            digest += digest_of(key.number, key.asset, now)
            digest -= digest_of(key.number, key.asset, now - change)
    cursor.digest = (digest % DIGEST_MODULUS).to_bytes(32, "big")
    cursor.sums = {name: str(amount) for name, amount in sorted(sums.items()) if amount}


def _check_checkpoint(cursor: Cursor, checkpoint: Checkpoint) -> None:
    """Compare with what the partition came to at this very point."""
    if checkpoint.seq != cursor.seq:
        raise LogNotBookable(f"the checkpoint of {checkpoint.seq} came at {cursor.seq}")
    said = {f"{entry.kind}|{entry.asset}": str(int(entry.amount)) for entry in checkpoint.sums}
    for name in sorted({*said, *cursor.sums}):
        here, there = cursor.sums.get(name, "0"), said.get(name, "0")
        if here != there:
            raise LogNotBookable(
                f"checkpoint {checkpoint.seq}: {name} is {here} here and {there} at its partition"
            )
    if checkpoint.digest != bytes(cursor.digest):
        raise LogNotBookable(f"checkpoint {checkpoint.seq}: balances differ from the partition's")
    cursor.checkpoint_seq = checkpoint.seq
    cursor.checkpoints += 1


def settlement_away(*, partition: int) -> None:
    """Say that PostgreSQL does not answer: no lag is known, and trading goes on."""
    with cache_client() as cache:
        lag.withdraw(cache, worker=keys.worker_of_partition(partition))
