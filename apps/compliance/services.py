"""What can be done about rules, and the refusal of who is not served.

A version is proposed whole by one person and decided by another; nothing is ever edited.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.db import connection, transaction
from django.utils import timezone
from django_countries import countries

from apps.common import audit
from apps.common.errors import Refusal
from apps.compliance import contracts, locks, places, selectors
from apps.compliance.contracts import EVERYWHERE_ELSE, Terms
from apps.compliance.models import REASON_LENGTH_MAX, CountryRule, RuleDecision, RuleVersion


class CountryNotServed(Refusal):
    """Nobody of this country, or at this address, is served."""

    code = "country_not_served"
    http_status = 403


class BadRules(Refusal):
    """The rules cannot be so; the message says which."""

    code = "invalid"


class NothingChanges(Refusal):
    """The proposal is what is in force already."""

    code = "nothing_changes"
    http_status = 409


class NoSuchVersion(Refusal):
    """There is no version of this number."""

    code = "no_such_version"
    http_status = 404


class DecidedAlready(Refusal):
    """Somebody decided this version before."""

    code = "decided_already"
    http_status = 409


class OwnProposal(Refusal):
    """Who proposed something does not decide it."""

    code = "own_proposal"
    http_status = 403


class OutOfDate(Refusal):
    """Other rules came into force after this was proposed: it would take them back unseen."""

    code = "out_of_date"
    http_status = 409


def check_served(*, country: str, address: str) -> None:
    """Refuse who lives in a sanctioned country, or comes from an address in one.

    `country` is the declared one in ISO letters ("" is not told), `address` that of the network.
    """
    place = places.place_of(address)
    if selectors.is_sanctioned(country) or selectors.is_sanctioned(place.country):
        raise CountryNotServed("We do not serve people in this country.")


@transaction.atomic(durable=True)
def propose(
    terms: Sequence[Terms],
    *,
    by: int,
    reason: str,
    effective_from: datetime.datetime,
    based_on: int | None = None,
) -> int:
    """Propose a whole set of rules, and return its version; another person decides.

    `effective_from` is wished for: a version is never in force before it is approved.
    `based_on` is the version that its author saw (the one in force, unless told).
    """
    reason = _checked_reason(reason)
    _check(terms)
    old = selectors.rules_in_force()
    if {one.country: one for one in terms} == old.terms:
        raise NothingChanges("These rules are in force already.")
    version = RuleVersion.objects.create(
        based_on_id=based_on or old.version,
        proposed_by_id=by,
        effective_from=effective_from,
        reason=reason,
    )
    CountryRule.objects.bulk_create(_row(version, one) for one in terms)
    audit.record(
        "rules.proposed",
        subject=f"rules:{version.pk}",
        actor=f"staff:{by}",
        based_on=version.based_on_id,
        reason=reason,
    )
    return version.pk


@transaction.atomic(durable=True)
def decide(
    version: int, *, approved: bool, by: int, reason: str, at: datetime.datetime | None = None
) -> datetime.datetime:
    """Approve a version that somebody else proposed, or refuse it; return from when it counts."""
    reason = _checked_reason(reason)
    locks.lock_rules()
    # Only now: who came first by the clock and second to the lock would not see what is in force.
    at = at or timezone.now()
    row = RuleVersion.objects.filter(pk=version).first()
    if row is None:
        raise NoSuchVersion("There is no such version.")
    if RuleDecision.objects.filter(version=row).exists():
        raise DecidedAlready("Somebody decided this before.")
    if row.proposed_by_id == by:
        raise OwnProposal("Another person has to decide what you proposed.")
    if approved and row.based_on_id != selectors.version_in_force(at):
        raise OutOfDate("Other rules came into force since; propose it again.")
    effective_at = max(row.effective_from, at)
    RuleDecision.objects.create(
        version=row,
        is_approved=approved,
        proposed_by_id=row.proposed_by_id,
        decided_by_id=by,
        decided_at=at,
        effective_at=effective_at,
        reason=reason,
    )
    kind = "rules.approved" if approved else "rules.refused"
    audit.record(kind, subject=f"rules:{version}", actor=f"staff:{by}", reason=reason)
    with connection.cursor() as cursor:  # Heard at commit, by the publisher of standings.
        cursor.execute("SELECT pg_notify(%s, %s)", [contracts.RULES_CHANNEL, str(version)])
    return effective_at


def _checked_reason(reason: str) -> str:
    reason = reason.strip()
    if not 0 < len(reason) <= REASON_LENGTH_MAX:
        raise BadRules("Give a reason.", fields={"reason": "Say why, in a sentence."})
    return reason


def _check(terms: Sequence[Terms]) -> None:
    names = [one.country for one in terms]
    if len(set(names)) != len(names):
        raise BadRules("A country is there twice.")
    if EVERYWHERE_ELSE not in names:
        raise BadRules("There is no row for everywhere else.")
    for one in terms:
        if one.country != EVERYWHERE_ELSE and one.country not in countries:
            raise BadRules(f"There is no country {one.country}.", country=one.country)
        firsts = (one.spot_from, one.perpetual_from, one.deposits_from, one.withdrawals_from)
        if any(first is not None and not 1 <= first <= 4 for first in firsts):
            raise BadRules(f"{one.country}: a tier is 1 to 4.", country=one.country)
        if one.perpetual_from and not (one.spot_from and one.spot_from <= one.perpetual_from):
            raise BadRules(f"{one.country}: who trades perpetuals trades spot.")
        if one.is_sanctioned and any(first is not None for first in firsts):
            raise BadRules(f"{one.country}: nothing is open under sanctions.", country=one.country)
    if next(one for one in terms if one.country == EVERYWHERE_ELSE).is_sanctioned:
        raise BadRules("Everywhere else cannot be sanctioned.")


def _row(version: RuleVersion, terms: Terms) -> CountryRule:
    return CountryRule(
        version=version,
        country=terms.country,
        **{name: getattr(terms, name) for name in selectors.FIELDS},
    )
