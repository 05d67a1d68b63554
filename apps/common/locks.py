"""The only locks of this app: the relay's numbering, the audit chain's end (docs/locking.md)."""

from __future__ import annotations

from django.db import connection, transaction

from apps.common.kernel.invariants import ensure
from apps.common.models import OutboxSource

AUDIT_CHAIN = 0x4155444954  # An advisory lock has a number for a name: "AUDIT".


def try_lock_source(worker: str) -> OutboxSource | None:
    """Lock the numbering towards a worker until commit, or return None: another relay has it."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    row = OutboxSource.objects.filter(worker=worker)
    return row.select_for_update(skip_locked=True, no_key=True).first()


def try_lock_audit_chain() -> bool:
    """Become the only one who seals until commit; False: another relay is at it."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [AUDIT_CHAIN])
        row = cursor.fetchone()
    return bool(row and row[0])
