"""The only row locks of this app."""

from __future__ import annotations

from django.db import transaction

from apps.common.kernel.invariants import ensure
from apps.users.models import AccountCounter


def next_account_counter() -> int:
    """Take the next account counter; nobody else gets it, and it is skipped if the caller fails."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    AccountCounter.objects.get_or_create(pk=1)
    row = AccountCounter.objects.select_for_update(no_key=True).get(pk=1)
    row.last += 1
    row.save(update_fields=["last"])
    return row.last
