"""Losing every second factor: asked for by password and address, decided by staff with a reason."""

from __future__ import annotations

from typing import cast

from django.db import transaction
from django.utils import timezone
from django_otp_webauthn.models import WebAuthnCredential

from apps.common import audit
from apps.common.errors import Refusal
from apps.users import locks
from apps.users.models import AuthenticatorApp, FactorReset, Proof, RecoveryCodes, User
from apps.users.services import factors, mail, proofs, withdrawal_lock

_PURPOSES = (Proof.Purpose.FACTOR_RESET,)


class NoSuchReset(Refusal):
    """There is no such request that waits."""

    code = "no_such_reset"
    http_status = 404


class OwnReset(Refusal):
    """Who asked does not decide."""

    code = "own_reset"
    http_status = 403


@transaction.atomic(durable=True)
def ask(*, user_id: int) -> None:
    """Mail a person, who has just shown their password, the word that makes the request."""
    user = User.objects.get(pk=user_id)
    if not proofs.may_mail("factor-reset", user.email):
        return
    word = proofs.make(Proof.Purpose.FACTOR_RESET, email=user.email, user=user)
    link = mail.site_url(f"/verify/#{word}")
    mail.tell_user("factor_reset_asked", user, link=link, minutes=proofs.reset_minutes())


@transaction.atomic(durable=True)
def prove(word: str) -> None:
    """Put the request before staff, by the mailed word. One that waits already stays the one."""
    user = cast("User", proofs.use(word, purposes=_PURPOSES).user)
    locks.lock_person(user.pk)
    _, is_new = FactorReset.objects.get_or_create(user=user, state=FactorReset.State.WAITING)
    if is_new:
        who = f"user:{user.pk}"
        audit.record("factor.reset_asked", subject=who, actor=who)


@transaction.atomic(durable=True)
def decide(*, reset_id: int, approved: bool, by: int, reason: str) -> None:
    """Take all factors of the person away, or leave them. Approved, every log-in ends."""
    row = locks.lock_factor_reset(reset_id)
    if row is None or row.state != FactorReset.State.WAITING:
        raise NoSuchReset("Nothing waits here any more.")
    if row.user_id == by:
        raise OwnReset("Another person has to decide what you asked for.")
    row.state = FactorReset.State.APPROVED if approved else FactorReset.State.REFUSED
    row.decided_by_id, row.decided_at, row.reason = by, timezone.now(), reason
    row.save()
    user = locks.lock_person(row.user_id)
    if approved:
        _take_all(user)
    mail.tell_user("factors_reset" if approved else "factor_reset_refused", user)
    kind = "factor.reset" if approved else "factor.reset_refused"
    audit.record(kind, subject=f"user:{user.pk}", actor=f"staff:{by}", reason=reason)


@transaction.atomic
def withdraw(user: User) -> None:
    """Take back what waits for a person: they have just shown a factor, so not all are lost."""
    state = FactorReset.State
    waiting = FactorReset.objects.filter(user=user, state=state.WAITING)
    said = {"decided_at": timezone.now(), "reason": "A factor was shown since."}
    if waiting.update(state=state.REFUSED, **said):
        audit.record("factor.reset_withdrawn", subject=f"user:{user.pk}", actor="system")


def _take_all(user: User) -> None:
    for table in (AuthenticatorApp, WebAuthnCredential, RecoveryCodes):
        table.objects.filter(user=user).delete()
    factors.count_anew(user)  # And with it the log-ins of before end.
    withdrawal_lock.begin_withdrawal_lock(user, reason="factor", tell=False)
