"""What other apps may learn of rules and places: answers, never the rows."""

from __future__ import annotations

import msgspec

EVERYWHERE_ELSE = "*"
"""The row of countries that have none of their own."""

SPOT, PERPETUAL = "spot", "perpetual"

RULES_CHANNEL = "compliance_rules"
"""PostgreSQL's channel on which a decided version is told."""

DISAGREE, ELSEWHERE = "countries_disagree", "address_elsewhere"
ADDRESS_UNKNOWN, ADDRESS_HOSTED = "address_unknown", "address_hosted"
NOT_SERVED = "country_not_served"


class Terms(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What is open in a country, from which tier on. None: to nobody."""

    country: str
    is_sanctioned: bool = False
    spot_from: int | None = None
    perpetual_from: int | None = None
    deposits_from: int | None = None
    withdrawals_from: int | None = None


class Policy(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the rules in force say of one country and tier."""

    is_known: bool
    is_sanctioned: bool = False
    products: tuple[str, ...] = ()
    deposits: bool = False
    withdrawals: bool = False


class RuleBook(msgspec.Struct, frozen=True, kw_only=True):
    """One version of the rules."""

    version: int
    terms: dict[str, Terms]

    def terms_of(self, country: str) -> Terms | None:
        """Return a country's own row, or that of everywhere else; None for no country."""
        return self.terms.get(country) or self.terms.get(EVERYWHERE_ELSE) if country else None

    def policy(self, country: str, tier: int) -> Policy:
        """Say what is open to people of a tier who live in a country ("" is unknown)."""
        terms = self.terms_of(country)
        if terms is None:
            return Policy(is_known=False)
        if terms.is_sanctioned:
            return Policy(is_known=True, is_sanctioned=True)
        kinds = ((SPOT, terms.spot_from), (PERPETUAL, terms.perpetual_from))
        return Policy(
            is_known=True,
            products=tuple(name for name, first in kinds if _is_open(first, tier)),
            deposits=_is_open(terms.deposits_from, tier),
            withdrawals=_is_open(terms.withdrawals_from, tier),
        )


def _is_open(first: int | None, tier: int) -> bool:
    return first is not None and tier >= first


class Place(msgspec.Struct, frozen=True, gc=False):
    """Where an address is, as far as is known: ISO letters, a name, and whether a machine is."""

    country: str | None = None
    city: str | None = None
    is_hosting: bool = False  # A data centre, a VPN or another place where no person sits.
