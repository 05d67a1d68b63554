"""The only row locks of this app: one cursor per partition. See docs/locking.md."""

from __future__ import annotations

from django.db import transaction

from apps.common.kernel.invariants import ensure
from apps.ledger.models import Cursor


def try_lock_cursor(worker: str) -> Cursor | None:
    """Lock a partition's cursor until commit; None if another has it or nothing began it."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    row = Cursor.objects.filter(worker=worker)
    return row.select_for_update(skip_locked=True, no_key=True).first()


def lock_cursor(worker: str) -> Cursor | None:
    """Lock a partition's cursor until commit, waiting for whoever settles it now."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    return Cursor.objects.filter(worker=worker).select_for_update(no_key=True).first()
