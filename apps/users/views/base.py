"""What the views of this app share."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from django.contrib.auth import update_session_auth_hash
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request

from apps.common.kernel.invariants import ensure
from apps.users import selectors, sessions
from apps.users.contracts import KeyGrant, Standing
from apps.users.models import User
from apps.users.services import accounts
from apps.users.standing.computing import without_factor

ACCOUNT_HEADER = "HTTP_X_FAIRBOOK_ACCOUNT"
_NUMBER = re.compile(r"[0-9]{1,18}\Z", re.ASCII)


class CsrfChecked:
    """For views that anybody may call from a page of ours, and nobody from a page of others."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Check the CSRF header also of strangers."""
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        if request.method not in ("GET", "HEAD", "OPTIONS"):
            SessionAuthentication().enforce_csrf(request)


def user_id_of(request: Request) -> int:
    """Return who asks."""
    ensure(request.user.pk is not None, "the permission lets only known people in")
    return int(request.user.pk or 0)


def person_of(request: Request) -> User:
    """Return who asks, as a row."""
    ensure(isinstance(request.user, User), "the permission lets only known people in")
    return cast("User", request.user)


def keep_logged_in(request: Request, user: User, *, showed: str = "") -> None:
    """Keep this log-in when the person's others end, under a new cookie."""
    plain = request._request  # noqa: SLF001 - log-ins belong to Django's request.
    if showed:
        sessions.note_factor(plain.session, kind=showed, now=time.time())
    update_session_auth_hash(plain, user)


def account_of(request: Request, *, number: int | None = None) -> Standing:
    """Return the account that a request is about, or refuse.

    That of the key; of a log-in, the one that `number`, the header `X-Fairbook-Account` or the
    parameter `account` names, else the main one. Others' accounts look like none.
    """
    if number is None:
        number = account_named(request)
    if isinstance(request.auth, KeyGrant):
        if number not in (None, request.auth.standing.account):
            raise accounts.NoSuchAccount("There is no such account.")
        return request.auth.standing
    standing = selectors.standing_for_user(user_id_of(request), number=number)
    if standing is not None:
        return standing if sessions.factor_of(request.session) else without_factor(standing)
    if number is not None:
        raise accounts.NoSuchAccount("There is no such account.")
    raise accounts.NoTradingAccount("You have no trading account.")


def account_named(request: Request) -> int | None:
    """Return the number of the account that a request names, if it does."""
    word = request.META.get(ACCOUNT_HEADER) or request.GET.get("account")
    if not word:
        return None
    if not _NUMBER.match(word):
        raise accounts.NoSuchAccount("There is no such account.")
    return int(word)


@contextmanager
def answered_after(seconds: float) -> Iterator[None]:
    """Let an act take at least so long, so that how long it took tells nothing of whom it met."""
    started = time.monotonic()
    yield
    time.sleep(max(0.0, seconds - (time.monotonic() - started)))
