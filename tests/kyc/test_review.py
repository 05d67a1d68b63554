"""Staff: the queue, looking with a reason, deciding alone or as two."""

from __future__ import annotations

import base64
import io
import re
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, connections, transaction
from django.test import Client
from PIL import Image, ImageChops

from apps.common.models import AuditRecord
from apps.kyc import locks
from apps.kyc.models import Application, Reveal, State
from apps.kyc.services import deciding, documents, reveals, reviews, verifications
from apps.users import selectors as users
from apps.users.services import staff
from tests.helpers.factors import has_just_shown
from tests.kyc.stage import Applicant, checked, new_person

QUEUE = "/admin/kyc/application/queue/"


@pytest.fixture
def reviewers(db, cache) -> tuple[int, int]:
    staff.let_staff_in()
    return new_person("ruth", role="compliance"), new_person("rolf", role="compliance")


def referred(applicant: Applicant) -> Application:
    application = applicant.applies(2, papers={"selfie": {"liveness": "60"}})
    assert checked(application, applicant.now) == State.REFERRED
    return application


def enhanced(applicant: Applicant) -> Application:
    application = applicant.applies(3)
    assert checked(application, applicant.now) == State.PASSED
    return application


def test_a_referral_is_approved_by_one_person(alice, reviewers):
    ruth, _ = reviewers
    application = referred(alice)

    reviews.take(application_id=application.pk, staff_id=ruth, at=alice.now)
    reviews.approve(
        application_id=application.pk, staff_id=ruth, reason="doubt_cleared", at=alice.now
    )

    application.refresh_from_db()
    assert (application.state, application.decided_by) == (State.APPROVED, f"staff:{ruth}")
    assert users.standing_for_user(alice.user_id).kyc_tier == 2


def test_tier_three_needs_a_second_person(alice, reviewers):
    ruth, rolf = reviewers
    application = enhanced(alice)
    assert users.standing_for_user(alice.user_id).kyc_tier == 0, "no check alone gives tier 3"
    reviews.take(application_id=application.pk, staff_id=ruth, at=alice.now)

    first = reviews.approve(
        application_id=application.pk, staff_id=ruth, reason="papers_are_good", at=alice.now
    )
    assert first.state == State.IN_REVIEW
    with pytest.raises(reviews.SecondPersonNeeded):
        reviews.approve(
            application_id=application.pk, staff_id=ruth, reason="papers_are_good", at=alice.now
        )
    second = reviews.approve(
        application_id=application.pk, staff_id=rolf, reason="papers_are_good", at=alice.now
    )

    assert (second.state, second.first_by) == (State.APPROVED, f"staff:{ruth}")
    assert users.standing_for_user(alice.user_id).kyc_tier == 3


def test_the_database_refuses_a_high_tier_that_one_person_approved(alice, reviewers):
    ruth, _ = reviewers
    application = enhanced(alice)
    reviews.take(application_id=application.pk, staff_id=ruth, at=alice.now)
    application = Application.objects.get()
    application.first_by = f"staff:{ruth}"
    application.save(update_fields=["first_by"])

    with pytest.raises(IntegrityError, match="high_tier_has_two"), transaction.atomic():
        deciding.approve(application, by=f"staff:{ruth}", reason="papers_are_good", at=alice.now)
    with pytest.raises(IntegrityError, match="high_tier_has_two"), transaction.atomic():
        deciding.approve(application, by="system", reason="papers_are_good", at=alice.now)


def test_what_a_colleague_has_is_not_decided_by_another(alice, reviewers):
    ruth, rolf = reviewers
    application = referred(alice)
    reviews.take(application_id=application.pk, staff_id=ruth, at=alice.now)

    for act in (
        lambda: reviews.take(application_id=application.pk, staff_id=rolf, at=alice.now),
        lambda: reviews.refuse(
            application_id=application.pk, staff_id=rolf, reason="forged", words="No.", at=alice.now
        ),
    ):
        with pytest.raises(reviews.TakenByAnother):
            act()
    reviews.put_back(application_id=application.pk, staff_id=ruth, at=alice.now)
    taken = reviews.take(application_id=application.pk, staff_id=rolf, at=alice.now)
    assert taken.taken_by == f"staff:{rolf}"


def test_nobody_decides_about_themselves(alice, reviewers):
    application = referred(alice)

    with pytest.raises(reviews.SecondPersonNeeded):
        reviews.take(application_id=application.pk, staff_id=alice.user_id, at=alice.now)


