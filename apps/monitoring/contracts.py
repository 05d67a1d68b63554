"""What the verifier says: the JSON of `manage.py verify --json`, and the trust bar's line."""

from __future__ import annotations

import msgspec

SCHEMA = "fairbook.verify/1"
INVARIANTS = tuple(f"I{number}" for number in range(1, 13))


class Invariant(msgspec.Struct, frozen=True, kw_only=True):
    """One invariant of the exchange: how much was looked at, and the first thing that is wrong."""

    id: str
    ok: bool | None  # None: not checked, and `skipped` says why.
    checked: int
    violations: int
    first: str | None
    skipped: str | None


class Hashes(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's state hash at its last batch, by each way there is to get it."""

    live: str | None  # From a standby or a snapshot of it; None without one.
    genesis: str | None
    snapshot: str | None


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """All that one run of the verifier found."""

    schema: str
    ok: bool
    at: dict[str, int]
    invariants: list[Invariant]
    imbalance_minor: dict[str, str]
    hashes: dict[str, Hashes]
    seconds: float


class VerifyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The verifier's last word, as every page shows it."""

    ok: bool
    imbalance: dict[str, str]
    seqs: dict[str, int]
    at: float
    seconds: float
    first: str | None = None  # What is wrong, if something is.
    is_caught_up: bool = True  # False while it still reads what was there before it started.
