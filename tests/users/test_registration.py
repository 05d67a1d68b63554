"""Somebody becomes a person by proving an address, and a stranger learns of nobody."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import BasePasswordHasher, MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.common.models import AuditRecord
from apps.users import selectors
from apps.users.models import PendingSignUp, Proof, User
from apps.users.services import accounts, people, proofs
from tests.helpers.mails import kinds_to, word_to

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SESSION, USERS, PROOFS = "/api/v1/session", "/api/v1/users", "/api/v1/users/proofs"
NEW = "new@example.org"


@pytest.fixture
def alice(cache) -> int:
    user_id = people.register(email="alice@example.org", password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


@pytest.fixture
def browser(cache) -> Client:
    return Client()


def send(browser: Client, path: str, **body: object):
    return browser.post(path, body, content_type="application/json")


def sign_up(browser: Client, email: str = NEW, password: str = PASSWORD, **other: object):
    terms = {"full_name": "Nina New", "country": "CH", **other}
    return send(browser, USERS, email=email, password=password, **terms)


def log_in(browser: Client, email: str = NEW, password: str = PASSWORD):
    return send(browser, SESSION, login=email, password=password)


def test_a_person_signs_up_proves_the_address_and_logs_in(browser):
    assert sign_up(browser, "New@Example.org").status_code == 202
    assert not User.objects.filter(email=NEW).exists()

    proven = send(browser, PROOFS, token=word_to(NEW))

    assert (proven.status_code, proven.json()) == (201, {"proven": "sign_up"})
    person = log_in(browser).json()
    user = User.objects.get(email=NEW)
    assert (user.full_name, user.country) == ("Nina New", "CH")
    assert person["account"] == selectors.main_account(user.pk).number
    assert selectors.standing_for_user(user.pk).kyc_tier == 0
    assert AuditRecord.objects.filter(kind="user.registered", subject=f"user:{user.pk}").exists()


def test_before_the_proof_the_right_password_is_a_wrong_one_and_mails_the_proof_again(browser):
    sign_up(browser)
    first = word_to(NEW)

    right, wrong = log_in(browser), log_in(browser, password="wrong horse battery")

    assert (right.status_code, right.json()) == (wrong.status_code, wrong.json())
    assert right.status_code == 401
    assert kinds_to(NEW) == ["prove_address", "prove_address"]
    assert word_to(NEW) != first
    assert send(browser, PROOFS, token=first).status_code == 201


def test_a_word_is_good_once_for_a_day_and_for_one_thing(browser, alice):
    sign_up(browser)
    word = word_to(NEW)
    assert send(browser, "/api/v1/users/resets/proofs", token=word, password=PASSWORD).json()[
        "code"
    ] == ("bad_proof")
    Proof.objects.update(ends_at=timezone.now() - timedelta(seconds=1))
    late = send(browser, PROOFS, token=word)
    Proof.objects.update(ends_at=timezone.now() + timedelta(hours=1))
    good, again = send(browser, PROOFS, token=word), send(browser, PROOFS, token=word)
    unknown = send(browser, PROOFS, token="x" * 43)

    assert [late.status_code, good.status_code, again.status_code] == [400, 201, 400]
    assert late.json() == again.json() == unknown.json()


def test_who_signed_up_in_vain_with_the_address_of_another_gets_no_part_of_it(browser):
    sign_up(browser, password="the thief's long word")
    sign_up(browser)

    send(browser, PROOFS, token=word_to(NEW))

    assert log_in(browser, password="the thief's long word").status_code == 401
    assert log_in(browser).status_code == 200
    assert not PendingSignUp.objects.exists()


def test_a_known_address_is_told_so_by_mail_and_by_nothing_else(alice, browser):
    new, known = sign_up(browser), sign_up(browser, "ALICE@example.org", "another horse battery")

    assert (new.status_code, known.status_code) == (202, 202)
    assert new.json() == known.json() == {"accepted": True}
    assert kinds_to("alice@example.org") == ["address_known"]
    assert log_in(Client(), "alice@example.org").status_code == 200


def test_nobodys_mailbox_is_flooded_by_strangers(browser):
    for _ in range(10):
        assert sign_up(browser).status_code == 202

    assert len(kinds_to(NEW)) == 4


@pytest.mark.parametrize(
    ("field", "value"),
    [("email", "nobody"), ("country", "XX"), ("country", ""), ("full_name", ""), ("password", "")],
)
def test_a_field_that_is_wrong_is_named(browser, field, value):
    terms = {"email": NEW, "password": PASSWORD, "full_name": "Nina", "country": "CH"}

    answer = send(browser, USERS, **(terms | {field: value}))

    assert answer.status_code == 400
    assert set(answer.json()["data"]["fields"]) == {field}


@pytest.mark.parametrize("password", ["short", "password1234", "new@example.org!"])
def test_a_weak_password_is_refused_at_its_field_and_mails_nobody(browser, password):
    answer = sign_up(browser, password=password)

    assert (answer.status_code, answer.json()["code"]) == (400, "weak_password")
    assert answer.json()["data"]["fields"]["password"]
    assert kinds_to(NEW) == []


def test_what_a_stranger_sends_beside_the_form_changes_nothing(browser):
    sign_up(
        browser, is_staff=True, is_superuser=True, kyc_tier=4, user_id=1, balance="1000",
        role="admin", withdrawals_locked_until=None, is_active=False, email_proven=True,
    )  # fmt: skip
    send(browser, PROOFS, token=word_to(NEW))

    user = User.objects.get(email=NEW)
    assert not user.is_staff
    assert not user.is_superuser
    assert user.is_active
    assert selectors.main_account(user.pk).kyc_tier == 0


def test_old_wishes_are_forgotten_and_fresh_ones_are_not(browser):
    sign_up(browser)
    sign_up(browser, "late@example.org")
    old = timezone.now() - timedelta(days=8)
    PendingSignUp.objects.filter(email=NEW).update(asked_at=old)
    Proof.objects.filter(email=NEW).update(ends_at=old)

    proofs.forget_old()

    assert [wish.email for wish in PendingSignUp.objects.all()] == ["late@example.org"]
    assert send(browser, PROOFS, token=word_to("late@example.org")).status_code == 201


# -- nobody learns who is known: one hash, and the same questions, for everybody


@pytest.fixture
def hashes(monkeypatch) -> list[str]:
    """Note each hash that is computed."""
    made: list[str] = []
    encode = MD5PasswordHasher.encode

    def noted(self: BasePasswordHasher, password: str, salt: str) -> str:
        made.append(password)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", noted)
    return made


@pytest.mark.parametrize("whose", ["alice@example.org", NEW, "nobody@example.org", "no address"])
def test_a_failed_log_in_costs_one_hash_and_two_reads_whoever_is_named(
    alice, browser, hashes, whose
):
    sign_up(browser)
    log_in(browser, whose, "warm up, please")
    hashes.clear()

    with CaptureQueriesContext(connection) as asked:
        answer = log_in(browser, whose, "wrong horse battery")

    assert answer.status_code == 401
    assert hashes == ["wrong horse battery"]
    tables = [query["sql"].split('FROM "')[1].split('"')[0] for query in asked.captured_queries]
    assert tables == ["users_user", "users_pendingsignup"]


@pytest.mark.parametrize("whose", ["alice@example.org", NEW])
def test_a_sign_up_costs_one_hash_whoever_is_named(alice, browser, hashes, whose):
    sign_up(browser, whose)

    assert hashes == [PASSWORD]
