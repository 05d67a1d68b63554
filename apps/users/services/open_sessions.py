"""A person's open log-ins: listed with where and by what they began, ended one by one or all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec
from django.contrib.auth import HASH_SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.common import audit
from apps.common.config import config
from apps.common.errors import Refusal
from apps.users import locks, sessions
from apps.users.models import LogIn, User
from apps.users.services import factors, mail, proofs
from apps.users.session_store import SessionStore

LISTED_MAX = 100


class NoSuchSession(Refusal):
    """Another's log-in, one that ended, and none look the same from here."""

    code = "no_such_session"
    http_status = 404


class OpenSession(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One open log-in as its owner sees it."""

    number: int
    device: str
    place: str
    factor: str  # What was shown last beside the password; empty for nothing.
    began_at: datetime
    seen_at: datetime
    ends_at: datetime  # As things stand: each use puts it off.
    is_this: bool


def note(session_key: str, *, user_id: int, device_id: int | None, name: str, place: str) -> None:
    """Remember whose the session of a cookie is, and where it began."""
    LogIn.objects.create(
        session_key=sessions.name_of(session_key),
        user_id=user_id,
        device_id=device_id,
        name=name,
        place=place,
    )


def list_open(*, user_id: int, this: str | None) -> list[OpenSession]:
    """Return a person's open log-ins, last used first. `this` is the cookie of who asks."""
    found = [_told(row, kept, _named(this)) for row, kept in _alive(user_id)]
    return sorted(found, key=lambda one: one.seen_at, reverse=True)


@transaction.atomic(durable=True)
def revoke(*, user_id: int, number: int) -> None:
    """End one log-in at once, everywhere."""
    row = _open_row(user_id, number)
    _end(row)
    _record([row], user_id=user_id, actor=f"user:{user_id}")


@transaction.atomic(durable=True)
def revoke_others(*, user_id: int, this: str | None) -> int:
    """End all log-ins of a person but the one that asks; return how many."""
    others = [row for row, _ in _alive(user_id) if row.session_key != _named(this)]
    for row in others:
        _end(row)
    if others:
        _record(others, user_id=user_id, actor=f"user:{user_id}")
    return len(others)


@transaction.atomic
def keep_to_limit(user_id: int) -> None:
    """End a person's oldest log-ins if there are more than may be at a time; tell them by mail."""
    user = locks.lock_person(user_id)  # Of many at once, the last sees all.
    most = config.integer("FAIRBOOK_STAFF_LOG_INS" if user.is_staff else "FAIRBOOK_LOG_INS")
    for row in [row for row, _ in _alive(user_id)][max(1, most) :]:
        _end(row)
        _record([row], user_id=user_id, actor="system", reason="too_many")
        if proofs.may_mail("over-limit", user.email):
            words = {"device": row.name, "place": row.place, "most": most}
            mail.tell_user("log_in_over_limit", user, at=timezone.now(), **words)


@transaction.atomic(durable=True)
def end_by_staff(*, user_id: int, number: int | None, by: int, reason: str) -> None:
    """End one log-in of a person at once, everywhere, or all of them; they hear of it by mail."""
    user = locks.lock_person(user_id)
    if number is None:
        rows = list(_with_session(user_id))
        factors.count_anew(user)  # And what no row names: half-open ones, one that just begins.
        mail.tell_user("log_ins_ended", user, at=timezone.now())
    else:
        rows = [_open_row(user_id, number)]
        words = {"device": rows[0].name, "place": rows[0].place}
        mail.tell_user("log_in_ended", user, at=timezone.now(), **words)
    for row in rows:
        _end(row)
    _record(rows, user_id=user_id, actor=f"staff:{by}", reason=reason)


@transaction.atomic
def forget_ended() -> int:
    """Drop sessions that are over by their age, and what is kept of those that are gone."""
    SessionStore.clear_expired()
    gone = LogIn.objects.exclude(session_key__in=Session.objects.values("session_key"))
    return gone.delete()[0]


def _open_row(user_id: int, number: int) -> LogIn:
    row = _with_session(user_id).filter(pk=number).first()
    if row is None:
        raise NoSuchSession("There is no such log-in.")
    return row


def _with_session(user_id: int) -> QuerySet[LogIn]:
    """Return the log-ins that did not end, newest first; some may be over by their age."""
    kept = Session.objects.values("session_key")
    return LogIn.objects.filter(user_id=user_id, session_key__in=kept).order_by("-began_at", "-pk")


def _record(rows: list[LogIn], *, user_id: int, actor: str, **why: str) -> None:
    numbers = [row.pk for row in rows]
    audit.record("session.revoked", subject=f"user:{user_id}", actor=actor, sessions=numbers, **why)


def _end(row: LogIn) -> None:
    name = row.session_key
    LogIn.objects.filter(pk=row.pk).delete()  # The row in hand keeps its number, for the record.
    Session.objects.filter(session_key=name).delete()
    transaction.on_commit(lambda: SessionStore().end(name))  # Its copy, and all edges hear.


def _named(cookie: str | None) -> str:
    return sessions.name_of(cookie) if cookie else ""


def _alive(user_id: int) -> Iterator[tuple[LogIn, dict[str, Any]]]:
    """Return the log-ins that still open something, with what their rows say."""
    mark, now = User.objects.get(pk=user_id).get_session_auth_hash(), time.time()
    rows = list(_with_session(user_id)[:LISTED_MAX])
    kept = Session.objects.in_bulk([row.session_key for row in rows])
    for row in rows:
        if row.session_key in kept:
            said = kept[row.session_key].get_decoded()
            is_its = constant_time_compare(str(said.get(HASH_SESSION_KEY, "")), mark)
            if is_its and sessions.ends_at(said) >= now:
                yield row, said


def _told(row: LogIn, said: dict[str, Any], this: str | None) -> OpenSession:
    return OpenSession(
        number=row.pk,
        device=row.name,
        place=row.place,
        factor=sessions.factor_of(said),
        began_at=_moment(said[sessions.BEGAN]),
        seen_at=_moment(said[sessions.SEEN]),
        ends_at=_moment(sessions.ends_at(said)),
        is_this=row.session_key == this,
    )


def _moment(unix_s: float) -> datetime:
    return datetime.fromtimestamp(unix_s, UTC)
