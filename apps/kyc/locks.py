"""The only row locks of this app (docs/locking.md)."""

from __future__ import annotations

from django.db import connection, transaction

from apps.common.kernel.invariants import ensure
from apps.kyc.models import Application, Verification

_REVEALS, _LIMITS, _PERSON = 7_101, 7_102, 7_103  # Names of advisory locks.


def lock_application(pk: int) -> Application:
    """Lock an application until commit; whoever decides sees the last word."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    return Application.objects.select_for_update(no_key=True).get(pk=pk)


def lock_verifications(user_id: int) -> list[Verification]:
    """Lock what a person is verified for now, lowest tier first."""
    _lock(_PERSON, user_id)
    rows = Verification.objects.owned_by(user_id).live().order_by("pk")
    return sorted(rows.select_for_update(no_key=True), key=lambda row: row.tier)


def lock_reveals(staff_id: int) -> None:
    """Let one reveal of a member of the staff be counted at a time."""
    _lock(_REVEALS, staff_id)


def lock_limits(user_id: int) -> None:
    """Let one withdrawal of a person be counted at a time."""
    _lock(_LIMITS, user_id)


def _lock(name: int, number: int) -> None:
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [name, number])
