"""The clock: by when it is decided, what is late, and when verifications end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.common.models import AuditRecord
from apps.kyc import clock
from apps.kyc.models import Application, State
from apps.kyc.services import statistics, verifications
from apps.users import selectors as users
from tests.kyc.stage import checked


@pytest.mark.parametrize(
    ("tier", "started", "due"),
    [
        (1, "2026-11-18T12:00", "2026-11-18T12:05"),
        (2, "2026-11-20T18:00", "2026-11-21T18:00"),  # A weekend is no excuse.
        (3, "2026-11-18T12:00", "2026-11-25T12:00"),
        (3, "2026-11-20T12:00", "2026-11-27T12:00"),
        (3, "2026-11-21T12:00", "2026-11-27T12:00"),  # From a Saturday.
        (4, "2026-11-18T12:00", "2026-12-02T12:00"),
    ],
)
def test_by_when_it_is_decided(tier, started, due):
    start = datetime.fromisoformat(started).replace(tzinfo=UTC)

    assert clock.due_at(tier=tier, started_at=start).isoformat()[:16] == due


def test_time_that_was_used_up_before_a_question_counts():
    start = datetime(2026, 11, 18, 12, tzinfo=UTC)

    assert clock.due_at(tier=2, started_at=start, spent=timedelta(hours=23)) == start + timedelta(
        hours=1
    )
    assert clock.due_at(tier=2, started_at=start, spent=timedelta(hours=30)) == start


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7], 0.95, 7), (list(range(1, 101)), 0.95, 95), ([1, 2, 3, 4], 0.5, 2)],
)
def test_a_percentile_is_one_of_the_values(values, share, expected):
    assert clock.percentile(values, share) == expected


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(59, "0 min 59 s"), (3_700, "1 h 1 min"), (90_000, "1 d 1 h"), (-61, "1 min 1 s late")],
)
def test_time_left_in_words(seconds, words):
    assert statistics.in_words(seconds) == words


def test_what_is_late_is_said_once(alice, bob, caplog):
    application = alice.applies(2, papers={"selfie": {"liveness": "60"}})
    checked(application, alice.now)
    assert statistics.watch(alice.now + timedelta(hours=24)) == 0

    late = alice.now + timedelta(hours=24, seconds=1)
    assert statistics.watch(late) == 1
    assert statistics.watch(late) == 0

    assert AuditRecord.objects.filter(kind="kyc.clock_breached").count() == 1
    assert "kyc.clock.breached" in caplog.text
    assert statistics.figures(late)[1]["late"] == 1


def test_todays_figures_count_our_side_only(alice, bob):
    for person, seconds in ((alice, 60), (bob, 240)):
        application = person.applies(1)
        checked(application, person.now + timedelta(seconds=seconds))

    tier_one = statistics.figures(alice.now)[0]

    assert (tier_one["decided"], tier_one["median"], tier_one["p95"]) == (
        2, "1 min 0 s", "4 min 0 s",
    )  # fmt: skip


def test_an_id_that_ends_is_told_before_and_then_takes_the_tier_away(alice):
    checked(alice.applies(2, id_expires_on="2027-02-01"), alice.now)
    end = datetime(2027, 2, 1, tzinfo=UTC)

    told = []
    for days in (31, 30, 29, 7, 6, 1):
        told += verifications.warn(at=end - timedelta(days=days))
        told += verifications.warn(at=end - timedelta(days=days))
    assert told == [(alice.user_id, 2, 30), (alice.user_id, 2, 7), (alice.user_id, 2, 1)]

    assert verifications.end_run_out(at=end - timedelta(seconds=1)) == 0
    assert verifications.end_run_out(at=end) == 1
    assert verifications.end_run_out(at=end) == 0
    assert users.standing_for_user(alice.user_id).kyc_tier == 1, "a name does not end"


def test_a_tier_above_one_that_ended_does_not_stand_alone(alice):
    checked(alice.applies(2, id_expires_on="2027-02-01"), alice.now)
    application = alice.applies(3)
    assert checked(application, alice.now) == State.PASSED
    from apps.kyc.services import reviews
    from tests.kyc.stage import new_person

    first, second = new_person("ruth", role="compliance"), new_person("rolf", role="compliance")
    reviews.take(application_id=application.pk, staff_id=first, at=alice.now)
    for who in (first, second):
        reviews.approve(
            application_id=application.pk, staff_id=who, reason="papers_are_good", at=alice.now
        )
    assert users.standing_for_user(alice.user_id).kyc_tier == 3

    verifications.end_run_out(at=datetime(2027, 2, 1, tzinfo=UTC))

    assert users.standing_for_user(alice.user_id).kyc_tier == 1


def test_who_shows_a_new_id_goes_on_without_a_gap(alice):
    checked(alice.applies(2, id_expires_on="2027-01-01"), alice.now)
    alice.now = datetime(2026, 12, 20, 12, tzinfo=UTC)

    checked(alice.applies(2, id_expires_on="2031-01-01"), alice.now)

    assert verifications.end_run_out(at=datetime(2027, 1, 2, tzinfo=UTC)) == 0
    assert users.standing_for_user(alice.user_id).kyc_tier == 2
    assert Application.objects.filter(state=State.APPROVED).count() == 2
