"""Ends log-ins that were idle, or lasted, too long."""

from __future__ import annotations

import time

from django.contrib.auth import SESSION_KEY, logout
from django.db import OperationalError
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

from apps.users import sessions


class SessionLimits(MiddlewareMixin):
    """Log a person out whose session ended; else note, at most once a minute, that they came."""

    def process_request(self, request: HttpRequest) -> None:
        """Check the clocks of a session that somebody is logged in by."""
        try:
            if SESSION_KEY not in request.session:
                return
            now, is_staff = time.time(), bool(getattr(request.user, "is_staff", False))
        except OperationalError:
            return  # The view that needs the session answers 503 by itself.
        if sessions.BEGAN not in request.session:
            sessions.begin(request.session, now=now)  # A log-in by the admin's own form.
        if sessions.ends_at(request.session, is_staff=is_staff) < now:
            logout(request)
        else:
            sessions.touch(request.session, now=now)
