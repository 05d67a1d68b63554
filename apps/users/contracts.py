"""What other apps may learn of people: answers, never the rows."""

from __future__ import annotations

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

import msgspec

ED25519, HMAC = "ed25519", "hmac"
"""What a key signs with: its owner's private key, which we never see, or a secret of ours."""

STAFF_ROLES = ("support", "compliance", "treasury", "risk", "operator", "auditor", "admin")
STAFF_ACTS = {
    "support": ("users.end_log_ins",),
    "operator": (
        "markets.list_market",
        "markets.delist_market",
        "markets.set_market_state",
    ),
    "compliance": (
        "kyc.review",
        "kyc.downgrade",
        "compliance.propose_rules",
        "compliance.decide_rules",
        "users.freeze_account",
        "users.decide_factor_reset",
        "users.end_log_ins",
    ),
    "risk": ("users.freeze_account",),
}
"""What a role may do beyond looking. (An admin may do everything.)"""


class Allowance(msgspec.Struct, frozen=True, gc=False):
    """What an account may withdraw in rolling windows, in whole US dollars; None: no limit."""

    day_usd: int | None = 0
    month_usd: int | None = 0


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
    may_deposit: bool = False
    may_withdraw: bool = False
    is_staff: bool = False
    products: tuple[str, ...] = ()  # What it may trade: "spot", "perpetual".
    reasons: tuple[str, ...] = ()  # Why not: words of `standing.codes`, the weightiest first.
    allowance: Allowance = Allowance()


class KeyGrant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A live API key: whose it is, what checks its signatures, and where it may be used."""

    public_id: str
    secret: bytes  # Of an Ed25519 key, the public half.
    standing: Standing
    kind: str = HMAC
    can_withdraw: bool = False
    markets: frozenset[str] = frozenset()  # Where it may trade and cancel; none named: everywhere.
    networks: tuple[IPv4Network | IPv6Network, ...] = ()  # None named: from everywhere.
    expires_at: float = float("inf")  # Unix seconds: from then on it opens nothing.


class SessionGrant(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A live log-in of a person with a trading account."""

    standing: Standing
    expires_at: float  # Unix seconds: when the log-in ends at the latest.


Grant = KeyGrant | SessionGrant


class KeyTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a key may do, and from where, as its owner wishes. A key always reads."""

    label: str = ""
    can_trade: bool = False
    can_withdraw: bool = False
    markets: tuple[str, ...] = ()  # None: all.
    networks: tuple[str, ...] = ()  # None: from everywhere.
    expires_at: datetime | None = None


class NewKey(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A key as its owner sees it once."""

    public_id: str
    kind: str
    secret: str  # Empty if the owner signs with a private key: we never had it.
    label: str
    can_trade: bool
    can_withdraw: bool
    markets: tuple[str, ...]
    networks: tuple[str, ...]
    expires_at: datetime | None


class KeyUse(msgspec.Struct, frozen=True, gc=False):
    """That a key signed a request."""

    public_id: str
    at: float  # Unix seconds.
    address: str


class KnownDevice(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A browser that a person has completed a log-in with, at most 90 days ago."""

    mark: str
    number: int
    user_id: int
    name: str
    place: str
    is_new: bool = False  # It became known just now, and is not their first.


class Changed(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Told to every edge at once: what it remembers under this name is no longer so."""

    kind: str  # "key", "session" or "account".
    name: str
    gone: bool  # It ended: refuse it from now on, whether PostgreSQL answers or not.
