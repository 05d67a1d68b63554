"""How long a log-in lasts: 30 minutes idle and 12 hours at most; staff 15 minutes and 8 hours.
What it showed, a password or a second factor, is fresh for five minutes.

A session's row carries when it began and when it was last seen. "Last seen" moves at most once a
minute, so that reading a page writes nothing most of the time.
"""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

from django.conf import settings

BEGAN, SEEN, STAFF = "began_at", "seen_at", "is_staff"
PASSWORD_AT, FACTOR, FACTOR_AT, PASSKEY_AT = "password_at", "factor", "factor_at", "passkey_at"
PASSKEY = "passkey"
DEMO = "demo"  # The kind of factor of a log-in by the demo's one click.
FRESH_S = 300.0
TOUCH_EVERY_S = 60.0
NAME_LENGTH = 40  # What the column of Django's table holds: 160 bits.
_KEY = re.compile(r"[a-z0-9]{8,40}", re.ASCII)
_CUSTOMER = (timedelta(minutes=30), timedelta(hours=12))
_STAFF = (timedelta(minutes=15), timedelta(hours=8))


def name_of(session_key: str) -> str:
    """Return what a session is called everywhere but in its cookie, its row and its copies too.

    Whoever reads the database or the cache learns no cookie by it.
    """
    return sha256(session_key.encode()).hexdigest()[:NAME_LENGTH]


def is_key(word: str | None) -> bool:
    """Whether a cookie can be a session at all: PostgreSQL cannot even be asked for some words."""
    return _KEY.fullmatch(word or "") is not None


def begin(session: Any, *, now: float, is_staff: bool) -> None:
    """Start the clocks of a fresh log-in."""
    session[BEGAN] = session[SEEN] = now
    session[STAFF] = is_staff


def ends_at(session: Any) -> float:
    """Return the moment after which this log-in no longer counts, as things stand."""
    idle, absolute = _STAFF if session.get(STAFF) else _CUSTOMER
    began, seen = float(session.get(BEGAN, 0)), float(session.get(SEEN, 0))
    return min(seen + idle.total_seconds(), began + absolute.total_seconds())


def touch(session: Any, *, now: float) -> bool:
    """Move "last seen"; true if the row should be saved."""
    if now - float(session.get(SEEN, 0)) < TOUCH_EVERY_S:
        return False
    session[SEEN] = now
    return True


# -- what a log-in showed


def note_password(session: Any, *, now: float) -> None:
    """Remember that the person just showed their password."""
    session[PASSWORD_AT] = now


def note_factor(session: Any, *, kind: str, now: float) -> None:
    """Remember that the person just showed a second factor of this kind."""
    session[FACTOR], session[FACTOR_AT] = kind, now
    if kind == PASSKEY:
        session[PASSKEY_AT] = now


def forget_passkey(session: Any) -> None:
    """Forget that a passkey was shown: there is none any more."""
    session.pop(PASSKEY_AT, None)


def factor_of(session: Any) -> str:
    """Return the kind of factor that was shown last in this log-in; empty for none."""
    return str(session.get(FACTOR, ""))


def has_fresh_factor(session: Any, *, now: float) -> bool:
    """Say whether a second factor was shown in the last five minutes.

    In a log-in by the demo's one click, always: its people's factors are nobody's.
    """
    if factor_of(session) == DEMO:
        return is_of_demo(session)
    return now - float(session.get(FACTOR_AT, 0)) <= FRESH_S


def has_fresh_passkey(session: Any, *, now: float) -> bool:
    """Say whether a passkey was shown in the last five minutes, as staff must."""
    if not settings.STAFF_PASSKEY:
        return has_fresh_factor(session, now=now)
    return now - float(session.get(PASSKEY_AT, 0)) <= FRESH_S or is_of_demo(session)


def opens_back_office(session: Any) -> bool:
    """Say whether a passkey was shown in this log-in."""
    if not settings.STAFF_PASSKEY:
        return bool(factor_of(session))
    return PASSKEY_AT in session or is_of_demo(session)


def is_of_demo(session: Any) -> bool:
    """Say whether this log-in is by the demo's one click, which is worth something in a demo."""
    return factor_of(session) == DEMO and bool(settings.FAIRBOOK_ENV == "demo")


def has_fresh_password(session: Any, *, now: float) -> bool:
    """Say whether the password was shown in the last five minutes."""
    return now - float(session.get(PASSWORD_AT, 0)) <= FRESH_S
