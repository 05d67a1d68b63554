"""Publishes the outbox: every row not yet marked sent, numbered before it is sent.

A frame's source and number are stored with its rows before the frame leaves, so a relay that dies
in between sends the same frame again and the worker drops the repeat. Rows are found by "not sent",
never by "id above my last": ids are given out before their transactions commit.

A worker forgets a silent source after 10 minutes of its time, so after 5 the relay starts a new
one. A frame that got its number so long ago, and may or may not have left, is looked for in the
stream first.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, cast

import msgspec
import redis
import structlog
from django.db import transaction
from django.utils import timezone

from apps.common import audit, locks
from apps.common.models import OutboxMessage, OutboxSource
from apps.journals import keys, wire

SILENCE = timedelta(minutes=5)
CLOCKS_DIFFER = timedelta(minutes=1)  # Between PostgreSQL and the journal server, at most.
_SCAN = 500
EVENTS_KEPT = 100_000  # Frames.

_Entries = list[tuple[bytes, dict[bytes, bytes]]]

_frames = msgspec.msgpack.Decoder(wire.CommandFrame)
_log = structlog.get_logger("fairbook.relay")


def publish_all(journal: redis.Redis) -> int:
    """Send everything that waits, and return how many commands left."""
    sent = 0
    for worker in _workers_with_mail():
        while count := publish_frame(worker, journal):
            sent += count
    return sent


def publish_frame(worker: str, journal: redis.Redis) -> int:
    """Send the next frame to a worker; return how many commands it held (0: nothing waits)."""
    rows = _next_frame(worker)
    if rows and _is_old(worker):
        if (entry := _find_in_stream(rows[0], journal)) is not None:
            return _mark_sent(rows[0], entry)
        _number_anew(rows)
        rows = _next_frame(worker)
    if not rows:
        return 0
    commands = [msgspec.Raw(bytes(row.body)) for row in rows]
    frame = wire.CommandFrame(bytes(rows[0].source or b""), rows[0].frame or 0, commands)
    # Events have no worker whose archive would let the stream be trimmed: the newest are kept.
    kept = EVENTS_KEPT if worker == audit.EVENTS else None
    sent = journal.xadd(keys.commands(worker), {keys.FRAME_FIELD: wire.encode(frame)}, maxlen=kept)
    return _mark_sent(rows[0], cast("bytes", sent))


def give_again(worker: str, *, entry: str) -> int:
    """Queue a frame's commands once more, under a new source: the worker had forgotten the old."""
    with transaction.atomic():
        refused = OutboxMessage.objects.filter(worker=worker, entry=entry)
        count = refused.update(source=None, frame=None, entry="", sent_at=None)
        if count:
            OutboxSource.objects.filter(worker=worker).update(
                source=secrets.token_bytes(wire.SOURCE_BYTES), number=0, started_at=timezone.now()
            )
            _log.warning("relay.frame.refused", worker=worker, entry=entry, commands=count)
    return count


def _workers_with_mail() -> list[str]:
    waiting = OutboxMessage.objects.filter(sent_at=None)
    return list(waiting.order_by("worker").values_list("worker", flat=True).distinct())


@transaction.atomic(durable=True)
def _next_frame(worker: str) -> list[OutboxMessage]:
    """Return the oldest frame that has a number and is not marked sent, or number a new one."""
    OutboxSource.objects.get_or_create(
        worker=worker, defaults={"source": secrets.token_bytes(wire.SOURCE_BYTES)}
    )
    source = locks.try_lock_source(worker)
    if source is None:
        return []  # Another relay is at it.
    waiting = OutboxMessage.objects.filter(worker=worker, sent_at=None)
    begun = waiting.filter(frame__isnull=False).order_by("id").first()
    if begun is not None:
        return list(waiting.filter(source=begun.source, frame=begun.frame).order_by("id"))
    rows = list(waiting.order_by("id")[: wire.RELAY_FRAME_COMMANDS_MAX])
    if rows:
        _number(source, rows)
    return rows


def _number(source: OutboxSource, rows: Sequence[OutboxMessage]) -> None:
    now = timezone.now()
    if source.number and now - source.numbered_at > SILENCE:
        _start_source(source)
    source.number += 1
    source.numbered_at = now
    source.save()
    for row in rows:
        row.source, row.frame = bytes(source.source), source.number
    OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).update(
        source=bytes(source.source), frame=source.number
    )


def _start_source(source: OutboxSource) -> None:
    source.source = secrets.token_bytes(wire.SOURCE_BYTES)
    source.number = 0
    source.started_at = timezone.now()


def _mark_sent(row: OutboxMessage, entry: bytes) -> int:
    """Mark all rows of one row's frame; return how many."""
    frame = OutboxMessage.objects.filter(worker=row.worker, source=row.source, frame=row.frame)
    return frame.update(entry=entry.decode(), sent_at=timezone.now())


def _is_old(worker: str) -> bool:
    """Whether the worker may have forgotten the source since its newest frame got a number."""
    numbered_at = OutboxSource.objects.values_list("numbered_at", flat=True).get(worker=worker)
    return timezone.now() - numbered_at > SILENCE


@transaction.atomic(durable=True)
def _number_anew(rows: Sequence[OutboxMessage]) -> None:
    """Take a frame's number back: it was never sent, and its source may be forgotten by now."""
    OutboxMessage.objects.filter(pk__in=[row.pk for row in rows], sent_at=None).update(
        source=None, frame=None
    )


def _find_in_stream(row: OutboxMessage, journal: redis.Redis) -> bytes | None:
    """Return the entry that holds a row's frame, if it did leave."""
    numbered_at = OutboxSource.objects.values_list("numbered_at", flat=True).get(worker=row.worker)
    wanted = (bytes(row.source or b""), row.frame)
    after = f"{int((numbered_at - CLOCKS_DIFFER).timestamp() * 1_000)}-0"
    stream: Any = keys.commands(row.worker)
    while entries := cast("_Entries", journal.xrange(stream, min=after, max="+", count=_SCAN)):
        for entry, fields in entries:
            frame = _frames.decode(fields[keys.FRAME_FIELD])
            if (frame.source, frame.number) == wanted:
                return entry
        after = f"({entries[-1][0].decode()}"
    return None
