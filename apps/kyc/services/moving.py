"""How an application goes from one state to the next: the row, its step, and the record of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from apps.common import audit
from apps.kyc.models import Application, State, Step


def move(
    application: Application, to: State, *, by: str, at: datetime, reason: str = "", **fields: Any
) -> Application:
    """Write the next state of a locked application, with whatever else changes with it.

    `by` is "user:7", "staff:3" or "system". The database refuses a move that is not allowed.
    """
    for name, value in fields.items():
        setattr(application, name, value)
    application.state, application.moved_at = to, at
    application.save(update_fields=["state", "moved_at", *fields])
    Step.objects.create(application=application, state=to, by=by, reason_code=reason, at=at)
    return application


def record(kind: str, application: Application, *, by: str, **data: Any) -> None:
    """Record an act on an application in the audit log. Nothing personal goes in."""
    audit.record(
        kind,
        subject=f"user:{application.user_id}",
        actor=by,
        application=str(application.public_id),
        tier=application.tier,
        **data,
    )
