"""A version of the rules takes two people, and is decided once."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connections, transaction
from django.utils import timezone

from apps.common.audit import records_about
from apps.compliance import selectors, services
from apps.compliance.models import RuleDecision, RuleVersion
from apps.users.services import people
from tests.compliance.test_rules import PASSWORD, REASON, changed


@pytest.fixture
def staff(db, cache) -> tuple[int, int]:
    return two_of_compliance()


def two_of_compliance() -> tuple[int, int]:
    first, second = (
        people.register(email=f"c{n}@example.org", password=PASSWORD, role="compliance")
        for n in (1, 2)
    )
    return first, second


def propose(by: int, country: str = "FR", **fields: object) -> int:
    terms = changed(country, **({"spot_from": 3} | fields))
    return services.propose(terms, by=by, reason=REASON, effective_from=timezone.now())


def test_who_proposed_does_not_decide(staff):
    before = selectors.version_in_force()
    version = propose(staff[0])

    for approved in (True, False):
        with pytest.raises(services.OwnProposal):
            services.decide(version, approved=approved, by=staff[0], reason=REASON)

    assert selectors.version_in_force() == before
    assert not RuleDecision.objects.filter(version=version).exists()


def test_the_database_refuses_it_as_well(staff):
    version = propose(staff[0])
    now = timezone.now()

    with pytest.raises(IntegrityError, match="rules_take_two_people"), transaction.atomic():
        RuleDecision.objects.create(
            version_id=version, is_approved=True, proposed_by_id=staff[0],
            decided_by_id=staff[0], decided_at=now, effective_at=now, reason=REASON,
        )  # fmt: skip


def test_another_approves_and_both_stand_in_the_record(staff):
    version = propose(staff[0])

    services.decide(version, approved=True, by=staff[1], reason="seen and right")

    assert selectors.version_in_force() == version
    newest, first = records_about(f"rules:{version}")
    assert (first.kind, first.actor) == ("rules.proposed", f"staff:{staff[0]}")
    assert (newest.kind, newest.actor) == ("rules.approved", f"staff:{staff[1]}")
    assert newest.data["reason"] == "seen and right"


def test_a_refused_version_is_never_in_force_and_a_decision_is_final(staff):
    before = selectors.version_in_force()
    version = propose(staff[0])
    services.decide(version, approved=False, by=staff[1], reason=REASON)

    with pytest.raises(services.DecidedAlready):
        services.decide(version, approved=True, by=staff[1], reason=REASON)

    assert selectors.version_in_force() == before
    assert selectors.open_versions() == []


def test_each_act_needs_a_reason(staff):
    with pytest.raises(services.BadRules):
        services.propose(
            changed("FR", spot_from=3), by=staff[0], reason="  ", effective_from=timezone.now()
        )
    version = propose(staff[0])
    with pytest.raises(services.BadRules):
        services.decide(version, approved=True, by=staff[1], reason="")


def test_what_is_in_force_already_is_no_proposal(staff):
    terms = list(selectors.rules_in_force().terms.values())

    with pytest.raises(services.NothingChanges):
        services.propose(terms, by=staff[0], reason=REASON, effective_from=timezone.now())


def test_a_proposal_that_others_overtook_is_not_approved_unseen(staff):
    first, second = propose(staff[0]), propose(staff[0], "IT")
    services.decide(first, approved=True, by=staff[1], reason=REASON)

    with pytest.raises(services.OutOfDate):
        services.decide(second, approved=True, by=staff[1], reason=REASON)

    services.decide(second, approved=False, by=staff[1], reason=REASON)


def test_an_unknown_version_is_refused(staff):
    with pytest.raises(services.NoSuchVersion):
        services.decide(10**6, approved=True, by=staff[0], reason=REASON)


@pytest.mark.usefixtures("transactional_db")
def test_of_two_who_approve_at_one_moment_one_is_refused(cache):
    first, second = two_of_compliance()
    versions = [propose(first), propose(first, "IT")]
    start, came = threading.Barrier(2), []

    def approve(version: int) -> None:
        try:
            start.wait()
            services.decide(version, approved=True, by=second, reason=REASON)
            came.append("approved")
        except services.OutOfDate:
            came.append("out of date")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=approve, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(came) == ["approved", "out of date"]
    assert RuleVersion.objects.filter(decision=None).count() == 1
