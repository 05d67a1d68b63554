"""What happened to the ways into a person's account, out of the audit log, as they may read it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from apps.common import audit

READ, SHOWN = 400, 100
WORDS = {
    "session.began": "Logged in",
    "session.ended": "Logged out",
    "session.revoked": "A log-in was ended",
    "log_in.failed": "Log-ins or proofs failed",
    "factor.added": "A second factor was added",
    "factor.removed": "A second factor was removed",
    "factor.recovery_used": "A recovery code was used",
    "factor.reset_asked": "A reset of all second factors was asked for",
    "factor.reset": "All second factors were reset",
    "factor.reset_withdrawn": "A reset was taken back: a factor was shown",
    "factor.reset_refused": "A reset of all second factors was refused",
    "password.changed": "The password was changed",
    "password.reset_asked": "A new password was asked for",
    "email.change_asked": "Another e-mail address was asked for",
    "email.changed": "The e-mail address was changed",
    "device.added": "A device became known",
    "device.revoked": "A device is known no more",
    "key.made": "An API key was made",
    "key.revoked": "An API key was revoked",
    "withdrawals.locked": "Withdrawals were locked for a while",
    "user.registered": "The account was opened",
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
