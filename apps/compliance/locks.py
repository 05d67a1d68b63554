"""The only locks of this app."""

from __future__ import annotations

from django.db import connection, transaction

from apps.common.kernel.invariants import ensure

_RULES = 0x52554C45  # Any number that no other advisory lock has.


def lock_rules() -> None:
    """Let nobody else decide rules until commit. (The tables only grow: no row can be locked.)"""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_RULES])
