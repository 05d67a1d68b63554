"""Checks: what the sandbox decides by, and what follows whatever a provider does."""

from __future__ import annotations

from threading import Event

import pytest
from django.db import connection

from apps.kyc import tasks
from apps.kyc.models import Application, Check, State
from apps.kyc.providers import provider_in_use, specimens, strip
from apps.kyc.providers.base import Finding, ProviderAway
from apps.kyc.services import applications, checks
from tests.kyc.stage import checked, read_here


@pytest.mark.parametrize("size", [(480, 360), (1200, 900), (2600, 1900)])
def test_a_specimen_still_says_the_same_after_it_was_made_anew(size):
    says = {"name": "Zoë Ångström", "number": "P-1"}
    page = read_here(specimens.draw("government_id", says, size=size)).pages[0]

    assert strip.read(page.jpeg) == {"kind": "government_id", **says}


@pytest.mark.parametrize(
    ("papers", "state", "code"),
    [
        ({}, State.APPROVED, "checks_passed"),
        ({"government_id": {"number": "OTHER"}}, State.REFUSED, "does_not_match"),
        ({"government_id": {"name": "Somebody Else"}}, State.REFUSED, "does_not_match"),
        ({"government_id": {"born": "1980-01-01"}}, State.REFUSED, "does_not_match"),
        ({"government_id": {"expires": "2026-11-18"}}, State.REFUSED, "document_expired"),
        ({"government_id": {"country": "FR"}}, State.REFERRED, "countries_disagree"),
        ({"selfie": {"liveness": "49"}}, State.REFUSED, "not_alive"),
        ({"selfie": {"liveness": "79"}}, State.REFERRED, "perhaps_not_alive"),
        ({"selfie": {"number": "OTHER"}}, State.REFUSED, "does_not_match"),
        ({"address_proof": {"issued": "2026-08-20"}}, State.APPROVED, "checks_passed"),
        ({"address_proof": {"issued": "2026-08-19"}}, State.REFUSED, "proof_too_old"),
        ({"address_proof": {"issued": "2026-11-19"}}, State.REFUSED, "proof_too_old"),
        ({"address_proof": {"name": "Somebody Else"}}, State.REFUSED, "does_not_match"),
        ({"address_proof": {"country": "FR"}}, State.REFERRED, "countries_disagree"),
    ],
)
def test_the_sandbox_decides_by_what_the_papers_say(alice, papers, state, code):
    application = alice.applies(2, papers=papers)

    assert checked(application, alice.now) == state
    application.refresh_from_db()
    assert application.reason_code == code


@pytest.mark.parametrize(
    ("changes", "state", "code"),
    [
        ({"id_number": "LOST-1"}, State.REFUSED, "reported_lost"),
        ({"id_number": "SUSPECT-1"}, State.REFERRED, "looks_altered"),
        ({"legal_name": "Ivan Barred"}, State.REFUSED, "on_a_barred_list"),
        ({"legal_name": "Ivan Listed"}, State.REFERRED, "perhaps_on_a_list"),
        ({"country": "FR"}, State.REFERRED, "countries_disagree"),
    ],
)
def test_the_sandbox_and_we_decide_by_what_a_person_says(alice, changes, state, code):
    application = alice.applies(2, **changes)

    assert checked(application, alice.now) == state
    application.refresh_from_db()
    assert application.reason_code == code


def test_a_picture_without_a_strip_is_referred(alice):
    from tests.kyc.test_documents import picture

    application = alice.begins(2)
    alice.answers(application)
    alice.sends_all(application)
    alice.sends(application, "selfie", picture())
    alice.submits(application)

    assert checked(application, alice.now) == State.REFERRED
    application.refresh_from_db()
    assert application.reason_code == "unreadable"


def test_a_number_of_anothers_id_is_a_signal(alice, bob):
    checked(alice.applies(2), alice.now)

    application = bob.applies(2, id_number=alice.says()["id_number"].lower())

    assert checked(application, bob.now) == State.REFERRED
    application.refresh_from_db()
    assert application.reason_code == "number_seen_elsewhere"


class Counting:
    """A provider that passes everything and counts, or is away for a while."""

    name = "counting"

    def __init__(self, away: int = 0) -> None:
        self.away, self.asked = away, []

    def check(self, kind, case, *, timeout_s):
        self.asked.append(kind)
        if self.away:
            self.away -= 1
            raise ProviderAway("503")
        return Finding(outcome="pass")


def test_checks_that_run_twice_ask_once_and_decide_once(alice):
    application, provider = alice.applies(2), Counting()

    states = [checked(application, alice.now, provider) for _ in range(3)]

    assert states == [State.APPROVED] * 3
    assert provider.asked == ["person", "identity", "liveness", "address"]
    assert Application.objects.get().steps.filter(state="approved").count() == 1


def test_a_provider_that_is_away_is_asked_again_for_what_is_missing_only(alice):
    application, provider = alice.applies(2), Counting()
    checked_before = provider.check

    def away_at_liveness(kind, case, *, timeout_s):
        if kind == "liveness" and provider.asked.count("liveness") == 0:
            provider.asked.append(kind)
            raise ProviderAway("timeout")
        return checked_before(kind, case, timeout_s=timeout_s)

    provider.check = away_at_liveness
    with pytest.raises(ProviderAway):
        checked(application, alice.now, provider)
    assert Application.objects.get().state == State.CHECKING

    assert checked(application, alice.now, provider) == State.APPROVED
    assert provider.asked == ["person", "identity", "liveness", "liveness", "address"]


def test_a_provider_that_stays_away_leaves_it_to_a_person(alice):
    application, provider = alice.applies(1), Counting(away=99)
    for _ in range(checks.TRIES_MAX - 1):
        with pytest.raises(ProviderAway):
            checked(application, alice.now, provider)

    assert checked(application, alice.now, provider) == State.REFERRED
    application.refresh_from_db()
    assert application.reason_code == "provider_away"


def test_a_provider_that_hangs_is_left_after_its_time(alice):
    application, never = alice.applies(1), Event()

    class Hanging(Counting):
        def check(self, kind, case, *, timeout_s):
            never.wait(30)

    with pytest.raises(ProviderAway, match="timeout"):
        checks.run(application_id=application.pk, provider=Hanging(), at=alice.now, timeout_s=0.05)
    never.set()
    assert not Check.objects.exists()


def test_no_transaction_is_open_while_a_provider_is_asked(alice):
    application, seen = alice.applies(1), []

    class Looking(Counting):
        def check(self, kind, case, *, timeout_s):
            seen.append(case)
            return Finding(outcome="pass")

    depth = len(connection.savepoint_ids)
    checked(application, alice.now, Looking())

    assert len(connection.savepoint_ids) == depth
    assert seen[0].name == f"{application.public_id}:1"
    assert seen[0].papers == {}


def test_a_withdrawn_application_is_not_decided(alice):
    application = alice.applies(1)
    applications.withdraw(user_id=alice.user_id, public_id=application.public_id, at=alice.now)

    assert checked(application, alice.now) == State.WITHDRAWN


def test_the_task_and_the_sweep_do_what_the_service_does(alice, bob):
    assert provider_in_use().name == "sandbox"
    first, second = alice.applies(1), bob.applies(1)

    tasks.check(application_id=first.pk, something_newer=1)
    tasks.check_what_waits()

    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == (State.APPROVED, State.APPROVED)
