"""The audit chain: each record's hash covers the one before: none changes, goes or moves unseen.

    hash(n) = SHA-256("fairbook.audit/1" || hash(n-1) || record as JSON), hash(0) = 32 zero bytes

where the record is the list [id, at in µs, kind, subject, actor, correlation id, data], its keys
sorted, without spaces. The chain's end goes to the journal server after each sealing, on the stream
of events: who rewrites the table from the inside cannot rewrite what was told there.
"""

from __future__ import annotations

import hashlib
from typing import cast

import msgspec
import redis
from django.db import transaction

from apps.common import audit, locks, outbox
from apps.common.contracts import AuditHead, Happened
from apps.common.models import AuditRecord, AuditSeal, AuditWaiting
from apps.journals import keys, wire

_DOMAIN = b"fairbook.audit/1"
_AT_ONCE = 500
START = bytes(32)

_Entries = list[tuple[bytes, dict[bytes, bytes]]]

_frames = msgspec.msgpack.Decoder(wire.CommandFrame)
_events = msgspec.msgpack.Decoder(Happened | AuditHead)


def hash_of(row: AuditRecord, previous: bytes) -> bytes:
    """Return a record's hash, which covers the one before it."""
    body = [row.pk, audit.at_us(row), row.kind, row.subject, row.actor]
    text = msgspec.json.encode([*body, row.correlation_id, row.data], order="sorted")
    return hashlib.sha256(_DOMAIN + previous + text).digest()


@transaction.atomic(durable=True)
def seal_new() -> int:
    """Give records that wait their places, oldest number first; return how many (500 at most)."""
    waiting = AuditWaiting.objects.select_related("record").order_by("record_id")[:_AT_ONCE]
    if not waiting.exists() or not locks.try_lock_audit_chain():
        return 0
    last = AuditSeal.objects.order_by("-number").first()
    number, head = (last.number, bytes(last.hash)) if last else (0, START)
    rows, seals = [each.record for each in waiting], []
    for number, row in enumerate(rows, number + 1):  # noqa: B020 - goes on from the last.
        head = hash_of(row, head)
        seals.append(AuditSeal(number=number, record=row, hash=head))
    AuditSeal.objects.bulk_create(seals)
    AuditWaiting.objects.filter(record__in=rows).delete()
    outbox.send(AuditHead(number=number, hash=head), worker=audit.EVENTS)
    return len(seals)


class ChainCheck:
    """Walks the chain from its start, some records at a time, and then again from the start."""

    def __init__(self) -> None:
        self.number, self.head = 0, START

    def go_on(self, limit: int) -> tuple[int, list[str]]:
        """Check up to `limit` more records; return how many, and what is wrong.

        At the chain's end, or where it is broken, the next call starts from the beginning.
        """
        seals = AuditSeal.objects.select_related("record").filter(number__gt=self.number)
        checked = 0
        for seal in seals.order_by("number")[:limit]:
            checked += 1
            wrong = self._wrong_with(seal)
            if wrong is not None:
                self._start_again()
                return checked, [wrong]
            self.number, self.head = seal.number, bytes(seal.hash)
        if checked < limit:
            self._start_again()
        return checked, []

    def _wrong_with(self, seal: AuditSeal) -> str | None:
        if seal.number != self.number + 1:
            return f"audit record {self.number + 1} is missing from the chain"
        if bytes(seal.hash) != hash_of(seal.record, self.head):
            return f"audit record {seal.number} is not what was sealed"
        return None

    def _start_again(self) -> None:
        self.number, self.head = 0, START


def wrong_tellings(journal: redis.Redis, *, newest: int | None = None) -> list[str]:
    """Compare what was told on the stream with the tables; name what they do not contain.

    `newest` reads only so many entries of the stream, from its end.
    """
    heads, records = _told(journal, newest)
    chain = dict(AuditSeal.objects.filter(number__in=heads).values_list("number", "hash"))
    there = set(AuditRecord.objects.filter(pk__in=records).values_list("pk", flat=True))
    return [
        *(
            f"the head told at audit record {number} is not in the chain"
            for number, told_hash in sorted(heads.items())
            if bytes(chain.get(number, b"")) != told_hash
        ),
        *(f"audit record with id {each} was told and is gone" for each in sorted(records - there)),
    ]


def _told(journal: redis.Redis, newest: int | None) -> tuple[dict[int, bytes], set[int]]:
    """Return the heads (number → hash) and the ids of records that the stream tells of."""
    heads: dict[int, bytes] = {}
    records: set[int] = set()
    stream = keys.commands(audit.EVENTS)
    for _, fields in cast("_Entries", journal.xrevrange(stream, count=newest)):
        for command in _frames.decode(fields[keys.FRAME_FIELD]).commands:
            event = _events.decode(command)
            if isinstance(event, AuditHead):
                heads[event.number] = event.hash
            else:
                records.add(event.record)
    return heads, records
