"""Staff with the right end the log-ins of a person, one or all, with a reason and on the record."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from apps.common.models import AuditRecord
from apps.users import selectors, sessions
from apps.users.models import LogIn
from apps.users.services import accounts, open_sessions, people, staff
from apps.users.services.mail import text_of
from tests.helpers.factors import give_app, has_just_shown
from tests.helpers.mails import kinds_to, mails_to
from tests.users.test_open_sessions import grown_old

SESSION, FACTOR = "/api/v1/session", "/api/v1/session/factor"
ALICE, PASSWORD = "alice@example.org", "correct horse battery"


@pytest.fixture
def alice(transactional_db, cache) -> int:
    user_id = people.register(email=ALICE, password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


@pytest.fixture
def somebody(alice):
    """Return what logs a new person of a role in."""
    staff.let_staff_in()

    def of_role(role: str) -> Client:
        number = people.register(email=f"{role}@example.org", password=PASSWORD, role=role)
        client = Client()
        has_just_shown(client, number, kind=sessions.PASSKEY)
        return client

    return of_role


def logged_in(login: str = ALICE) -> Client:
    browser = Client()
    body = {"login": login, "password": PASSWORD}
    assert browser.post(SESSION, body, content_type="application/json").status_code == 200
    return browser


def is_logged_in(browser: Client) -> bool:
    return bool(browser.get(SESSION).status_code == 200)


def door(user_id: int) -> str:
    return f"/admin/users/user/{user_id}/log-ins/"


def end(client: Client, user_id: int, which: Any, reason: str = "asked by telephone") -> Any:
    return client.post(door(user_id), {"which": which, "reason": reason})


@pytest.mark.parametrize("role", ["support", "compliance", "admin"])
def test_staff_end_all_log_ins_of_a_person_at_once(alice, somebody, role):
    browsers, client = [logged_in(), logged_in()], somebody(role)
    keys = [browser.session.session_key for browser in browsers]
    numbers = list(LogIn.objects.order_by("-pk").values_list("pk", flat=True))

    assert end(client, alice, "all").status_code == 302

    assert not any(is_logged_in(browser) for browser in browsers)
    assert [selectors.session_grant(key) for key in keys] == [None, None]
    record = AuditRecord.objects.get(kind="session.revoked")
    who = selectors.user_by_email(f"{role}@example.org").pk
    assert (record.subject, record.actor) == (f"user:{alice}", f"staff:{who}")
    assert record.data == {"sessions": numbers, "reason": "asked by telephone"}
    assert kinds_to(ALICE)[-1] == "log_ins_ended"
    assert is_logged_in(logged_in())


def test_staff_end_one_log_in_and_the_others_go_on(alice, somebody):
    first, second = logged_in(), logged_in()
    client = somebody("support")
    page = client.get(door(alice)).content.decode()
    oldest = LogIn.objects.order_by("pk").first()

    assert f'value="{oldest.pk}"' in page
    assert end(client, alice, oldest.pk).status_code == 302

    assert (is_logged_in(first), is_logged_in(second)) == (False, True)
    assert kinds_to(ALICE)[-1] == "log_in_ended"


def test_a_log_in_that_is_half_begun_ends_with_all(alice, somebody):
    give_app(alice)
    browser, client = Client(), somebody("support")
    body = {"login": ALICE, "password": PASSWORD}
    assert browser.post(SESSION, body, content_type="application/json").status_code == 202

    end(client, alice, "all")

    late = browser.post(FACTOR, {"code": "000000"}, content_type="application/json")
    assert late.json()["code"] == "log_in_again"


@pytest.mark.parametrize("role", ["operator", "risk", "auditor", "treasury"])
def test_others_of_the_staff_may_not(alice, somebody, role):
    browser, client = logged_in(), somebody(role)

    assert client.get(door(alice)).status_code == 403
    assert end(client, alice, "all").status_code == 403

    assert is_logged_in(browser)


def test_only_an_admin_ends_those_of_staff(alice, somebody):
    colleague = people.register(email="sue@example.org", password=PASSWORD, role="compliance")
    browser = logged_in("sue@example.org")

    assert end(somebody("support"), colleague, "all").status_code == 403
    assert is_logged_in(browser)
    assert end(somebody("admin"), colleague, "all").status_code == 302
    assert not is_logged_in(browser)


def test_it_needs_a_reason_a_fresh_passkey_and_a_log_in_of_that_person(alice, somebody):
    browser, client = logged_in(), somebody("support")
    people.register(email="bob@example.org", password=PASSWORD)
    logged_in("bob@example.org")
    bobs = LogIn.objects.get(user__email="bob@example.org").pk

    assert end(client, alice, "all", reason="").status_code == 200
    assert end(client, alice, bobs).status_code == 200
    assert end(client, alice, "").status_code == 200
    stale = end(grown_old_passkey(client), alice, "all")

    assert (stale.status_code, stale["X-Refusal"]) == (403, "step_up_needed")
    assert is_logged_in(browser)
    assert LogIn.objects.filter(pk=bobs).exists()


def grown_old_passkey(client: Client) -> Client:
    session = client.session
    session[sessions.PASSKEY_AT] -= 301
    session.save()
    return grown_old(client)


# -- how many at a time


def test_the_oldest_log_in_ends_when_there_are_too_many(alice, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_LOG_INS", "3")
    browsers = [logged_in() for _ in range(4)]

    assert [is_logged_in(browser) for browser in browsers] == [False, True, True, True]

    (record,) = AuditRecord.objects.filter(kind="session.revoked")
    assert (record.actor, record.data["reason"]) == ("system", "too_many")
    told = mails_to(ALICE)[-1]
    assert told.kind == "log_in_over_limit"
    assert "3 log-ins at a time" in text_of(told)


def test_what_ended_by_itself_is_not_counted(alice, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_LOG_INS", "2")
    here = logged_in()
    for _ in range(5):
        logged_in().delete(SESSION)

    assert is_logged_in(here)


def test_staff_have_a_limit_of_their_own_and_by_default_it_is_three(alice, cache):
    people.register(email="sue@example.org", password=PASSWORD, role="support")

    browsers = [logged_in("sue@example.org") for _ in range(4)]

    assert [is_logged_in(browser) for browser in browsers] == [False, True, True, True]


def test_many_log_ins_at_once_keep_to_the_limit_too(alice, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_LOG_INS", "2")

    def one(_number: int) -> Client:
        browser = Client()
        try:  # One that is ended before it is answered is told so: 400.
            browser.post(
                SESSION, {"login": ALICE, "password": PASSWORD}, content_type="application/json"
            )
        finally:
            connection.close()
        return browser

    with ThreadPoolExecutor(6) as pool:
        browsers = list(pool.map(one, range(6)))

    assert sum(is_logged_in(browser) for browser in browsers) == 2
    assert len(open_sessions.list_open(user_id=alice, this=None)) == 2


def test_a_person_who_logs_in_all_day_is_not_mailed_all_day(alice, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_LOG_INS", "1")
    for _ in range(9):
        logged_in()

    assert kinds_to(ALICE).count("log_in_over_limit") == 4
