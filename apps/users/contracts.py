"""What other apps may learn of people: answers, never the rows."""

from __future__ import annotations

import msgspec

STAFF_ROLES = ("support", "compliance", "treasury", "risk", "operator", "auditor", "admin")


class Standing(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What an account may do at this moment, by this way in: a key may allow less than a log-in."""

    user_id: int
    account: int
    partition: int
    kyc_tier: int
    vip_tier: int
    may_read: bool
    may_trade: bool  # New orders. Cancels need only the way in to allow them.
    may_cancel: bool
    is_staff: bool = False


class KeyGrant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A live API key: whose it is, and the secret that checks its signatures."""

    public_id: str
    secret: bytes
    standing: Standing


class SessionGrant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A live log-in of a person with a trading account."""

    standing: Standing
    expires_at: float  # Unix seconds: when the log-in ends at the latest.


Grant = KeyGrant | SessionGrant


class NewKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A key as its owner sees it once."""

    public_id: str
    secret: str
    label: str
    can_trade: bool


class Changed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Told to every edge at once: what it remembers under this name is no longer so."""

    kind: str  # "key", "session" or "account".
    name: str
    gone: bool  # It ended: refuse it from now on, whether PostgreSQL answers or not.
