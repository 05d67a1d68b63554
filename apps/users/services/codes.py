"""Codes: of an authenticator app, which is enrolled by its first one, and for recovery."""

from __future__ import annotations

import base64
import secrets
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from django.db import transaction

from apps.common import audit
from apps.users import locks
from apps.users.models import AuthenticatorApp, RecoveryCode, RecoveryCodes, User
from apps.users.services import factors, mail
from apps.users.services.factors import RECOVERY, TOTP, NoSuchFactor, TooManyFactors, WrongFactor

ISSUER, SECRET_BYTES, APPS_MAX = "Fairbook", 20, 5
RECOVERY_CODES, _CODE_BYTES, _PART = 10, 10, 4


class NewApp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An authenticator app that has yet to show its first code. The secret is in here only."""

    number: int
    secret: str  # In base32, as apps take it.
    uri: str  # The same for a QR code.


# -- being asked


@transaction.atomic
def check(*, user_id: int, code: str) -> str:
    """Use up a code of a person's: of an app or for recovery; return its kind, or refuse."""
    typed = "".join(letter for letter in code.lower() if letter.isalnum())
    apps = AuthenticatorApp.objects.filter(user_id=user_id, confirmed=True)
    if any(app.verify_token(typed) for app in apps):
        return TOTP
    codes = RecoveryCodes.objects.filter(user_id=user_id).first()
    if codes is None or not codes.verify_token(typed):
        raise WrongFactor
    codes.set_last_used_timestamp()
    who, left = f"user:{user_id}", factors.recovery_codes_left(user_id)
    audit.record("factor.recovery_used", subject=who, actor=who, left=left)
    mail.tell_person("recovery_used", user_id=user_id, left=left, at=codes.last_used_at)
    return RECOVERY


# -- an authenticator app


@transaction.atomic(durable=True)
def begin_app(*, user_id: int, name: str) -> NewApp:
    """Make an app's secret. It counts once its first code was shown (`confirm_app`)."""
    user = locks.lock_person(user_id)
    own = AuthenticatorApp.objects.filter(user=user)
    own.filter(confirmed=False).delete()  # Begun and left.
    if own.count() >= APPS_MAX:
        raise TooManyFactors("You have five authenticator apps. Remove one first.")
    secret = secrets.token_bytes(SECRET_BYTES)
    app = _save_app(user, secret, name=name, confirmed=False)
    words = base64.b32encode(secret).decode()
    return NewApp(number=app.pk, secret=words, uri=_uri(user, words))


@transaction.atomic(durable=True)
def confirm_app(*, user_id: int, number: int, code: str) -> tuple[User, list[str]]:
    """Let an app count, by its first code; return its person, and recovery codes if it is new."""
    user = locks.lock_person(user_id)
    app = AuthenticatorApp.objects.filter(user=user, pk=number, confirmed=False).first()
    if app is None:
        raise NoSuchFactor("There is no such factor.")
    if not app.verify_token("".join(code.split())):
        raise WrongFactor
    AuthenticatorApp.objects.filter(pk=app.pk).update(confirmed=True)
    factors.note_added(user, kind=TOTP)
    return user, first_recovery_codes(user)


@transaction.atomic
def seed_app(*, user_id: int, secret: str | None) -> str:
    """Give a person an app whose secret the caller keeps (the demo, tests); return the secret.

    A known secret that still counts changes nothing.
    """
    user = locks.lock_person(user_id)
    if secret is not None:
        raw = base64.b32decode(secret)
        own = AuthenticatorApp.objects.filter(user=user, confirmed=True)
        if any(app.secret == raw for app in own):
            return secret
    raw = secrets.token_bytes(SECRET_BYTES) if secret is None else base64.b32decode(secret)
    _save_app(user, raw, name="Seeded", confirmed=True)
    factors.count_anew(user)
    audit.record("factor.added", subject=f"user:{user_id}", actor="system", factor=TOTP)
    return base64.b32encode(raw).decode()


def _save_app(user: User, secret: bytes, **fields: Any) -> AuthenticatorApp:
    sealed = AuthenticatorApp.seal(secret, user_id=user.pk)
    return AuthenticatorApp.objects.create(user=user, sealed_secret=sealed, **fields)


def _uri(user: User, secret: str) -> str:
    query = urlencode({"secret": secret, "issuer": ISSUER, "algorithm": "SHA1", "digits": 6})
    return f"otpauth://totp/{ISSUER}:{quote(user.email)}?{query}"


# -- recovery codes


def first_recovery_codes(user: User) -> list[str]:
    """Return new recovery codes for a person who has none yet; else nothing."""
    return [] if RecoveryCodes.objects.filter(user=user).exists() else _make_codes(user)


@transaction.atomic(durable=True)
def renew_recovery_codes(*, user_id: int) -> tuple[User, list[str]]:
    """Make ten new recovery codes in place of all before; return their person and them."""
    user = locks.lock_person(user_id)
    if not user.has_factor:
        raise NoSuchFactor("Recovery codes stand in for a second factor. Add one first.")
    codes = _make_codes(user)
    factors.note_added(user, kind=RECOVERY)
    return user, codes


def _make_codes(user: User) -> list[str]:
    RecoveryCodes.objects.filter(user=user).delete()
    owner = RecoveryCodes.objects.create(user=user, name="Recovery codes")
    words = [_word() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(owner=owner, digest=RecoveryCodes.digest(word, user_id=user.pk))
        for word in words
    )
    return ["-".join(_parts(word)) for word in words]


def _word() -> str:
    return base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode().lower()


def _parts(word: str) -> list[str]:
    return [word[start : start + _PART] for start in range(0, len(word), _PART)]
