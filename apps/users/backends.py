"""Checks a log-in name and its password, for every form there is: tries first, then one hash.

Who is known and who is not cost the same: the same questions to the database, and one hash.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.common.errors import TooManyRequests
from apps.users.models import User
from apps.users.services import attempts, people


class PasswordBackend(ModelBackend):
    """Django's way, behind `attempts`.

    A door that logs somebody in completely says so by `attempts.note_success`; a refusal waits on
    the request (`attempts.refusal_on`), because forms of Django know only yes and no.
    """

    def authenticate(  # type: ignore[override]  # As its parent class does.
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the person, or None; PermissionDenied if the try is not even looked at."""
        if request is None:
            return super().authenticate(request, username, password, **kwargs)
        attempt = attempts.of_request(request, login=username or "")
        attempts.remember_on(request, attempt, None)
        try:
            attempts.check_may_try(attempt)
        except TooManyRequests as refusal:
            attempts.remember_on(request, None, refusal)
            raise PermissionDenied from refusal
        claim = people.with_password(email=username or "", password=password or "")
        if claim.is_right:
            return claim.owner
        attempts.note_failure(attempt, user_id=claim.owner.pk if claim.owner else None)
        return None
