"""Applying for a tier, step by step: what is asked, what is kept, what may follow what."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.common.models import AuditRecord
from apps.kyc import sealed, selectors
from apps.kyc.models import OPEN, Answer, Application, State
from apps.kyc.services import answers, applications
from apps.users import selectors as users
from tests.helpers.factors import give_app
from tests.kyc.stage import PASSWORD, checked

KYC = "/api/v1/kyc"


def tier_of(person) -> int:
    return users.standing_for_user(person.user_id).kyc_tier


def test_tier_one_is_passed_by_what_a_person_says(alice):
    application = alice.applies(1)
    assert (application.due_at - application.submitted_at).total_seconds() == 300

    assert checked(application, alice.now) == State.APPROVED

    assert tier_of(alice) == 1
    give_app(alice.user_id)
    standing = users.standing_for_user(alice.user_id)
    assert standing.may_trade


def test_tier_two_is_passed_by_papers_that_say_the_same(alice):
    application = alice.applies(2)
    assert application.covers == [1, 2], "what is below and missing is asked too"

    assert checked(application, alice.now) == State.APPROVED

    assert tier_of(alice) == 2
    live = {row.tier: row for row in selectors.live_verifications(alice.user_id)}
    assert set(live) == {1, 2}
    assert live[2].valid_until.date().isoformat() == "2030-06-01", "as long as the ID"
    assert live[1].valid_until is None


def test_the_next_tier_asks_only_for_what_is_new(alice):
    checked(alice.applies(1), alice.now)

    application = alice.begins(2)

    asked = {question.name for question in answers.needs_questions(application)}
    assert "id_number" in asked
    assert "legal_name" not in asked


def test_a_tier_that_is_held_is_not_applied_for_until_it_ends_soon(alice):
    checked(alice.applies(2), alice.now)
    with pytest.raises(applications.HeldAlready):
        alice.begins(2)

    alice.now = alice.now.replace(year=2030, month=5)
    again = alice.begins(2)

    assert again.covers == [2]


def test_beginning_twice_is_beginning_once_and_another_tier_waits(alice):
    first = alice.begins(1)

    assert alice.begins(1).pk == first.pk
    with pytest.raises(applications.AnotherIsOpen):
        alice.begins(2)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("birth_date", "2010-01-01"),
        ("birth_date", "1790-01-01"),
        ("birth_date", "17 May"),
        ("country", "XX"),
        ("legal_name", "   "),
        ("legal_name", "A" * 121),
        ("legal_name", "A\x00B"),
        ("id_number", "not asked in tier 1"),
        ("is_admin", "yes"),
    ],
)
def test_an_answer_that_cannot_be_right_is_refused_and_nothing_is_kept(alice, name, text):
    application = alice.begins(1)
    given = {"legal_name": "Alice Example", name: text}

    with pytest.raises(answers.AnswersRefused) as refused:
        applications.answer(
            user_id=alice.user_id, public_id=application.public_id, given=given, at=alice.now
        )

    assert list(refused.value.data["fields"]) == [name]
    assert not Answer.objects.exists()


def test_who_is_eighteen_today_may_apply(alice):
    application = alice.begins(1)

    alice.answers(application, birth_date="2008-11-18")
    with pytest.raises(answers.AnswersRefused):
        alice.answers(application, birth_date="2008-11-19")


def test_what_is_missing_is_named(alice):
    application = alice.begins(2)
    applications.answer(
        user_id=alice.user_id,
        public_id=application.public_id,
        given={"legal_name": "Alice Example"},
        at=alice.now,
    )

    with pytest.raises(applications.Incomplete) as refused:
        alice.submits(application)

    assert "legal_name" not in refused.value.data["answers"]
    assert "birth_date" in refused.value.data["answers"]
    assert refused.value.data["documents"] == ["government_id", "selfie", "address_proof"]
    assert Application.objects.get().state == State.DRAFT


def test_what_was_submitted_is_not_changed_any_more(alice):
    application = alice.applies(1)

    with pytest.raises(applications.NotYourTurn):
        alice.answers(application, legal_name="Somebody Else")
    assert alice.submits(application).round == 1, "submitted twice is submitted once"


def test_a_person_may_withdraw_and_apply_anew(alice):
    first = alice.applies(1)

    gone = applications.withdraw(user_id=alice.user_id, public_id=first.public_id, at=alice.now)

    assert gone.state == State.WITHDRAWN
    assert alice.begins(1).pk != first.pk


def test_anothers_application_does_not_exist(alice, bob):
    application = alice.begins(1)

    with pytest.raises(selectors.NoSuchApplication):
        bob.submits(application)


def test_a_draft_that_nobody_finishes_ends(alice):
    alice.begins(1)
    alice.waits(days=31)

    assert applications.expire_idle(at=alice.now) == 1
    assert Application.objects.get().state == State.EXPIRED


@pytest.mark.parametrize("state", [State.APPROVED, State.CHECKING, State.REFUSED, State.PASSED])
def test_the_database_refuses_a_step_that_is_none(alice, state):
    application = alice.begins(1)

    with pytest.raises(IntegrityError), transaction.atomic():
        Application.objects.filter(pk=application.pk).update(
            state=state, round=1, submitted_at=alice.now, clock_started_at=alice.now
        )


def test_the_database_refuses_a_second_open_application(alice):
    alice.begins(1)

    with pytest.raises(IntegrityError, match="one_open"), transaction.atomic():
        Application.objects.create(user_id=alice.user_id, tier=2)
    assert State.APPROVED not in OPEN


def test_nothing_personal_stands_in_the_tables_or_the_log(alice, caplog):
    application = alice.applies(2, address="Canary Street 77", legal_name="Canary Bird")
    checked(application, alice.now)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema='public'"
        )
        for (table,) in cursor.fetchall():
            if table.startswith(("kyc_", "common_")):
                cursor.execute(f'SELECT "{table}"::text FROM "{table}"')
                text = " ".join(row[0] for row in cursor.fetchall())
                assert "anary" not in text, table
                assert "616e617279" not in text, f"{table}: in the clear, as bytes"
    assert "anary" not in caplog.text


def test_a_sealed_answer_opens_only_where_it_was_given(alice):
    alice.applies(1)
    row = Answer.objects.get(question="legal_name")
    name = str(row.application.public_id)
    assert sealed.open_answer(bytes(row.sealed), application=name, question="legal_name")

    with pytest.raises(InvalidTag):
        sealed.open_answer(bytes(row.sealed), application=name, question="city")
    with pytest.raises(InvalidTag):
        sealed.open_answer(bytes(row.sealed), application="another", question="legal_name")


def test_every_step_is_recorded(alice):
    checked(alice.applies(1), alice.now)

    kinds = list(
        AuditRecord.objects.filter(subject=f"user:{alice.user_id}", kind__startswith="kyc.")
        .order_by("pk")
        .values_list("kind", flat=True)
    )
    assert kinds == ["kyc.begun", "kyc.submitted", "kyc.decided", "kyc.tier_changed"]
    assert [step.state for step in Application.objects.get().steps.order_by("pk")] == [
        "draft", "submitted", "checking", "passed", "approved",
    ]  # fmt: skip


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    client.post(
        "/api/v1/session",
        {"login": "alice@example.org", "password": PASSWORD},
        content_type="application/json",
    )
    return client


def send(browser: Client, method: str, path: str, **body: object):
    return getattr(browser, method)(path, body, content_type="application/json")


def test_a_person_goes_through_tier_one_by_the_api(alice, browser):
    overview = browser.get(KYC).json()
    assert (overview["tier"], overview["open_application"]) == (0, None)
    assert overview["limits"]["left_cents"] == "0"
    assert overview["tiers"][0]["day_cents"] == "100000"

    begun = send(browser, "post", f"{KYC}/applications", tier=1)
    assert begun.status_code == 201, begun.content
    one = f"{KYC}/applications/{begun.json()['public_id']}"
    assert [question["name"] for question in begun.json()["questions"]] == [
        "legal_name", "birth_date", "country",
    ]  # fmt: skip
    wrong = send(browser, "patch", one, answers={"birth_date": "2020-01-01"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "answers_refused")
    good = {"legal_name": "Alice Example", "birth_date": "1990-01-31", "country": "de"}
    kept = send(browser, "patch", one, answers=good)
    assert kept.json()["answers"]["country"] == "DE"
    handed = browser.post(f"{one}/submission")
    assert (handed.status_code, handed.json()["state"]) == (202, "submitted")
    assert handed.json()["answers"] == {}, "what is handed in is not told back"

    checked(Application.objects.get(), alice.now)

    assert browser.get(one).json()["state"] == "approved"
    assert browser.get(KYC).json()["tier"] == 1
    assert browser.get(f"{KYC}/limits").json()["left_cents"] == "100000"


def test_a_stranger_and_another_see_nothing(alice, bob, browser):
    theirs = bob.begins(1)

    assert Client().get(KYC).status_code == 401
    answer = browser.get(f"{KYC}/applications/{theirs.public_id}")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_application")
    assert browser.get(f"{KYC}/applications").json() == []
