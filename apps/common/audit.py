"""The audit log: what was done, by whom, to whom. Recorded with the act or not at all.

    with transaction.atomic():
        key.save()
        audit.record("key.made", subject=f"user:{user_id}", actor=f"user:{user_id}", key=key.pk)

The relay gives each record its place in a chain of hashes within about a second (`audit_chain`),
and tells it on the stream of events.
"""

from __future__ import annotations

import re

import msgspec
import structlog
from django.db import transaction

from apps.common import outbox
from apps.common.contracts import Happened
from apps.common.kernel.invariants import ensure
from apps.common.models import AuditRecord, AuditWaiting

EVENTS = "events:users"  # The stream, named as a worker's is.
_KIND = re.compile(r"[a-z_]+(\.[a-z_]+)+")
_PARTY = re.compile(r"[a-z_]+(:[A-Za-z0-9_.:-]+)?")

Value = str | int | bool | None | list[str] | list[int]


def record(kind: str, *, subject: str, actor: str, **data: Value) -> int:
    """Record an act with the caller's change, and return the record's number.

    `data` says what a reader needs to understand the act; never secrets, nothing personal.
    """
    ensure(transaction.get_connection().in_atomic_block, "an act and its record are one change")
    ensure(_KIND.fullmatch(kind) is not None, f"a kind is dotted words: {kind}")
    for party in (subject, actor):
        ensure(_PARTY.fullmatch(party) is not None, f"a party is a kind and a name: {party}")
    correlation_id = str(structlog.contextvars.get_contextvars().get("correlation_id", ""))
    row = AuditRecord.objects.create(
        kind=kind, subject=subject, actor=actor, data=data, correlation_id=correlation_id
    )
    AuditWaiting.objects.create(record=row)
    event = Happened(
        record=row.pk,
        kind=kind,
        subject=subject,
        actor=actor,
        at_us=at_us(row),
        data=msgspec.Raw(msgspec.msgpack.encode(data)),
    )
    outbox.send(event, worker=EVENTS)
    return row.pk


def at_us(row: AuditRecord) -> int:
    """Return when a record was made, in Unix microseconds."""
    whole_s = int(row.at.replace(microsecond=0).timestamp())
    return whole_s * 1_000_000 + row.at.microsecond


def records_about(subject: str, *, limit: int = 100) -> list[AuditRecord]:
    """Return the newest records about somebody or something, newest first."""
    return list(AuditRecord.objects.filter(subject=subject).order_by("-pk")[:limit])
