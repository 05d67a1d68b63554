"""New passwords and new addresses. Each ends the person's other log-ins and locks withdrawals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.common import audit
from apps.common.errors import Refusal
from apps.users import selectors
from apps.users.models import Proof, User
from apps.users.services import (
    announcing,
    factor_resets,
    mail,
    people,
    proofs,
    withdrawal_lock,
)

_RESET, _NEW_EMAIL = (Proof.Purpose.RESET,), (Proof.Purpose.NEW_EMAIL,)


class WrongPassword(Refusal):
    """The password that should allow this is not the person's."""

    code = "wrong_password"
    http_status = 403


@transaction.atomic(durable=True)
def ask_reset(*, email: str) -> None:
    """Mail a word that resets the password, if the address is a person's. Says neither."""
    user = selectors.user_by_email(email)
    may_mail = proofs.may_mail("reset", email.lower())
    if user is None or not user.is_active or not may_mail:
        return
    word = proofs.make(Proof.Purpose.RESET, email=user.email, user=user)
    link = mail.site_url(f"/reset/#{word}")
    mail.tell_user("reset_password", user, link=link, minutes=proofs.reset_minutes())
    audit.record("password.reset_asked", subject=_name(user), actor="system")


@transaction.atomic(durable=True)
def reset(*, word: str, password: str) -> None:
    """Set a new password by a mailed word, and end every log-in of the person.

    Refuses a weak password (the word stays good) and a word that is used, old or for another thing.
    """
    proof = proofs.look_at(word, purposes=_RESET)
    name = _owner(proof).full_name
    people.check_password_is_strong(password, email=proof.email, full_name=name)
    user = _owner(proofs.use(word, purposes=_RESET))
    if user.email != proof.email or not user.is_active:
        raise proofs.BadProof("This link was used already, or is too old. Ask for a new one.")
    _set(user, password, how="reset")


@transaction.atomic(durable=True)
def change(*, user_id: int, password: str) -> User:
    """Set a new password for somebody who just showed the old one; end their other log-ins.

    The door keeps the log-in it came by, by `update_session_auth_hash`.
    """
    user = User.objects.get(pk=user_id)
    people.check_password_is_strong(password, email=user.email, full_name=user.full_name)
    _set(user, password, how="change")
    return user


def check_own_password(*, user_id: int, password: str) -> None:
    """Refuse a password that is not the person's. The caller counts the try (`attempts`)."""
    if not User.objects.get(pk=user_id).check_password(password):
        raise WrongPassword(
            "This is not your password.", fields={"password": ["Not your password."]}
        )


@transaction.atomic(durable=True)
def ask_new_email(*, user_id: int, email: str) -> None:
    """Mail the new address a word that proves it, and the old one a notice. Says not who is known.

    An address that somebody has already gets a mail that says so instead.
    """
    user, email = User.objects.get(pk=user_id), email.lower()
    holder = selectors.user_by_email(email)
    if not proofs.may_mail("new-email", email) or not proofs.may_mail("new-email", user.email):
        return
    if holder is not None:
        mail.tell_user("address_known", holder, login_url=mail.site_url("/login/"))
    else:
        word = proofs.make(Proof.Purpose.NEW_EMAIL, email=email, user=user)
        link = mail.site_url(f"/verify/#{word}")
        mail.tell("prove_new_address", to=email, user_id=user.pk, language=user.language, link=link)
    mail.tell_user("new_address_asked", user, at=timezone.now())
    audit.record("email.change_asked", subject=_name(user), actor=_name(user))


def prove_address(word: str) -> str:
    """Prove the address that a word was mailed to, and say for what."""
    acts: dict[str, Callable[[str], object]] = {
        Proof.Purpose.SIGN_UP: people.prove_sign_up,
        Proof.Purpose.NEW_EMAIL: prove_new_email,
        Proof.Purpose.FACTOR_RESET: factor_resets.prove,
    }
    proof = proofs.look_at(word, purposes=[Proof.Purpose(name) for name in acts])
    acts[proof.purpose](word)
    return proof.purpose


@transaction.atomic(durable=True)
def prove_new_email(word: str) -> None:
    """Move a person to the address that the word proves; end their log-ins, lock withdrawals."""
    proof = proofs.use(word, purposes=_NEW_EMAIL)
    user = _owner(proof)
    old, user.email = user.email, proof.email
    try:
        with transaction.atomic():
            user.save(update_fields=["email"])
    except IntegrityError:
        raise proofs.BadProof("This address belongs to an account already.") from None
    for purpose in (*_RESET, *_NEW_EMAIL, Proof.Purpose.FACTOR_RESET):
        proofs.end_all_of(user, purpose)
    withdrawal_lock.begin_withdrawal_lock(user, reason="e-mail", tell=False)
    until = user.withdrawals_locked_until
    told: dict[str, Any] = {"language": user.language, "at": timezone.now(), "until": until}
    for address in (old, user.email):
        mail.tell("address_changed", to=address, user_id=user.pk, **told)
    audit.record("email.changed", subject=_name(user), actor=_name(user))
    announcing.look_again_at(user.pk)


def _set(user: User, password: str, *, how: str) -> None:
    user.set_password(password)
    user.save(update_fields=["password"])  # Its hash is part of each log-in: all of them end.
    for purpose in (Proof.Purpose.RESET, Proof.Purpose.FACTOR_RESET):  # It was asked for by
        proofs.end_all_of(user, purpose)  # the old password.
    withdrawal_lock.begin_withdrawal_lock(user, reason="password", tell=False)
    mail.tell_password_changed(user)
    audit.record("password.changed", subject=_name(user), actor=_name(user), how=how)
    announcing.look_again_at(user.pk)


def _owner(proof: Proof) -> User:
    return cast("User", proof.user)  # Of no other purpose: it was asked for by it.


def _name(user: User) -> str:
    return f"user:{user.pk}"
