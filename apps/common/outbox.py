"""Say it only if it happened: commands that ride in the caller's transaction.

    with transaction.atomic():
        ...                                                # The change,
        outbox.send(Deposit(...), worker="risk:0")         # and what a worker must hear of it.

The relay (`manage.py run_relay`, apps/common/relay.py) publishes every row that is not marked sent.
"""

from __future__ import annotations

import msgspec
from django.db import connection, transaction

from apps.common.kernel.ids import StreamId, parse_stream_id
from apps.common.kernel.invariants import ensure
from apps.common.models import OutboxMessage

CHANNEL = "outbox"
_encode = msgspec.msgpack.Encoder().encode


def send(message: msgspec.Struct, *, worker: str) -> OutboxMessage:
    """Queue a command that leaves if, and only if, the caller's change commits."""
    ensure(transaction.get_connection().in_atomic_block, "an outbox row rides in a transaction")
    row = OutboxMessage.objects.create(worker=worker, body=_encode(message))
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")  # Heard at commit. A nudge only: the relay also polls.
    return row


def is_sent(message_id: int) -> bool:
    """Say whether a queued command stands in its worker's stream."""
    return entry_of(message_id) is not None


def entry_of(message_id: int) -> StreamId | None:
    """Return where a queued command stands in its worker's stream, or None while it waits."""
    sent = OutboxMessage.objects.filter(pk=message_id, sent_at__isnull=False)
    entry = sent.values_list("entry", flat=True).first()
    return None if entry is None else parse_stream_id(entry)
