"""Ends log-ins that were idle, or lasted, too long."""

from __future__ import annotations

import time

from django.contrib.auth import SESSION_KEY
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest
from django.utils.deprecation import MiddlewareMixin

from apps.users import sessions
from apps.users.services import log_ins


class SessionLimits(MiddlewareMixin):
    """Log a person out whose session ended; else note, at most once a minute, that they came."""

    def process_request(self, request: HttpRequest) -> None:
        """Check the clocks of a session that somebody is logged in by."""
        try:
            if SESSION_KEY in request.session:
                self._check(request)
        except (OperationalError, InterfaceError):
            return  # PostgreSQL is away. The view that needs the session says so by itself.

    def _check(self, request: HttpRequest) -> None:
        now = time.time()
        if sessions.BEGAN not in request.session:  # A log-in by the admin's own form.
            is_staff = bool(getattr(request.user, "is_staff", False))
            sessions.begin(request.session, now=now, is_staff=is_staff)
        elif sessions.ends_at(request.session) < now:
            log_ins.end(request, how=log_ins.TOO_OLD)
        else:
            sessions.touch(request.session, now=now)
