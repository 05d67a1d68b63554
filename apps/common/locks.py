"""The only row locks of this app: the relay's numbering, one row per worker (docs/locking.md)."""

from __future__ import annotations

from django.db import transaction

from apps.common.kernel.invariants import ensure
from apps.common.models import OutboxSource


def try_lock_source(worker: str) -> OutboxSource | None:
    """Lock the numbering towards a worker until commit, or return None: another relay has it."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    row = OutboxSource.objects.filter(worker=worker)
    return row.select_for_update(skip_locked=True, no_key=True).first()
