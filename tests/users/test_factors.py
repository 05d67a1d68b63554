"""Second factors: codes of an app, recovery codes, and the log-in in two steps."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from django.db import connections
from django.test import Client
from django_otp.oath import TOTP

from apps.common import audit
from apps.users import selectors
from apps.users.models import AuthenticatorApp, RecoveryCode
from apps.users.services import accounts, codes, factors, people, withdrawal_lock
from apps.users.standing.codes import FACTOR_REQUIRED
from tests.helpers.factors import code_of, give_app, has_just_shown
from tests.helpers.mails import kinds_to

SESSION, FACTOR, FACTORS = "/api/v1/session", "/api/v1/session/factor", "/api/v1/account/factors"
ALICE, PASSWORD = "alice@example.org", "correct horse battery"


@pytest.fixture
def alice(transactional_db, cache) -> int:
    user_id = people.register(email=ALICE, password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


@pytest.fixture
def secret(alice) -> str:
    return give_app(alice)


def send(browser: Client, path: str, **body: Any) -> Any:
    return browser.post(path, body, content_type="application/json")


def shows_password(browser: Client, password: str = PASSWORD) -> Any:
    return send(browser, SESSION, login=ALICE, password=password)


def is_logged_in(browser: Client) -> bool:
    return bool(browser.get(SESSION).status_code == 200)


# -- the log-in in two steps


def test_a_password_alone_logs_nobody_in_who_has_a_factor(secret, client):
    first = shows_password(client)
    before = client.cookies["sessionid"].value

    assert (first.status_code, first.json()) == (202, {"factors": ["totp"]})
    assert not is_logged_in(client)
    assert client.get(FACTORS).status_code == 401

    second = send(client, FACTOR, code=code_of(secret))

    assert second.status_code == 200
    assert second.json()["email"] == ALICE
    assert is_logged_in(client)
    assert client.cookies["sessionid"].value != before


def test_without_a_right_password_a_code_opens_nothing(secret, client):
    alone = send(client, FACTOR, code=code_of(secret))
    wrong = shows_password(client, "wrong horse battery")
    after = send(client, FACTOR, code=code_of(secret))

    assert [alone.json()["code"], after.json()["code"]] == ["log_in_again"] * 2
    assert wrong.json()["code"] == "wrong_login"


def test_a_half_open_log_in_ends_after_five_minutes(secret, client, monkeypatch):
    shows_password(client)
    now = time.time()
    monkeypatch.setattr("apps.users.services.log_ins.time.time", lambda: now + 301)

    assert send(client, FACTOR, code=code_of(secret)).json()["code"] == "log_in_again"


def test_a_half_open_log_in_ends_with_the_password_that_began_it(secret, client):
    shows_password(client)
    people.register(email=ALICE, password="another horse battery")

    assert send(client, FACTOR, code=code_of(secret)).json()["code"] == "log_in_again"


def test_a_wrong_password_looks_the_same_whether_there_is_a_factor_or_not(secret, client):
    people.register(email="bob@example.org", password=PASSWORD)

    said = [
        send(client, SESSION, login=login, password="wrong horse battery")
        for login in (ALICE, "bob@example.org", "nobody@example.org")
    ]

    assert {(one.status_code, one.content) for one in said} == {(401, said[0].content)}


# -- a code counts once


def test_a_code_is_good_once(secret, client):
    code = code_of(secret)
    shows_password(client)
    assert send(client, FACTOR, code=code).status_code == 200

    thief = Client()
    shows_password(thief)
    replayed = send(thief, FACTOR, code=code)

    assert (replayed.status_code, replayed.json()["code"]) == (401, "wrong_factor")
    assert not is_logged_in(thief)


def test_an_older_code_than_the_last_one_is_not_good_any_more(alice, secret):
    codes.check(user_id=alice, code=code_of(secret, later=1))

    with pytest.raises(factors.WrongFactor):
        codes.check(user_id=alice, code=code_of(secret))


@pytest.mark.parametrize(("later", "is_good"), [(-2, False), (-1, True), (0, True), (1, True)])
def test_a_code_is_good_for_its_half_minute_and_its_neighbours(alice, secret, later, is_good):
    app = AuthenticatorApp.objects.get()

    assert app.verify_token(code_of(secret, later=later)) is is_good


@pytest.mark.parametrize("typed", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "12 34 56 78"])
def test_what_is_no_code_is_a_wrong_one(alice, secret, typed):
    with pytest.raises(factors.WrongFactor):
        codes.check(user_id=alice, code=typed)


def test_the_secret_is_sealed_and_opens_as_its_owners_only(alice, secret):
    app = AuthenticatorApp.objects.get()
    bob = people.register(email="bob@example.org", password=PASSWORD)

    assert app.secret not in bytes(app.sealed_secret)
    app.user_id = bob
    with pytest.raises(InvalidTag):
        assert app.secret


# -- two at once


def at_once(act: Any) -> list[str]:
    """Do something twice at the same time; return what came of it."""
    said: list[str] = []

    def run() -> None:
        try:
            said.append(act())
        except factors.WrongFactor:
            said.append("refused")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    return sorted(said)


@pytest.fixture
def slow_looks(monkeypatch) -> None:
    """Let both have looked before either writes."""
    both, look = threading.Barrier(2), AuthenticatorApp._step_of

    def slow(app: AuthenticatorApp, token: str) -> int | None:
        step = look(app, token)
        both.wait(timeout=10)
        return step

    monkeypatch.setattr(AuthenticatorApp, "_step_of", slow)


def test_this_test_can_see_the_race(alice, secret, slow_looks, monkeypatch):
    """Looked at first and written after, one code counts twice; else the next proves nothing."""

    def take(app: AuthenticatorApp, step: int) -> bool:
        is_fresh = app.last_step < step
        AuthenticatorApp.objects.filter(pk=app.pk).update(last_step=step)
        return is_fresh

    monkeypatch.setattr(AuthenticatorApp, "take_step", take)
    code = code_of(secret)

    assert at_once(lambda: codes.check(user_id=alice, code=code)) == ["totp", "totp"]


def test_of_two_with_the_same_code_one_gets_in(alice, secret, slow_looks):
    code = code_of(secret)

    assert at_once(lambda: codes.check(user_id=alice, code=code)) == ["refused", "totp"]


def test_of_two_with_the_same_recovery_code_one_gets_in(alice, secret):
    _, (word, *_) = codes.renew_recovery_codes(user_id=alice)

    assert at_once(lambda: codes.check(user_id=alice, code=word)) == ["recovery", "refused"]


# -- enrolment


def enrol(browser: Client) -> tuple[str, Any]:
    made = send(browser, f"{FACTORS}/totp", name="My phone").json()
    return made["secret"], send(
        browser, f"{FACTORS}/totp/{made['id']}/code", code=code_of(made["secret"])
    )


def test_an_app_counts_from_its_first_code_on_and_brings_ten_recovery_codes(alice, client):
    shows_password(client)
    other = Client()
    shows_password(other)

    made = send(client, f"{FACTORS}/totp", name="My phone").json()
    assert made["uri"].startswith("otpauth://totp/Fairbook:alice%40example.org?secret=")
    assert made["qr"].startswith("data:image/svg+xml")
    assert client.get(FACTORS).json()["factors"] == []

    wrong = send(client, f"{FACTORS}/totp/{made['id']}/code", code="000000")
    assert wrong.json()["code"] == "wrong_factor"
    done = send(client, f"{FACTORS}/totp/{made['id']}/code", code=code_of(made["secret"]))

    assert len(set(done.json()["recovery_codes"])) == 10
    (listed,) = client.get(FACTORS).json()["factors"]
    assert (listed["kind"], listed["name"]) == ("totp", "My phone")
    assert made["secret"] not in str(client.get(FACTORS).json())
    assert is_logged_in(client)
    assert not is_logged_in(other)  # It had shown a password only.
    assert "factor_added" in kinds_to(ALICE)
    assert "factor.added" in [row.kind for row in audit.records_about(f"user:{alice}")]


def test_nobody_trades_without_a_factor_and_the_first_one_starts_no_lock(alice, client):
    before = selectors.standing_for_user(alice)
    assert (before.reasons, before.may_trade, before.may_withdraw) == (
        (FACTOR_REQUIRED,),
        False,
        False,
    )
    assert before.may_cancel

    shows_password(client)
    enrol(client)

    after = selectors.standing_for_user(alice)
    assert (after.reasons, after.may_trade, after.may_withdraw) == ((), True, True)


def test_a_log_in_that_showed_no_factor_trades_nothing(alice, secret, client):
    has_just_shown(client, alice, kind="")
    bare = selectors.session_grant(client.session.session_key)
    has_just_shown(client, alice)
    whole = selectors.session_grant(client.session.session_key)

    assert (bare.standing.may_trade, bare.standing.reasons) == (False, (FACTOR_REQUIRED,))
    assert whole.standing.may_trade


@pytest.mark.parametrize("kind", ["another", "removed", "renewed"])
def test_a_later_change_locks_withdrawals_and_ends_other_log_ins(alice, secret, kind):
    here, there = Client(), Client()
    for browser in (here, there):
        has_just_shown(browser, alice)

    if kind == "another":
        enrol(here)
    elif kind == "renewed":
        assert send(here, f"{FACTORS}/recovery-codes").status_code == 201
    else:
        number = AuthenticatorApp.objects.get().pk
        assert here.delete(f"{FACTORS}/totp/{number}").status_code == 204

    assert (is_logged_in(here), is_logged_in(there)) == (True, False)
    assert withdrawal_lock.locked_until(alice) is not None


def test_without_its_last_factor_an_account_stops_trading(alice, secret, client):
    codes.renew_recovery_codes(user_id=alice)
    has_just_shown(client, alice)

    client.delete(f"{FACTORS}/totp/{AuthenticatorApp.objects.get().pk}")

    assert FACTOR_REQUIRED in selectors.standing_for_user(alice).reasons
    assert not RecoveryCode.objects.exists()
    assert shows_password(Client()).status_code == 200


def test_anothers_factor_looks_like_none(alice, secret, client):
    bob = people.register(email="bob@example.org", password=PASSWORD)
    has_just_shown(client, bob)

    theirs = client.delete(f"{FACTORS}/totp/{AuthenticatorApp.objects.get(user_id=alice).pk}")
    none = client.delete(f"{FACTORS}/totp/999")

    assert (theirs.status_code, theirs.json()) == (none.status_code, none.json())
    assert theirs.status_code == 404


# -- recovery codes


def test_a_recovery_code_logs_in_once_and_is_kept_as_a_digest(alice, secret, client):
    _, (word, *_) = codes.renew_recovery_codes(user_id=alice)
    shows_password(client)

    assert send(client, FACTOR, code=word.upper()).status_code == 200
    thief = Client()
    assert shows_password(thief).json() == {"factors": ["totp", "recovery"]}
    assert send(thief, FACTOR, code=word).json()["code"] == "wrong_factor"
    assert client.get(FACTORS).json()["recovery_codes_left"] == 9
    assert "recovery_used" in kinds_to(ALICE)
    plain = word.replace("-", "").encode()
    assert all(plain not in bytes(row.digest) for row in RecoveryCode.objects.all())


# -- guesses


def test_guessing_codes_is_slowed_down_and_the_owners_known_device_is_not(alice, secret, client):
    shows_password(client)
    assert send(client, FACTOR, code=code_of(secret, later=-1)).status_code == 200  # Known now.
    client.delete(SESSION)
    thief = Client(REMOTE_ADDR="10.9.9.9")
    shows_password(thief)

    said = [send(thief, FACTOR, code="000000").status_code for _ in range(11)]

    assert said == [401] * 10 + [429]
    shows_password(client)
    assert send(client, FACTOR, code=code_of(secret)).status_code == 200


def test_strangers_anywhere_get_twenty_guesses_of_an_account_at_once(alice, secret):
    said = []
    for network in (1, 2, 3):
        thief = Client(REMOTE_ADDR=f"10.{network}.9.9")
        shows_password(thief)
        said += [send(thief, FACTOR, code="000000").status_code for _ in range(9)]

    assert said.count(401) == 20


def test_the_codes_are_those_of_the_standard():
    """RFC 6238, appendix B, as apps show them."""
    oath = TOTP(b"12345678901234567890", step=30, digits=8)
    oath.time = 59

    assert oath.token() == 94287082
