"""What a provider of identity checks is: one class that answers one question at a time.

A real provider implements `Provider` over its HTTP interface: it sends the pictures, passes
`timeout_s` to its client, raises `ProviderAway` for whatever may heal by itself, and turns each
verdict into a `Finding`. It is registered in `apps.kyc.providers` under its name. Everything else
(retries, rounds, what follows from a finding) is the same for all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal, Protocol

import msgspec

Outcome = Literal["pass", "fail", "refer"]


class ProviderAway(Exception):
    """The provider does not answer, or asks to come again. Nothing was decided."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One verdict. Codes are words of ours; nothing personal is in them."""

    outcome: Outcome
    codes: tuple[str, ...] = ()
    reference: str = ""
    valid_until: date | None = None


class Case(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a provider gets to see: what a person says, and the papers one check is about."""

    name: str  # The application's, the same in every try: a provider can drop repeats.
    tier: int
    answers: Mapping[str, str]
    papers: Mapping[str, tuple[bytes, ...]]  # JPEGs, by kind of paper.
    today: date


class Provider(Protocol):
    """Somebody who can tell whether a person is who they say."""

    name: str

    def check(self, kind: str, case: Case, *, timeout_s: float) -> Finding:
        """Answer one question of `CHECKS` within the time, or raise `ProviderAway`."""


CHECKS: dict[int, tuple[str, ...]] = {
    1: ("person",),  # Register and watch lists.
    2: ("identity", "liveness", "address"),
    3: ("funds",),
    4: ("company",),
}
