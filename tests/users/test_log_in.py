"""Log-in and keys, through the doors."""

from __future__ import annotations

import pytest
from django.db import OperationalError
from django.test import Client

from apps.users import selectors
from apps.users.models import ApiKey, User
from apps.users.services import accounts, people
from tests.helpers.factors import has_just_shown

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
SESSION, KEYS = "/api/v1/session", "/api/v1/account/keys"


@pytest.fixture
def alice(cache) -> int:
    user_id = people.register(email="alice@fairbook.example", password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


@pytest.fixture
def browser(cache) -> Client:
    return Client()


def send(browser: Client, path: str, **body: object):
    return browser.post(path, body, content_type="application/json")


def log_in(browser: Client, login: str = "alice", password: str = PASSWORD):
    return send(browser, SESSION, login=login, password=password)


def test_a_person_logs_in_by_short_name_or_address_and_out_again(alice, browser):
    by_name = log_in(browser)
    by_address = log_in(Client(), "ALICE@fairbook.example")

    assert (by_name.status_code, by_address.status_code) == (200, 200)
    assert by_name.json()["login"] == "alice"
    assert browser.get(SESSION).json()["account"] == selectors.main_account(alice).number
    assert browser.delete(SESSION).status_code == 204
    assert browser.get(SESSION).status_code == 401


def test_a_wrong_password_and_an_unknown_name_are_told_the_same(alice, browser):
    wrong = log_in(browser, password="wrong horse battery")
    unknown = log_in(browser, "nobody@example.org")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json() == unknown.json() == {
        "code": "wrong_login", "message": "The name or the password is wrong.", "data": {},
    }  # fmt: skip


def test_guessing_is_slowed_down_and_the_owner_elsewhere_is_not(alice, browser):
    guesses = [log_in(browser, password=f"wrong horse {number}") for number in range(11)]

    assert guesses[0].status_code == 401, [guess.status_code for guess in guesses]
    assert guesses[-1].status_code == 429
    assert guesses[-1]["Retry-After"]
    assert log_in(browser).status_code == 429
    assert log_in(Client(REMOTE_ADDR="10.9.8.7")).status_code == 200


def test_a_log_in_while_postgresql_is_away_is_asked_to_come_again(alice, browser, monkeypatch):
    def away(*_args: object, **_kwargs: object) -> None:
        raise OperationalError("the server is away")

    monkeypatch.setattr(selectors, "user_by_email", away)

    answer = log_in(browser)

    assert answer.status_code == 503
    assert answer["Retry-After"]
    assert answer.json()["code"] == "unavailable"


def test_a_log_in_needs_a_page_of_ours(alice, cache):
    answer = log_in(Client(enforce_csrf_checks=True))

    assert answer.status_code == 403


def test_a_key_is_shown_once_and_sealed_at_rest(alice, browser):
    has_just_shown(browser, User.objects.get())

    made = send(browser, KEYS, label="bot", kind="hmac", can_trade=True).json()

    (listed,) = browser.get(KEYS).json()
    row = ApiKey.objects.get(public_id=made["public_id"])
    assert "secret" not in listed
    assert made["secret"].encode() not in bytes(row.sealed_secret)
    grant = selectors.key_grant(made["public_id"])
    assert grant.secret == made["secret"].encode()
    assert grant.standing.may_trade


def test_a_key_is_revoked_by_its_owner_only(alice, browser):
    has_just_shown(browser, User.objects.get())
    made = send(browser, KEYS, label="bot", kind="hmac").json()["public_id"]
    thief = people.register(email="mallory@example.org", password=PASSWORD)
    accounts.create_account(user_id=thief, kyc_tier=1)
    mallory = Client()
    log_in(mallory, "mallory@example.org")

    stolen = mallory.delete(f"{KEYS}/{made}")
    missing = mallory.delete(f"{KEYS}/none-such")

    assert (stolen.status_code, stolen.json()) == (missing.status_code, missing.json())
    assert stolen.status_code == 404
    assert browser.delete(f"{KEYS}/{made}").status_code == 204
    assert selectors.key_grant(made) is None


@pytest.mark.parametrize("path", ["/api/v1/account", KEYS, "/api/v1/orders/1024/life"])
def test_a_stranger_sees_nothing_private(browser, path):
    answer = browser.get(path)

    assert answer.status_code == 401
    assert answer.json()["code"] == "not_logged_in"
