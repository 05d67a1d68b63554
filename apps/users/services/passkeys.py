"""Passkeys: added and shown by what the browser signs. They always verify the person themselves.

A challenge is kept in the browser's session and good for one answer; the origin that the browser
signs is compared, so that a page of somebody else's learns nothing that opens a door here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django_otp_webauthn.exceptions import OTPWebAuthnApiError
from django_otp_webauthn.helpers import WebAuthnHelper
from django_otp_webauthn.models import WebAuthnCredential
from django_otp_webauthn.utils import rewrite_exceptions
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from apps.users import locks
from apps.users.models import User
from apps.users.services import codes, devices, factors
from apps.users.services.factors import PASSKEY, TooManyFactors, WrongFactor

PASSKEYS_MAX, CHALLENGE_S = 10, 300
_ADDING, _SHOWING = "passkey_adding", "passkey_showing"
# What bytes of a stranger's make of the parsers, beside the refusals that they know.
_GARBLED = (OTPWebAuthnApiError, ValueError, TypeError, KeyError, IndexError, AttributeError)


class _Helper(WebAuthnHelper):
    """Asks for passkeys that know their person by a finger, a face or a PIN."""

    def get_generate_registration_options_kwargs(self, *, user: Any) -> dict[str, Any]:
        """Require what a log-in by nothing else needs."""
        asked: dict[str, Any] = super().get_generate_registration_options_kwargs(user=user)
        asked["authenticator_selection"] = AuthenticatorSelectionCriteria(
            user_verification=UserVerificationRequirement.REQUIRED,
            resident_key=ResidentKeyRequirement.REQUIRED,
        )
        return asked


# -- adding one


def begin_adding(request: HttpRequest, user: User) -> dict[str, Any]:
    """Return what the browser makes a passkey from."""
    if WebAuthnCredential.objects.filter(user=user).count() >= PASSKEYS_MAX:
        raise TooManyFactors("You have ten passkeys. Remove one first.")
    options, state = _Helper(request).register_begin(user)
    request.session[_ADDING] = state
    return dict(options)


def finish_adding(
    request: HttpRequest, *, user_id: int, name: str, credential: dict[str, Any]
) -> tuple[User, list[str]]:
    """Keep the passkey that the browser made; return its person, and recovery codes if new."""
    state = _taken(request, _ADDING)
    with transaction.atomic(durable=True):
        user = locks.lock_person(user_id)
        with _as_refusals():
            made = _Helper(request).register_complete(user, state, credential)
        made.name = name or devices.name_of(request)[:64]
        made.save(update_fields=["name"])
        factors.note_added(user, kind=PASSKEY)
        return user, codes.first_recovery_codes(user)


# -- showing one


def begin_showing(request: HttpRequest, user: User | None) -> dict[str, Any]:
    """Return what the browser signs. Without a person, any passkey of this site may answer."""
    options, state = _Helper(request).authenticate_begin(user, require_user_verification=True)
    request.session[_SHOWING] = state
    return dict(options)


def finish_showing(request: HttpRequest, user: User | None, *, credential: dict[str, Any]) -> User:
    """Return whose passkey signed; refuse another's, a wrong signature, an answer given before."""
    state = _taken(request, _SHOWING)
    with _as_refusals():
        shown = _Helper(request).authenticate_complete(user, state, credential)
    owner: User = shown.user
    if not shown.confirmed or not owner.is_active:
        raise WrongFactor
    return owner


def _taken(request: HttpRequest, name: str) -> dict[str, Any]:
    """Take a challenge out of the session for good, whatever becomes of its answer."""
    state = request.session.pop(name, None)
    if not state:
        raise WrongFactor
    request.session.save()
    return dict(state)


@contextmanager
def _as_refusals() -> Iterator[None]:
    """Let what is wrong with an answer be one refusal. Which it was is not said."""
    try:
        with transaction.atomic(), rewrite_exceptions():
            yield
    except (*_GARBLED, IntegrityError):
        raise WrongFactor from None
