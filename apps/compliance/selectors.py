"""Reads: the rules in force, how versions differ, and what a person's countries tell together."""

from __future__ import annotations

import datetime

from django.utils import timezone

from apps.common.kernel.invariants import ensure
from apps.compliance import contracts, places
from apps.compliance.contracts import Policy, RuleBook, Terms
from apps.compliance.models import CountryRule, RuleDecision, RuleVersion

_books: dict[int, RuleBook] = {}
BOOKS_MAX = 8
FIELDS = ("is_sanctioned", "spot_from", "perpetual_from", "deposits_from", "withdrawals_from")


def version_in_force(at: datetime.datetime | None = None) -> int:
    """Return the number of the version that is (or was) in force."""
    approved = RuleDecision.objects.filter(is_approved=True, effective_at__lte=at or timezone.now())
    number = approved.order_by("-effective_at", "-pk").values_list("version", flat=True).first()
    ensure(number is not None, "some rules are always in force: the first ones are shipped")
    return int(number or 0)


def rules_in_force(at: datetime.datetime | None = None) -> RuleBook:
    """Return the rules that are (or were) in force: one query, once their version was read."""
    number = version_in_force(at)
    if number not in _books:
        while len(_books) >= BOOKS_MAX:
            _books.pop(next(iter(_books)))
        _books[number] = rules_of(number)
    return _books[number]


def rules_of(version: int) -> RuleBook:
    """Return one version's rules."""
    rows = CountryRule.objects.filter(version_id=version).order_by("country")
    return RuleBook(version=version, terms={row.country: _terms(row) for row in rows})


def _terms(row: CountryRule) -> Terms:
    return Terms(
        country=row.country,
        is_sanctioned=row.is_sanctioned,
        spot_from=row.spot_from,
        perpetual_from=row.perpetual_from,
        deposits_from=row.deposits_from,
        withdrawals_from=row.withdrawals_from,
    )


def policy_for(country: str, tier: int) -> Policy:
    """Say what is open now to people of a tier who live in a country."""
    return rules_in_force().policy(country, tier)


def is_sanctioned(country: str | None) -> bool:
    """Whether nobody of this country is served now. No country is none that is sanctioned."""
    return rules_in_force().policy(country or "", 0).is_sanctioned


def open_versions() -> list[RuleVersion]:
    """Return the versions that wait for a second person, oldest first."""
    return list(RuleVersion.objects.filter(decision=None).order_by("pk"))


def versions(*, limit: int = 50) -> list[RuleVersion]:
    """Return the newest versions, newest first, with who did what about them."""
    rows = RuleVersion.objects.select_related("proposed_by", "decision__decided_by")
    return list(rows.order_by("-pk")[:limit])


def version(number: int) -> RuleVersion | None:
    """Return one version with who did what about it, or None."""
    rows = RuleVersion.objects.select_related("proposed_by", "decision__decided_by")
    return rows.filter(pk=number).first()


def difference(old: RuleBook, new: RuleBook) -> list[tuple[str, Terms | None, Terms | None]]:
    """Return each country whose row differs: (country, old row, new row), None for no row."""
    names = sorted(old.terms.keys() | new.terms.keys())
    pairs = ((name, old.terms.get(name), new.terms.get(name)) for name in names)
    return [(name, before, after) for name, before, after in pairs if before != after]


def country_signals(
    *, declared: str, document: str = "", address: str = "", ip: str = ""
) -> list[str]:
    """Say what a person's countries tell together; anything is a reason to look.

    Countries are ISO letters, "" for not told: as declared, as the document says, as the proof of
    address says; `ip` is the network address that they came from. "country_not_served" says that
    one of them is sanctioned, "countries_disagree" that two that were told differ.
    """
    found = []
    told = {country.upper() for country in (declared, document, address) if country}
    if len(told) > 1:
        found.append(contracts.DISAGREE)
    place = places.place_of(ip) if ip else None
    if place is not None and place.country is None:
        found.append(contracts.ADDRESS_UNKNOWN)
    if place is not None and place.country and declared and place.country != declared.upper():
        found.append(contracts.ELSEWHERE)
    if place is not None and place.is_hosting:
        found.append(contracts.ADDRESS_HOSTED)
    where = {place.country} if place is not None and place.country else set()
    if any(is_sanctioned(country) for country in sorted(told | where)):
        found.append(contracts.NOT_SERVED)
    return found
