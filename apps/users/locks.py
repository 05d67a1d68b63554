"""The only row locks of this app."""

from __future__ import annotations

import datetime

from django.db import transaction

from apps.common.kernel.invariants import ensure
from apps.users.models import (
    AccountCounter,
    ApiKey,
    FactorReset,
    Mail,
    TradingAccount,
    User,
)


def next_account_counter() -> int:
    """Take the next account counter; nobody else gets it, and it is skipped if the caller fails."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    AccountCounter.objects.get_or_create(pk=1)
    row = AccountCounter.objects.select_for_update(no_key=True).get(pk=1)
    row.last += 1
    row.save(update_fields=["last"])
    return row.last


def lock_account(number: int) -> TradingAccount:
    """Let nobody else change what belongs to an account until this commits."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    return TradingAccount.objects.select_for_update(no_key=True).get(pk=number)


def lock_main_account(user_id: int) -> TradingAccount | None:
    """Let nobody else open accounts of a person until this commits."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    own = TradingAccount.objects.filter(user_id=user_id).order_by("number")
    return own.select_for_update(no_key=True).first()


def lock_person(user_id: int) -> User:
    """Let nobody else change what a person proves themselves by until this commits."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    return User.objects.select_for_update(no_key=True).get(pk=user_id)


def lock_factor_reset(number: int) -> FactorReset | None:
    """Let nobody else decide a request until this commits."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    rows = FactorReset.objects.filter(pk=number).select_for_update(of=("self",), no_key=True)
    return rows.first()


def lock_key(*, user_id: int, public_id: str) -> ApiKey | None:
    """Return a live key of a person's, which nobody else changes until this commits."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    keys = ApiKey.objects.live().owned_by(user_id).filter(public_id=public_id)
    return keys.select_for_update(of=("self",), no_key=True).first()


def lock_due_mail(at: datetime.datetime) -> Mail | None:
    """Lock the mail that is due longest until commit; those that another sender has are skipped."""
    ensure(transaction.get_connection().in_atomic_block, "a lock lives inside a transaction")
    return Mail.objects.due(at).select_for_update(skip_locked=True, no_key=True).first()
