"""Log-ins, log-outs and failures leave audit records; failing often does not fill the log."""

from __future__ import annotations

import time
from typing import Any

import pytest
import redis
from django.test import Client

from apps.common.models import AuditRecord
from apps.users import sessions
from apps.users.models import User
from apps.users.services import accounts, attempts, failed_tries, people
from apps.users.services.failed_tries import HOUR_S, NOBODY
from tests.helpers.authenticator import Authenticator
from tests.helpers.factors import code_of, give_app, has_just_shown

pytestmark = pytest.mark.django_db
PASSWORD, WRONG = "correct horse battery", "wrong horse battery"
SESSION, FACTOR = "/api/v1/session", "/api/v1/session/factor"
PASSKEYS = "/api/v1/account/factors/passkeys"
NOON = 12 * HOUR_S


@pytest.fixture
def alice(cache) -> int:
    user_id = people.register(email="alice@fairbook.example", password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


@pytest.fixture
def browser(cache) -> Client:
    return Client()


def send(browser: Client, path: str, **body: object) -> Any:
    return browser.post(path, body, content_type="application/json")


def log_in(browser: Client, password: str = PASSWORD, login: str = "alice") -> Any:
    return send(browser, SESSION, login=login, password=password)


def told(kind: str) -> list[dict[str, Any]]:
    """Return what records of a kind say, oldest first, with whom they are about."""
    rows = AuditRecord.objects.filter(kind=kind).order_by("pk")
    return [{"subject": row.subject, "actor": row.actor, **row.data} for row in rows]


def failures() -> list[tuple[str, int]]:
    return [(one["subject"], one["times"]) for one in told("log_in.failed")]


# -- what opened and ended


def test_a_log_in_and_a_log_out_are_one_record_each(alice, browser):
    log_in(browser)
    number = browser.get("/api/v1/account/sessions").json()[0]["id"]

    browser.delete(SESSION)
    browser.delete(SESSION)

    me = f"user:{alice}"
    assert told("session.began") == [{"subject": me, "actor": me, "by": "password"}]
    ended = {"subject": me, "actor": me, "how": "log_out", "session": number}
    assert told("session.ended") == [ended]


def test_a_log_in_in_two_steps_is_recorded_when_it_opens_and_by_what(alice, browser):
    secret = give_app(alice)

    log_in(browser)
    assert told("session.began") == []
    send(browser, FACTOR, code=code_of(secret))

    assert [one["by"] for one in told("session.began")] == ["totp"]


def test_a_passkey_that_opens_a_log_in_is_recorded_by_its_name(alice, browser, settings):
    passkey = Authenticator(settings.OTP_WEBAUTHN_ALLOWED_ORIGINS[0])
    has_just_shown(browser, alice)
    asked = send(browser, f"{PASSKEYS}/options").json()["public_key"]
    assert send(browser, PASSKEYS, credential=passkey.makes(asked)).status_code == 201
    other = Client()

    asked = send(other, f"{SESSION}/passkey/options").json()["public_key"]
    shown = send(other, f"{SESSION}/passkey", credential=passkey.shows(asked))

    assert shown.status_code == 200
    assert [one["by"] for one in told("session.began")] == ["passkey"]


def test_a_log_in_that_was_idle_too_long_ends_on_the_record(alice, browser, monkeypatch):
    log_in(browser)
    later = time.time() + 1801
    monkeypatch.setattr("apps.users.middleware.time.time", lambda: later)

    browser.get(SESSION)

    (ended,) = told("session.ended")
    assert (ended["how"], ended["actor"]) == ("too_old", "system")


def test_staff_leave_the_back_office_on_the_record(cache, browser):
    someone = people.register(email="sue@fairbook.example", password=PASSWORD, role="support")
    has_just_shown(browser, User.objects.get(pk=someone), kind=sessions.PASSKEY)

    assert browser.get("/admin/logout/").status_code == 405
    assert told("session.ended") == []
    assert browser.post("/admin/logout/").status_code in (200, 302)

    assert [one["subject"] for one in told("session.ended")] == [f"user:{someone}"]


# -- what failed


def test_a_failed_log_in_is_recorded_within_seconds_and_the_others_of_the_hour_in_one_sum(
    alice, browser
):
    now = time.time() // HOUR_S * HOUR_S
    log_in(browser, WRONG)
    failed_tries.record(at=time.time())
    for _ in range(4):
        log_in(browser, WRONG)
    failed_tries.record(at=time.time())

    assert failures() == [(f"user:{alice}", 1)]

    failed_tries.record(at=now + HOUR_S)
    failed_tries.record(at=now + HOUR_S)

    assert failures() == [(f"user:{alice}", 1), (f"user:{alice}", 5)]
    (first, _) = told("log_in.failed")
    assert first == {
        "subject": f"user:{alice}", "actor": "strangers", "purpose": "log-in",
        "times": 1, "hour_began": now,
    }  # fmt: skip


def test_a_wrong_code_is_recorded_as_a_factor(alice, browser):
    give_app(alice)
    log_in(browser)

    assert send(browser, FACTOR, code="000000").status_code == 401
    failed_tries.record(at=time.time())

    assert [one["purpose"] for one in told("log_in.failed")] == ["factor"]


def test_names_that_are_nobodys_are_one_record_together(browser, cache):
    for number in range(5):
        log_in(browser, login=f"nobody{number}@example.org")

    failed_tries.record(at=time.time())

    assert failures() == [("strangers", 5)]
    assert "nobody" not in str(AuditRecord.objects.values_list("data", flat=True))


def test_a_flood_over_many_people_has_an_end_in_the_audit_log(db, cache, monkeypatch):
    monkeypatch.setattr(failed_tries, "PEOPLE_MAX", 3)
    for user_id in range(1, 11):
        for _ in range(2):
            failed_tries.count(user_id=user_id, purpose="log-in", at=NOON)

    failed_tries.record(at=NOON + 10)
    assert len(failures()) == 3
    failed_tries.record(at=NOON + HOUR_S)

    assert len(failures()) == 4
    assert told("log_in.failed")[-1] == {
        "subject": "strangers", "actor": "strangers", "times": 14, "people": 7, "hour_began": NOON,
    }  # fmt: skip


def test_a_record_that_could_not_be_written_is_written_later(db, cache, monkeypatch):
    failed_tries.count(user_id=7, purpose="log-in", at=NOON)
    with monkeypatch.context() as broken:
        broken.setattr("apps.common.audit.outbox.send", lambda *_a, **_k: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            failed_tries.record(at=NOON)

    assert failed_tries.record(at=NOON) == 1


def test_a_failure_is_counted_alike_for_people_and_for_nobody(alice, browser, monkeypatch):
    """What the door does must not depend on whose name it is: its time would tell."""
    counted: list[tuple[int, str]] = []
    monkeypatch.setattr(
        failed_tries,
        "count",
        lambda *, user_id, purpose, at: counted.append((user_id, purpose)),
    )

    log_in(browser, WRONG)
    log_in(browser, login="nobody@example.org")

    assert counted == [(alice, "log-in"), (NOBODY, "log-in")]


def test_without_the_cache_a_failure_is_still_a_line_of_the_log(alice, browser, monkeypatch):
    def away(**_options: object) -> None:
        raise redis.ConnectionError("away")

    class Away:
        pipeline = staticmethod(away)

        def close(self) -> None:
            pass

    monkeypatch.setattr(failed_tries, "cache_client", lambda **_options: Away())
    lines: list[str] = []
    monkeypatch.setattr(attempts.log, "info", lambda event, **_about: lines.append(event))

    assert log_in(browser, WRONG).status_code == 401

    assert lines == ["users.attempt.failed"]
