"""A second factor for people of a story, and the codes that their authenticator app shows."""

from __future__ import annotations

import base64
import time
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.test import Client
from django_otp.oath import TOTP

from apps.users import sessions
from apps.users.models import User
from apps.users.services import codes

STEP_S = 30


def give_app(user_id: int) -> str:
    """Give a person an authenticator app; return its secret."""
    return codes.seed_app(user_id=user_id, secret=None)


def code_of(secret: str, *, later: int = 0) -> str:
    """Return what an app shows now, or so many half minutes later."""
    oath = TOTP(base64.b32decode(secret), step=STEP_S)
    oath.time = time.time() + later * STEP_S
    return f"{oath.token():06d}"


def fresh_code(secret: str) -> str:
    """Return a code that was not used, if the one of now may have been: that of the next step."""
    return code_of(secret, later=1)


def has_just_shown(browser: Client, user: AbstractBaseUser | int, *, kind: str = "totp") -> None:
    """Let a test client be logged in as somebody who has just shown a second factor.

    They have one: an authenticator app is given to who has none.
    """
    person: Any = User.objects.get(pk=user if isinstance(user, int) else user.pk)
    if not person.has_factor:
        give_app(person.pk)
        person.refresh_from_db()
    browser.force_login(person)
    session, now = browser.session, time.time()
    sessions.begin(session, now=now, is_staff=person.is_staff)
    sessions.note_factor(session, kind=kind, now=now)
    session.save()


class Phone:
    """Authenticator apps of this run's people, in front of running exchanges.

    It shows no code twice: if those of now were used, it waits for the next half minute.
    """

    def __init__(self) -> None:
        self._used: dict[str, int] = {}

    def code(self, secret: str) -> str:
        """Return the oldest code that still counts and was not shown before."""
        step = max(int(time.time()) // STEP_S, self._used.get(secret, 0) + 1)
        while step > int(time.time()) // STEP_S + 1:
            time.sleep(0.2)
        self._used[secret] = step
        oath = TOTP(base64.b32decode(secret), step=STEP_S)
        oath.time = step * STEP_S
        return f"{oath.token():06d}"


phone = Phone()
