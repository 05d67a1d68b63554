"""A person's open log-ins: listed, ended one by one or all, and fresh proof for what matters."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from apps.common import audit
from apps.users import selectors, sessions
from apps.users.models import LogIn
from apps.users.services import accounts, open_sessions, people
from tests.helpers.factors import code_of, give_app

SESSION, SESSIONS, KEYS = "/api/v1/session", "/api/v1/account/sessions", "/api/v1/account/keys"
LOG, PASSWORDS = "/api/v1/account/security-log", "/api/v1/account/password"
ALICE, PASSWORD, ANOTHER = "alice@example.org", "correct horse battery", "another horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def alice(transactional_db, cache) -> int:
    user_id = people.register(email=ALICE, password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


def send(browser: Client, path: str, **body: Any) -> Any:
    return browser.post(path, body, content_type="application/json")


def logged_in(login: str = ALICE, **about: Any) -> Client:
    browser = Client(**about)
    assert send(browser, SESSION, login=login, password=PASSWORD).status_code == 200
    return browser


def is_logged_in(browser: Client) -> bool:
    return bool(browser.get(SESSION).status_code == 200)


def test_open_log_ins_are_listed_with_device_and_last_use(alice):
    here, there = logged_in(HTTP_USER_AGENT=FIREFOX), logged_in()

    found = here.get(SESSIONS).json()

    assert [one["is_this"] for one in found].count(True) == 1
    mine = next(one for one in found if one["is_this"])
    assert mine["device"] == "Firefox on Linux"
    assert mine["began_at"] <= mine["seen_at"] < mine["ends_at"]
    keys = {browser.session.session_key for browser in (here, there)}
    assert not any(key in str(found) for key in keys)


def test_one_log_in_is_ended_everywhere_and_told(alice):
    here, there = logged_in(), logged_in()
    key = there.session.session_key
    (other,) = (one["id"] for one in here.get(SESSIONS).json() if not one["is_this"])

    assert here.delete(f"{SESSIONS}/{other}").status_code == 204

    assert (is_logged_in(here), is_logged_in(there)) == (True, False)
    assert selectors.session_grant(key) is None
    assert [one["is_this"] for one in here.get(SESSIONS).json()] == [True]
    assert "session.revoked" in [row.kind for row in audit.records_about(f"user:{alice}")]
    assert here.delete(f"{SESSIONS}/{other}").status_code == 404


def test_all_others_are_ended_at_once(alice):
    here, others = logged_in(), [logged_in() for _ in range(3)]

    assert here.delete(SESSIONS).json() == {"ended": 3}

    assert is_logged_in(here)
    assert not any(is_logged_in(other) for other in others)


def test_anothers_log_in_looks_like_none(alice):
    alices = logged_in()
    people.register(email="mallory@example.org", password=PASSWORD)
    mallory = logged_in("mallory@example.org")
    number = LogIn.objects.get(user_id=alice).pk

    theirs, none = mallory.delete(f"{SESSIONS}/{number}"), mallory.delete(f"{SESSIONS}/999")

    assert (theirs.status_code, theirs.json()) == (none.status_code, none.json())
    assert is_logged_in(alices)


def test_a_log_in_stays_listed_under_its_new_cookie_and_those_of_an_old_password_do_not(alice):
    here, _there = logged_in(), logged_in()

    send(here, PASSWORDS, old_password=PASSWORD, password=ANOTHER)

    assert [one["is_this"] for one in here.get(SESSIONS).json()] == [True]


@pytest.mark.parametrize(
    ("is_staff", "idle_s", "whole_s"), [(False, 1800, 43200), (True, 900, 28800)]
)
def test_a_log_in_ends_when_it_is_idle_or_old(alice, is_staff, idle_s, whole_s, monkeypatch):
    browser, began = logged_in(), time.time()
    session = browser.session
    sessions.begin(session, now=began, is_staff=is_staff)
    session.save()

    monkeypatch.setattr("apps.users.middleware.time.time", lambda: began + idle_s - 5)
    assert is_logged_in(browser)
    session = browser.session
    session[sessions.SEEN] = began + whole_s - 60
    session.save()
    monkeypatch.setattr("apps.users.middleware.time.time", lambda: began + whole_s + 1)
    assert not is_logged_in(browser)


def test_logging_in_again_in_the_same_browser_ends_the_log_in_before(alice):
    browser = logged_in()
    before = browser.session.session_key

    send(browser, SESSION, login=ALICE, password=PASSWORD)

    assert browser.session.session_key != before
    assert selectors.session_grant(before) is None
    assert [one["is_this"] for one in browser.get(SESSIONS).json()] == [True]


def test_what_is_kept_of_ended_log_ins_is_dropped(alice):
    here = logged_in()
    logged_in().delete(SESSION)
    assert LogIn.objects.count() == 2

    open_sessions.forget_ended()

    assert LogIn.objects.get().session_key == sessions.name_of(here.session.session_key)
    assert Session.objects.count() == 1


def test_the_security_log_tells_its_owner_in_words(alice):
    browser = logged_in()
    send(browser, PASSWORDS, old_password=PASSWORD, password=ANOTHER)

    told = [one["text"] for one in browser.get(LOG).json()]

    assert told[-1] == "The account was opened"
    assert {"Logged in", "The password was changed"} <= set(told)


# -- step-up


def grown_old(browser: Client, *, seconds: float = 301) -> Client:
    """Let what was shown in a log-in be so old."""
    session = browser.session
    for name in (sessions.FACTOR_AT, sessions.PASSWORD_AT):
        if name in session:
            session[name] -= seconds
    session.save()
    return browser


@pytest.fixture
def secret(alice) -> str:
    return give_app(alice)


@pytest.fixture
def whole(secret) -> Client:
    """Return a browser in which alice is logged in by both steps."""
    browser = Client()
    send(browser, SESSION, login=ALICE, password=PASSWORD)
    send(browser, "/api/v1/session/factor", code=code_of(secret, later=-1))
    return browser


NEEDS_FRESH = [
    ("POST", KEYS, {"kind": "hmac"}),
    ("POST", PASSWORDS, {"old_password": PASSWORD, "password": ANOTHER}),
    ("POST", "/api/v1/account/email", {"email": "new@example.org", "password": PASSWORD}),
    ("POST", "/api/v1/account/factors/totp", {"name": "another"}),
    ("POST", "/api/v1/account/factors/recovery-codes", {}),
    ("DELETE", "/api/v1/account/factors/totp/1", {}),
]


@pytest.mark.parametrize(("method", "path", "body"), NEEDS_FRESH, ids=lambda one: str(one)[:40])
def test_what_matters_needs_a_factor_of_the_last_five_minutes(whole, secret, method, path, body):
    def ask() -> Any:
        return whole.generic(method, path, json.dumps(body), content_type="application/json")

    stale = grown_old(whole)
    refused = ask()
    assert (refused.status_code, refused.json()["code"]) == (403, "step_up_needed")
    assert refused.json()["data"] == {"factors": ["totp"]}

    shown = send(stale, "/api/v1/session/factor", code=code_of(secret))
    assert shown.status_code == 200
    assert ask().status_code in (200, 201, 202, 204, 404)


def test_a_factor_of_four_minutes_ago_will_do(whole):
    grown_old(whole, seconds=240)

    assert send(whole, KEYS, kind="hmac").status_code == 201


def test_a_wrong_code_steps_nobody_up(whole):
    grown_old(whole)

    assert send(whole, "/api/v1/session/factor", code="000000").status_code == 401
    assert send(whole, KEYS, kind="hmac").json()["code"] == "step_up_needed"


def test_without_a_factor_no_key_is_made(alice):
    browser = logged_in()

    assert send(browser, KEYS, kind="hmac").json()["code"] == "factor_required"


def test_the_first_factor_needs_a_fresh_password(alice):
    browser = grown_old(logged_in())

    refused = send(browser, "/api/v1/account/factors/totp")
    assert refused.json()["data"] == {"factors": ["password"]}
    wrong = send(browser, "/api/v1/session/factor", password="wrong horse battery")
    assert wrong.json()["code"] == "wrong_password"
    assert send(browser, "/api/v1/session/factor", password=PASSWORD).status_code == 200
    assert send(browser, "/api/v1/account/factors/totp").status_code == 201


def test_a_demo_log_in_counts_for_nothing_outside_the_demo(whole):
    session = whole.session
    sessions.note_factor(session, kind=sessions.DEMO, now=time.time())
    session.save()

    assert send(whole, KEYS, kind="hmac").json()["code"] == "step_up_needed"