@pytest.mark.parametrize(("reason", "words"), [("nonsense", "Words."), ("forged", " ")])
def test_a_refusal_has_a_reason_and_words(alice, reviewers, reason, words):
    application = referred(alice)
    reviews.take(application_id=application.pk, staff_id=reviewers[0], at=alice.now)

    with pytest.raises(reviews.ReasonNeeded):
        reviews.refuse(
            application_id=application.pk, staff_id=reviewers[0], reason=reason, words=words,
            at=alice.now,
        )  # fmt: skip
    assert Application.objects.get().state == State.IN_REVIEW


def test_who_is_asked_for_more_answers_and_is_checked_again(alice, reviewers):
    ruth, _ = reviewers
    application = referred(alice)
    alice.waits(hours=2)
    reviews.take(application_id=application.pk, staff_id=ruth, at=alice.now)
    asked = reviews.ask_for_more(
        application_id=application.pk, staff_id=ruth, reason="unreadable",
        words="Please take the selfie again.", at=alice.now,
    )  # fmt: skip
    assert (asked.due_at, asked.spent_s) == (None, 7200), "the clock stands while it is their turn"

    alice.waits(days=3)
    alice.sends(application, "selfie", liveness="95")
    again = alice.submits(application)

    assert (again.due_at - alice.now).total_seconds() == 22 * 3600
    assert again.round == 2
    assert checked(again, alice.now) == State.APPROVED


def test_a_tier_is_taken_away_with_a_reason_and_at_once(alice, reviewers):
    checked(alice.applies(2), alice.now)

    verifications.downgrade(
        user_id=alice.user_id, tier=1, staff_id=reviewers[0], reason="risk", at=alice.now
    )

    assert users.standing_for_user(alice.user_id).kyc_tier == 1
    record = AuditRecord.objects.filter(kind="kyc.tier_changed").latest("pk")
    assert record.data == {"was": 2, "tier": 1, "reason": "risk"}
    with pytest.raises(verifications.NotLower):
        verifications.downgrade(
            user_id=alice.user_id, tier=1, staff_id=reviewers[0], reason="risk", at=alice.now
        )
    assert alice.begins(2).covers == [2], "and may be shown anew"


# -- looking


def look(application: Application, staff_id: int, at, what=("answers", "selfie"), reason="To see"):
    return reveals.reveal(
        application=application, what=list(what), staff_id=staff_id, staff_name="ruth@example.org",
        reason_code="review", reason=reason, at=at,
    )  # fmt: skip


def test_a_look_is_recorded_before_anything_is_shown(alice, reviewers):
    application = referred(alice)

    shown = look(application, reviewers[0], alice.now)

    assert shown.answers["legal_name"] == alice.name
    assert set(shown.pages) == {"selfie"}
    kinds = AuditRecord.objects.filter(actor=f"staff:{reviewers[0]}").values_list("kind", flat=True)
    assert sorted(kinds) == ["kyc.answers.viewed", "kyc.document.viewed"]
    assert Reveal.objects.count() == 2


def test_a_page_that_is_shown_is_marked_all_over(alice, reviewers):
    application = referred(alice)
    shown = look(application, reviewers[0], alice.now, what=["selfie"])

    paper = application.documents.get(kind="selfie")
    plain = Image.open(io.BytesIO(documents.open_pages(paper)[0])).convert("L")
    image = Image.open(io.BytesIO(shown.pages["selfie"][0])).convert("L")
    difference = ImageChops.difference(plain, image)
    wide, high = image.width // 4, image.height // 4
    for row in range(4):
        for column in range(4):
            box = (column * wide, row * high, (column + 1) * wide, (row + 1) * high)
            marked = sum(difference.crop(box).histogram()[15:])
            assert marked > 30, f"no mark in part {row}, {column}"


@pytest.mark.parametrize("reason", ["", "  ", "x"])
def test_nobody_looks_without_a_reason(alice, reviewers, reason):
    application = referred(alice)

    with pytest.raises(reveals.WhyNeeded):
        look(application, reviewers[0], alice.now, reason=reason)
    assert not Reveal.objects.exists()


def test_twenty_looks_in_an_hour_and_not_one_more(alice, reviewers, caplog):
    application = referred(alice)
    for _ in range(20):
        look(application, reviewers[0], alice.now, what=["answers"])

    with pytest.raises(reveals.TooManyReveals):
        look(application, reviewers[0], alice.now, what=["answers"])

    assert AuditRecord.objects.filter(kind="kyc.reveal.refused").count() == 1
    assert "kyc.reveal.too_many" in caplog.text
    assert look(application, reviewers[1], alice.now), "each has their own"
    alice.waits(hours=1, seconds=1)
    assert look(application, reviewers[0], alice.now)


