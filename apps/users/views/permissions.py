"""Step-up: what a person must have shown in the last five minutes, before a door lets them act.

Refused with `step_up_needed`: show a factor (or, without any, the password) at
`/api/v1/session/factor`, and ask again.
"""

from __future__ import annotations

import time
from typing import Any

from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request

from apps.common.errors import Refusal
from apps.users import sessions
from apps.users.services import factors, log_ins
from apps.users.views.base import user_id_of

READS = ("GET", "HEAD", "OPTIONS")


class StepUpNeeded(Refusal):
    """What was shown in this log-in is not fresh enough for this. Nothing was done."""

    code = "step_up_needed"
    http_status = 403


class FactorRequired(Refusal):
    """This is for people with a second factor. Nothing was done."""

    code = "factor_required"
    http_status = 403


class HasFreshFactor(BasePermission):
    """Lets in who showed a second factor in the last five minutes. Reads pass."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuse with a code of its own, so that a page can ask for the factor."""
        if request.method not in READS and IsAuthenticated().has_permission(request, view):
            self.check(request)
        return True

    def check(self, request: Request) -> None:
        """Refuse who has no factor, or did not show it of late."""
        if not getattr(request.user, "has_factor", False):
            raise FactorRequired("Add a second factor first.")
        if not self.is_fresh(request):
            raise step_up_needed(request)

    @staticmethod
    def is_fresh(request: Request) -> bool:
        """Say whether a factor is fresh: of staff who have a passkey, a passkey.

        Else a weaker one would do to add a passkey, and so to open the back office.
        """
        now = time.time()
        if getattr(request.user, "is_staff", False) and factors.has_passkey(user_id_of(request)):
            return sessions.has_fresh_passkey(request.session, now=now)
        return sessions.has_fresh_factor(request.session, now=now)


class HasFreshFactorIfAny(HasFreshFactor):
    """Lets in also who has no second factor: what the door itself asks for must do."""

    def check(self, request: Request) -> None:
        """Refuse who has a factor and did not show it of late."""
        if getattr(request.user, "has_factor", False):
            super().check(request)


class HasFreshProof(HasFreshFactor):
    """Lets in who showed the strongest they have: a factor, or the password if they have none."""

    def check(self, request: Request) -> None:
        """Refuse what is stale."""
        if getattr(request.user, "has_factor", False):
            super().check(request)
        elif not sessions.has_fresh_password(request.session, now=time.time()):
            raise step_up_needed(request)


def step_up_needed(request: Request) -> StepUpNeeded:
    """Say by what a person may step up."""
    by = factors.kinds_of(user_id_of(request)) or [log_ins.PASSWORD]
    if getattr(request.user, "is_staff", False) and factors.PASSKEY in by:
        by = [factors.PASSKEY]
    return StepUpNeeded("Please confirm that it is you.", factors=by)
