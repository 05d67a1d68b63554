"""A day of 500 applications: checks decide what they can, people the rest, all within the clock.

The day's clock is the test's: each act is told when it happens, so that a day passes in seconds.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from apps.kyc.models import Application, State
from apps.kyc.services import reviews
from apps.users.services import staff
from tests.kyc.stage import Applicant, checked, new_person

SEED = 20261118
MIDNIGHT = datetime(2026, 11, 18, tzinfo=UTC)
OFFICE_OPENS, OFFICE_CLOSES = timedelta(hours=8), timedelta(hours=17)
BEAT = timedelta(seconds=5)  # How often what waits for checks is looked at.
A_CASE = timedelta(minutes=6)  # So long a person looks at one.
CLOCK_S = 24 * 3600
PASSES, FAILS, REFERS = 425, 35, 40
FAILING = ({"selfie": {"liveness": "20"}}, {"government_id": {"expires": "2025-01-01"}})
REFERRED = ({"selfie": {"liveness": "60"}}, {"address_proof": {"country": "FR"}})


def papers_of_the_day(dice: random.Random) -> list[tuple[str, dict[str, dict[str, str]]]]:
    """Return what is wrong with each application of the day, and what should become of it."""
    day = [("approved", {})] * PASSES
    day += [("refused", dice.choice(FAILING)) for _ in range(FAILS)]
    day += [("queue", dice.choice(REFERRED)) for _ in range(REFERS)]
    dice.shuffle(day)
    return day


def works_the_queue_off(person: int, waiting: list[tuple[datetime, Application]]) -> datetime:
    """One of compliance takes case after case in office hours; return when the last was decided."""
    now = MIDNIGHT + OFFICE_OPENS
    for came_at, application in sorted(waiting, key=lambda one: one[0]):
        now = max(now, came_at)
        if now - now.replace(hour=0, minute=0, second=0, microsecond=0) > OFFICE_CLOSES:
            now = now.replace(hour=0, minute=0, second=0) + timedelta(days=1) + OFFICE_OPENS
        reviews.take(application_id=application.pk, staff_id=person, at=now)
        now += A_CASE
        reviews.approve(
            application_id=application.pk, staff_id=person, reason="doubt_cleared", at=now
        )
    return now


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("db", "cache")
def test_five_hundred_apply_and_nobody_waits_a_day(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # 500 of them.
    dice = random.Random(SEED)
    staff.let_staff_in()
    ruth = new_person("ruth", role="compliance")
    day = papers_of_the_day(dice)
    moments = sorted(MIDNIGHT + timedelta(seconds=dice.randrange(86_400)) for _ in day)
    expected: dict[int, str] = {}
    waiting: list[tuple[datetime, Application]] = []

    for number, (moment, (outcome, papers)) in enumerate(zip(moments, day, strict=True)):
        applicant = Applicant(new_person(f"a{number}"), f"Ann Ex{number}", moment, size=(300, 225))
        application = applicant.applies(2, papers=papers)
        expected[application.pk] = outcome
        looked_at = moment + BEAT * dice.random()
        if checked(application, looked_at) == State.REFERRED:
            waiting.append((looked_at, application))

    decided = dict(Application.objects.exclude(decided_by="").values_list("pk", "decided_by"))
    states = dict(Application.objects.values_list("pk", "state"))
    became = {
        pk: "queue" if state == State.REFERRED else str(state) for pk, state in states.items()
    }
    assert became == expected
    assert Counter(became.values()) == {"approved": PASSES, "refused": FAILS, "queue": REFERS}
    assert set(decided.values()) == {"system"}, "every pass and every fail without a person"
    assert set(decided) == {pk for pk, outcome in expected.items() if outcome != "queue"}

    works_the_queue_off(ruth, waiting)

    count, median_s, p95_s = reviews.took(MIDNIGHT, tier=2)
    slowest_s = max(reviews.spent_s(one) for one in Application.objects.all())
    print(f"{count} decided: median {median_s:.0f} s, p95 {p95_s:.0f} s, slowest {slowest_s:.0f} s")
    assert count == len(day)
    assert p95_s < CLOCK_S
    assert slowest_s < CLOCK_S
    assert not Application.objects.filter(state=State.REFERRED).exists()