def looks_at_once(application: Application, staff_id: int, at) -> int:
    """Let two looks race for the last place; return how many got it."""
    ready, got = Barrier(2), []

    def one() -> None:
        try:
            ready.wait(10)
            look(application, staff_id, at, what=["answers"])
            got.append(1)
        except reveals.TooManyReveals:
            pass
        finally:
            connections.close_all()

    threads = [Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return len(got)


@pytest.fixture
def nineteen_looks(transactional_db, cache):
    staff.let_staff_in()
    from tests.kyc.conftest import NOON

    ruth = new_person("ruth", role="compliance")
    alice = Applicant(new_person("alice"), "Alice Example", NOON)
    application = referred(alice)
    for _ in range(19):
        look(application, ruth, NOON, what=["answers"])
    return application, ruth, NOON


def slow_counting(monkeypatch) -> None:
    """Let every count wait until both have counted, or a moment has passed."""
    both, real = Barrier(2), Reveal.objects.filter

    def filtered(*words, **fields):
        found = real(*words, **fields)
        count = found.count()
        try:
            both.wait(0.7)
        except Exception:
            both.reset()
        found.count = lambda: count
        return found

    monkeypatch.setattr(Reveal.objects, "filter", filtered)


def test_this_test_can_see_the_race(nineteen_looks, monkeypatch):
    """Unlocked, both get the last place. If this fails, the next test proves nothing."""
    monkeypatch.setattr(locks, "lock_reveals", lambda _staff_id: None)
    slow_counting(monkeypatch)

    assert looks_at_once(*nineteen_looks) == 2


def test_only_one_of_two_looks_gets_the_last_place(nineteen_looks, monkeypatch):
    slow_counting(monkeypatch)

    assert looks_at_once(*nineteen_looks) == 1


# -- the pages


def logged_in(user_id: int) -> Client:
    client = Client()
    has_just_shown(client, user_id, kind="passkey")
    return client


def test_the_queue_shows_what_waits_and_how_fast_we_are(alice, bob, reviewers):
    checked(alice.applies(1), alice.now)
    application = referred(bob)

    page = logged_in(reviewers[0]).get(QUEUE)

    text = page.content.decode()
    assert page.status_code == 200
    assert str(application.public_id)[:8] in text
    assert "late" in text, "the story's noon is long ago, or its clock has run out"
    assert page.headers["Cache-Control"].count("no-store") == 1


@pytest.mark.parametrize("role", ["support", "operator", "treasury", "auditor"])
def test_other_staff_see_neither_queue_nor_case(alice, reviewers, role):
    application = referred(alice)
    client = logged_in(new_person(role, role=role))

    assert client.get(QUEUE).status_code == 403
    path = f"/admin/kyc/application/{application.public_id}/review/"
    assert client.get(path).status_code == 403
    assert client.post(path, {"act": "take"}).status_code == 403


def test_a_case_is_masked_until_somebody_says_why(alice, reviewers):
    application = referred(alice)
    client = logged_in(reviewers[0])
    path = f"/admin/kyc/application/{application.public_id}/review/"

    first = client.get(path).content.decode()
    assert alice.name not in first
    assert first.count('class="masked"') == 3
    pictures = re.findall(r'src="data:image/jpeg;base64,([^"]+)"', first)
    masked = Image.open(io.BytesIO(base64.b64decode(pictures[0])))
    assert len(set(masked.convert("L").resize((14, 14)).get_flattened_data())) < 200

    fields = {
        "act": "reveal", "what": ["answers", "selfie"], "reason_code": "review",
        "reason": "To decide it",
    }  # fmt: skip
    shown = client.post(path, fields)
    assert alice.name in shown.content.decode()
    assert shown.headers["Cache-Control"].count("no-store") == 1
    assert shown.content.decode().count('class="masked"') == 2
    refused = client.post(path, fields | {"reason": ""}).content.decode()
    assert alice.name not in refused


def test_a_case_is_decided_on_its_page(alice, reviewers):
    application = referred(alice)
    client = logged_in(reviewers[0])
    path = f"/admin/kyc/application/{application.public_id}/review/"

    assert client.post(path, {"act": "take"}).status_code == 302
    silent = client.post(path, {"act": "refuse", "reason": "forged", "words": ""})
    assert silent.status_code == 200
    done = client.post(path, {"act": "refuse", "reason": "forged", "words": "It was altered."})

    assert done.status_code == 302
    application.refresh_from_db()
    assert (application.state, application.words) == (State.REFUSED, "It was altered.")
    assert client.get(path).status_code == 200


def test_steps_and_looks_only_grow(alice, reviewers):
    application = referred(alice)
    look(application, reviewers[0], alice.now)

    for table in ("kyc_step", "kyc_reveal", "kyc_tierterms"):
        for act in (f"DELETE FROM {table}", f"UPDATE {table} SET id = id + 1000000"):
            with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(act)
