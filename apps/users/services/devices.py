"""Known devices: browsers that completed a log-in of a person, and are theirs for 90 days.

A known device opens nothing by itself. It is not slowed down by what others try (`attempts`), and
its log-ins are no news to its owner. The cookie is signed, names the last few people who used the
browser, and stands for nobody once its row is revoked.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_noop
from ua_parser import parse

from apps.common import audit
from apps.common.errors import Refusal
from apps.users.contracts import KnownDevice
from apps.users.models import Device
from apps.users.services import mail

COOKIE = settings.DEVICE_COOKIE_NAME
KNOWN_FOR = timedelta(days=90)
PEOPLE_PER_COOKIE_MAX, DEVICES_PER_PERSON_MAX = 4, 20
_SALT, _USER_AGENT_MAX = "users.devices", 400


class NoSuchDevice(Refusal):
    """Another's device and no device look the same from here."""

    code = "no_such_device"
    http_status = 404


def recognise(request: HttpRequest, *, email: str) -> KnownDevice | None:
    """Return the device of a person that this browser is, or None.

    It asks the database the same for every address, and nothing if there is no cookie.
    """
    marks = _marks(request)
    if not marks:
        return None
    live = Device.objects.live(timezone.now()).filter(mark__in=marks).select_related("user")
    return next((_known(row) for row in live if row.user.email == email.lower()), None)


@transaction.atomic
def remember(
    request: HttpRequest, response: HttpResponse, *, user_id: int, place: str = ""
) -> KnownDevice:
    """Know this browser as a person's from now on, after a complete log-in; renew its cookie.

    They hear of a new one by mail (the answer's `is_new`); their first device ever is no news.
    """
    marks, now = _marks(request), timezone.now()
    row = Device.objects.live(now).owned_by(user_id).filter(mark__in=marks).first()
    if row is not None:
        row.last_seen_at, row.known_until = now, now + KNOWN_FOR
        row.name, row.place = name_of(request), place or row.place
        row.save(update_fields=["last_seen_at", "known_until", "name", "place"])
        known = _known(row)
    else:
        had_any = Device.objects.owned_by(user_id).exists()
        row = Device.objects.create(
            mark=secrets.token_hex(16),
            user_id=user_id,
            name=name_of(request),
            place=place,
            known_until=now + KNOWN_FOR,
        )
        _forget_oldest(user_id)
        who = f"user:{user_id}"
        audit.record("device.added", subject=who, actor=who, device=row.pk)
        known = _known(row, is_new=had_any)
        if known.is_new:
            mail.tell_new_device(row.user, known)
    _put_cookie(response, [row.mark, *(mark for mark in marks if mark != row.mark)])
    return known


def list_devices(*, user_id: int) -> QuerySet[Device]:
    """Return a person's known devices, last used first."""
    live = Device.objects.live(timezone.now()).owned_by(user_id)
    return live.order_by("-last_seen_at", "-pk")


def with_this_one(request: HttpRequest, rows: Iterable[Device]) -> list[Device]:
    """Mark the device that asks: `is_this`."""
    marks, listed = _marks(request), list(rows)
    for row in listed:
        row.is_this = row.mark in marks
    return listed


@transaction.atomic
def revoke(*, user_id: int, number: int) -> None:
    """Stop knowing a device. Its log-ins end by their own door (sessions)."""
    live = Device.objects.live(timezone.now()).owned_by(user_id).filter(pk=number)
    if (row := live.first()) is None:
        raise NoSuchDevice("There is no such device.")
    _end([row], user_id)


@transaction.atomic
def revoke_all(*, user_id: int, but: str = "") -> None:
    """Stop knowing a person's devices, all or all but one."""
    _end(list_devices(user_id=user_id).exclude(mark=but), user_id)


def name_of(request: HttpRequest) -> str:
    """Name a browser as its user agent says: "Firefox on Linux"."""
    said = parse(request.META.get("HTTP_USER_AGENT", "")[:_USER_AGENT_MAX])
    browser = said.user_agent.family if said.user_agent else "Unknown program"
    return (gettext_noop(f"{browser} on {said.os.family}") if said.os else browser)[:80]


def _known(row: Device, *, is_new: bool = False) -> KnownDevice:
    return KnownDevice(
        mark=row.mark,
        number=row.pk,
        user_id=row.user_id,
        name=row.name,
        place=row.place,
        is_new=is_new,
    )


def _marks(request: HttpRequest) -> list[str]:
    raw = request.COOKIES.get(COOKIE, "")
    if not raw:
        return []
    try:
        marks = signing.loads(raw, salt=_SALT, max_age=KNOWN_FOR)
    except signing.BadSignature:
        return []
    return [str(mark) for mark in marks][:PEOPLE_PER_COOKIE_MAX]


def _put_cookie(response: HttpResponse, marks: list[str]) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps(marks[:PEOPLE_PER_COOKIE_MAX], salt=_SALT),
        max_age=KNOWN_FOR,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def _forget_oldest(user_id: int) -> None:
    _end(list_devices(user_id=user_id)[DEVICES_PER_PERSON_MAX:], user_id)


def _end(rows: Iterable[Device], user_id: int) -> None:
    who = f"user:{user_id}"
    for row in rows:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        audit.record("device.revoked", subject=who, actor=who, device=row.pk)
