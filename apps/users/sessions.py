"""How long a log-in lasts: 30 minutes idle and 12 hours at most; staff 15 minutes and 8 hours.

A session's row carries when it began and when it was last seen. "Last seen" moves at most once a
minute, so that reading a page writes nothing most of the time.
"""

from __future__ import annotations

import re
from datetime import timedelta
from hashlib import sha256
from typing import Any

BEGAN, SEEN, STAFF = "began_at", "seen_at", "is_staff"
TOUCH_EVERY_S = 60.0
_KEY = re.compile(r"[a-z0-9]{8,40}", re.ASCII)
_CUSTOMER = (timedelta(minutes=30), timedelta(hours=12))
_STAFF = (timedelta(minutes=15), timedelta(hours=8))


def name_of(session_key: str) -> str:
    """Return what a session is called outside its row: never the cookie itself."""
    return sha256(session_key.encode()).hexdigest()


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
