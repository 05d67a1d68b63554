"""What every second factor has in common: it is asked for, added, removed, and told of.

A person *has a factor* with an authenticator app or a passkey; recovery codes stand in for one that
was lost. A change ends the person's other log-ins, and from the second one on withdrawals wait.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.utils.translation import gettext_noop
from django_otp_webauthn.models import WebAuthnCredential

from apps.common import audit
from apps.common.errors import Refusal
from apps.users import locks
from apps.users.models import AuthenticatorApp, RecoveryCode, RecoveryCodes, User
from apps.users.services import announcing, mail, withdrawal_lock

TOTP, PASSKEY, RECOVERY = "totp", "passkey", "recovery"
_TABLES: dict[str, Any] = {TOTP: AuthenticatorApp.objects, PASSKEY: WebAuthnCredential.objects}
WORDS = {
    TOTP: gettext_noop("authenticator app"),
    PASSKEY: gettext_noop("passkey"),
    RECOVERY: gettext_noop("recovery codes"),
}


class WrongFactor(Refusal):
    """The code is not right, not right any more, or was used. Which is not said."""

    code = "wrong_factor"
    http_status = 401

    def __init__(self) -> None:
        super().__init__("This code is not right, or it was used already.")


class NoSuchFactor(Refusal):
    """Another's factor and no factor look the same from here."""

    code = "no_such_factor"
    http_status = 404


class TooManyFactors(Refusal):
    """There are enough of this kind; remove one first."""

    code = "too_many_factors"
    http_status = 409


class Factor(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One second factor as its owner sees it: never what it proves itself by."""

    kind: str
    number: int
    name: str
    added_at: datetime | None
    used_at: datetime | None


# -- what there is


def kinds_of(user_id: int) -> list[str]:
    """Return by which kinds of factor a person may prove themselves."""
    known = {factor.kind for factor in list_factors(user_id)}
    kinds = [kind for kind in WORDS if kind in known]
    return [*kinds, RECOVERY] if kinds and recovery_codes_left(user_id) else kinds


def list_factors(user_id: int) -> list[Factor]:
    """Return a person's factors, by kind, oldest first."""
    return [
        _told(kind, row)
        for kind, table in _TABLES.items()
        for row in table.filter(user_id=user_id, confirmed=True).order_by("pk")
    ]


def has_passkey(user_id: int) -> bool:
    """Say whether a person has a passkey."""
    return WebAuthnCredential.objects.filter(user_id=user_id, confirmed=True).exists()


def recovery_codes_left(user_id: int) -> int:
    """Return how many recovery codes are unused."""
    return RecoveryCode.objects.filter(owner__user_id=user_id, used_at=None).count()


def _told(kind: str, row: Any) -> Factor:
    return Factor(
        kind=kind,
        number=row.pk,
        name=row.name or WORDS[kind].capitalize(),
        added_at=row.created_at,
        used_at=row.last_used_at,
    )


# -- what becomes of it


@transaction.atomic
def note_added(user: User, *, kind: str) -> None:
    """Tell everybody of a new factor; end other log-ins. The first one starts no lock."""
    was_first = not user.has_factor
    count_anew(user)
    if not was_first:
        withdrawal_lock.begin_withdrawal_lock(user, reason="factor")
    mail.tell_factor_added(user, factor=WORDS[kind])
    who = f"user:{user.pk}"
    audit.record("factor.added", subject=who, actor=who, factor=kind)


@transaction.atomic
def note_removed(user: User, *, kind: str) -> None:
    """Tell everybody that a factor is gone; end other log-ins, lock withdrawals."""
    count_anew(user)
    if not user.has_factor:
        RecoveryCodes.objects.filter(user=user).delete()  # They stand in for nothing any more.
    withdrawal_lock.begin_withdrawal_lock(user, reason="factor")
    mail.tell_factor_removed(user, factor=WORDS[kind])
    who = f"user:{user.pk}"
    audit.record("factor.removed", subject=who, actor=who, factor=kind)


@transaction.atomic
def remove(*, user_id: int, kind: str, number: int) -> User:
    """Remove one of a person's factors for ever. The door asked for a fresh one before."""
    user = locks.lock_person(user_id)
    table = _TABLES.get(kind)
    if table is None or not table.filter(user=user, pk=number).delete()[0]:
        raise NoSuchFactor("There is no such factor.")
    note_removed(user, kind=kind)
    return user


def count_anew(user: User) -> None:
    """Keep beside the person whether there is a factor, and end log-ins of before."""
    user.has_factor = bool(list_factors(user.pk))
    user.factors_version += 1
    user.save(update_fields=["has_factor", "factors_version"])
    announcing.look_again_at(user.pk)
