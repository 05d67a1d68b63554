"""How a log-in comes about: by a password, then by a second factor if the person has one.

The right password of somebody with a factor makes a *half-open* log-in. It is kept in the browser's
session, opens nothing, and is good for five minutes and for one thing: to be completed.
"""

from __future__ import annotations

import time

import msgspec
from django.contrib.auth import SESSION_KEY, login, logout
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from apps.common import audit
from apps.common.errors import Refusal
from apps.users import sessions
from apps.users.models import LogIn, User
from apps.users.services import devices, factor_resets, factors, open_sessions

HALF_OPEN, HALF_OPEN_S = "half_open", 300
PASSWORD = "password"  # noqa: S105  # nosec B105 - what was shown, not one.
CLEARS = '"cache", "storage"'  # What a browser drops at a log-out. Cookies of its own choice stay.
LOG_OUT, TOO_OLD, ANOTHER = "log_out", "too_old", "another_log_in"  # How a log-in ends.


class LogInAgain(Refusal):
    """There is no half-open log-in in this browser (any more)."""

    code = "log_in_again"
    http_status = 401


class HalfOpen(msgspec.Struct, frozen=True, kw_only=True):
    """A log-in that waits for a second factor."""

    user: User
    place: str


def begin_half(request: HttpRequest, user: User, *, place: str) -> None:
    """Remember in this browser that the password was right, under a new cookie."""
    request.session.flush()
    request.session[HALF_OPEN] = {
        "user": user.pk,
        "place": place,
        "mark": user.get_session_auth_hash(),  # Another password meanwhile, and this is over.
        "at": time.time(),
    }
    request.session.set_expiry(HALF_OPEN_S)


def is_half_open(request: HttpRequest) -> bool:
    """Say whether this browser has begun a log-in by a password, in time or not."""
    return HALF_OPEN in request.session


def half_open(request: HttpRequest) -> HalfOpen:
    """Return the half-open log-in of this browser, or refuse."""
    kept = request.session.get(HALF_OPEN)
    if kept and time.time() - kept["at"] <= HALF_OPEN_S:
        user = User.objects.filter(pk=kept["user"], is_active=True).first()
        if user and constant_time_compare(kept["mark"], user.get_session_auth_hash()):
            return HalfOpen(user=user, place=kept["place"])
    raise LogInAgain("This log-in was not completed in time. Begin again.")


def complete(request: HttpRequest, user: User, *, by: str) -> None:
    """Log a person in, under a new cookie. `by` is what was shown last: a factor, or a password."""
    now = time.time()
    if SESSION_KEY in request.session:  # Of somebody, perhaps the same: that log-in ends here.
        end(request, how=ANOTHER)
    request.session.pop(HALF_OPEN, None)
    request.session.set_expiry(None)
    with transaction.atomic():
        login(request, user)
        who = f"user:{user.pk}"
        audit.record("session.began", subject=who, actor=who, by=by)
        if by not in (PASSWORD, sessions.DEMO):
            factor_resets.withdraw(user)
    sessions.begin(request.session, now=now, is_staff=bool(user.is_staff))
    if by != factors.PASSKEY:
        sessions.note_password(request.session, now=now)
    if by != PASSWORD:
        sessions.note_factor(request.session, kind=by, now=now)


def end(request: HttpRequest, *, how: str) -> None:
    """Log this browser out at every edge, and record it: once, however many ask at once."""
    user_id, name = request.session.get(SESSION_KEY), sessions.name_of(_key_of(request))
    with transaction.atomic():
        known = LogIn.objects.filter(session_key=name).values_list("pk", flat=True).first()
        if user_id and Session.objects.filter(session_key=name).delete()[0]:
            who = f"user:{user_id}"
            actor = "system" if how == TOO_OLD else who
            audit.record("session.ended", subject=who, actor=actor, how=how, session=known)
    logout(request)


def step_up(request: HttpRequest, *, by: str) -> None:
    """Remember that somebody logged in has just shown again that it is them."""
    now = time.time()
    if by == PASSWORD:
        sessions.note_password(request.session, now=now)
    else:
        sessions.note_factor(request.session, kind=by, now=now)


def _key_of(request: HttpRequest) -> str:
    return str(request.session.session_key or "")


def note_place(request: HttpRequest, response: HttpResponse, user: User, *, place: str) -> None:
    """Know the browser of a complete log-in from now on, and list the log-in with it."""
    device = devices.remember(request, response, user_id=user.pk, place=place)
    open_sessions.note(
        str(request.session.session_key),
        user_id=user.pk,
        device_id=device.number,
        name=device.name,
        place=place,
    )
    if not sessions.is_of_demo(request.session):  # There everybody is the same few people.
        request.session.save()  # So that of many at once, the last to look sees all.
        open_sessions.keep_to_limit(user.pk)
