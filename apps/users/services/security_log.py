"""What happened to the ways into a person's account, out of the audit log, as they may read it."""

from __future__ import annotations

from datetime import datetime

import msgspec
from django.utils.translation import gettext_noop

from apps.common import audit

READ, SHOWN = 400, 100
WORDS = {
    "session.began": gettext_noop("Logged in"),
    "session.ended": gettext_noop("Logged out"),
    "session.revoked": gettext_noop("A log-in was ended"),
    "log_in.failed": gettext_noop("Log-ins or proofs failed"),
    "factor.added": gettext_noop("A second factor was added"),
    "factor.removed": gettext_noop("A second factor was removed"),
    "factor.recovery_used": gettext_noop("A recovery code was used"),
    "factor.reset_asked": gettext_noop("A reset of all second factors was asked for"),
    "factor.reset": gettext_noop("All second factors were reset"),
    "factor.reset_withdrawn": gettext_noop("A reset was taken back: a factor was shown"),
    "factor.reset_refused": gettext_noop("A reset of all second factors was refused"),
    "password.changed": gettext_noop("The password was changed"),
    "password.reset_asked": gettext_noop("A new password was asked for"),
    "email.change_asked": gettext_noop("Another e-mail address was asked for"),
    "email.changed": gettext_noop("The e-mail address was changed"),
    "device.added": gettext_noop("A device became known"),
    "device.revoked": gettext_noop("A device is known no more"),
    "key.made": gettext_noop("An API key was made"),
    "key.revoked": gettext_noop("An API key was revoked"),
    "withdrawals.locked": gettext_noop("Withdrawals were locked for a while"),
    "user.registered": gettext_noop("The account was opened"),
}
_DETAIL = {  # Words of ours; what staff wrote is not among them.
    "session.began": "by",
    "session.ended": "how",
    "log_in.failed": "purpose",
    "factor.added": "factor",
    "factor.removed": "factor",
    "password.changed": "how",
    "withdrawals.locked": "reason",
}


class Happening(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One line of the log."""

    at: datetime
    kind: str
    text: str
    detail: str


def read(user_id: int) -> list[Happening]:
    """Return the newest happenings, newest first."""
    found = [
        Happening(
            at=row.at,
            kind=row.kind,
            text=WORDS[row.kind],
            detail=str(row.data.get(_DETAIL.get(row.kind, ""), "")),
        )
        for row in audit.records_about(f"user:{user_id}", limit=READ)
        if row.kind in WORDS
    ]
    return found[:SHOWN]
