"""Passkeys: added, shown beside a password or alone, and the only way into the back office."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.test import Client, override_settings

from apps.users import sessions
from apps.users.models import User
from apps.users.services import accounts, factors, people, staff
from exchange_site import checks
from tests.helpers.authenticator import Authenticator
from tests.helpers.factors import code_of, give_app, has_just_shown

SESSION, SHOW = "/api/v1/session", "/api/v1/session/passkey"
FACTORS, PASSKEYS = "/api/v1/account/factors", "/api/v1/account/factors/passkeys"
ALICE, PASSWORD = "alice@example.org", "correct horse battery"
HERE = "http://localhost:8000"


@pytest.fixture
def alice(transactional_db, cache) -> int:
    user_id = people.register(email=ALICE, password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


def send(browser: Client, path: str, **body: Any) -> Any:
    return browser.post(path, body, content_type="application/json")


def logs_in(browser: Client, login: str = ALICE) -> Any:
    return send(browser, SESSION, login=login, password=PASSWORD)


def adds(browser: Client, passkey: Authenticator) -> Any:
    asked = send(browser, f"{PASSKEYS}/options").json()["public_key"]
    return send(browser, PASSKEYS, name="Key ring", credential=passkey.makes(asked))


def shows(browser: Client, passkey: Authenticator) -> Any:
    asked = send(browser, f"{SHOW}/options").json()["public_key"]
    return send(browser, SHOW, credential=passkey.shows(asked))


@pytest.fixture
def passkey(alice) -> Authenticator:
    """Return alice's passkey."""
    browser, made = Client(), Authenticator(HERE)
    logs_in(browser)
    assert adds(browser, made).status_code == 201
    return made


def test_a_passkey_is_a_factor_and_brings_recovery_codes(alice, client):
    logs_in(client)

    added = adds(client, Authenticator(HERE))

    assert (added.status_code, len(added.json()["recovery_codes"])) == (201, 10)
    (listed,) = client.get(FACTORS).json()["factors"]
    assert (listed["kind"], listed["name"]) == ("passkey", "Key ring")
    assert logs_in(Client()).json() == {"factors": ["passkey", "recovery"]}


def test_a_passkey_completes_a_log_in(passkey, client):
    logs_in(client)

    assert shows(client, passkey).json()["email"] == ALICE
    assert client.get(SESSION).status_code == 200


def test_a_passkey_logs_in_alone(passkey, client):
    answer = shows(client, passkey)

    assert (answer.status_code, answer.json()["email"]) == (200, ALICE)
    assert sessions.factor_of(client.session) == "passkey"


def test_an_answer_counts_once(passkey, client):
    asked = send(client, f"{SHOW}/options").json()["public_key"]
    answer = passkey.shows(asked)
    assert send(client, SHOW, credential=answer).status_code == 200
    client.delete(SESSION)

    assert send(client, SHOW, credential=answer).json()["code"] == "wrong_factor"
    thief = Client()
    send(thief, f"{SHOW}/options")
    assert send(thief, SHOW, credential=answer).json()["code"] == "wrong_factor"


def test_a_page_of_somebody_else_gets_nothing_that_opens_a_door(passkey, client):
    passkey.origin = "https://fairbook.example.evil"

    assert shows(client, passkey).json()["code"] == "wrong_factor"


def test_a_passkey_without_a_finger_is_no_factor(alice, passkey, client):
    passkey.verifies = False
    assert shows(client, passkey).json()["code"] == "wrong_factor"

    has_just_shown(client, alice)
    assert adds(client, Authenticator(HERE, verifies=False)).json()["code"] == "wrong_factor"


def test_anothers_passkey_completes_nobodys_log_in(passkey, client):
    bob = people.register(email="bob@example.org", password=PASSWORD)
    give_app(bob)
    logs_in(client, "bob@example.org")

    assert shows(client, passkey).json()["code"] == "wrong_factor"
    assert client.get(SESSION).status_code == 401


def test_a_copy_that_counts_behind_is_refused(passkey, client):
    assert shows(client, passkey).status_code == 200
    passkey.uses -= 1

    assert shows(Client(), passkey).json()["code"] == "wrong_factor"


@pytest.mark.parametrize(
    "credential", [{}, {"id": 5}, {"id": "x", "rawId": "x", "response": {}, "type": "public-key"}]
)
def test_what_is_no_answer_is_a_wrong_one(passkey, client, credential):
    send(client, f"{SHOW}/options")

    assert send(client, SHOW, credential=credential).json()["code"] == "wrong_factor"


def test_a_passkey_that_was_removed_opens_nothing(alice, passkey, client):
    shows(client, passkey)
    (listed,) = client.get(FACTORS).json()["factors"]

    assert client.delete(f"{FACTORS}/passkey/{listed['id']}").status_code == 204
    assert shows(Client(), passkey).json()["code"] == "wrong_factor"
    assert not User.objects.get(pk=alice).has_factor


def test_without_a_factor_left_nothing_is_fresh(alice, passkey, client):
    shows(client, passkey)
    (listed,) = client.get(FACTORS).json()["factors"]
    client.delete(f"{FACTORS}/passkey/{listed['id']}")

    made = send(client, "/api/v1/account/keys", kind="hmac")

    assert made.json()["code"] == "factor_required"


# -- staff


@pytest.fixture
def operator(transactional_db, cache) -> int:
    staff.let_staff_in()
    return people.register(email="op@example.org", password=PASSWORD, role="operator")


OFFICE, LIST = "/admin/", "/admin/markets/market/list/"


def test_the_back_office_opens_by_a_passkey_only(operator, client):
    secret = give_app(operator)
    logs_in(client, "op@example.org")
    send(client, "/api/v1/session/factor", code=code_of(secret))

    refused = client.get(OFFICE, follow=True)
    assert refused.status_code == 403
    assert b"asks for a passkey" in refused.content

    assert adds(client, Authenticator(HERE)).status_code == 201
    assert client.get(OFFICE).status_code == 200


def test_the_back_office_closes_with_the_last_passkey(operator, client):
    has_just_shown(client, operator)
    adds(client, Authenticator(HERE))
    number = next(
        one["id"] for one in client.get(FACTORS).json()["factors"] if one["kind"] != "totp"
    )

    client.delete(f"{FACTORS}/passkey/{number}")

    assert client.get(OFFICE).status_code == 302


def test_who_has_a_passkey_adds_no_other_by_a_weaker_factor(operator, client):
    secret = give_app(operator)
    has_just_shown(client, operator)
    adds(client, Authenticator(HERE))

    thief = Client()
    logs_in(thief, "op@example.org")
    send(thief, "/api/v1/session/factor", code=code_of(secret))
    refused = send(thief, f"{PASSKEYS}/options").json()

    assert (refused["code"], refused["data"]) == ("step_up_needed", {"factors": ["passkey"]})


def test_an_act_needs_a_passkey_of_the_last_five_minutes_and_keeps_what_was_filled_in(
    operator, client
):
    has_just_shown(client, operator)
    passkey = Authenticator(HERE)
    adds(client, passkey)
    session = client.session
    session[sessions.PASSKEY_AT] -= 301
    session.save()

    stale = client.post(LIST, {"symbol": "SOL-USDT", "reason": 'because "we" may'})
    assert (stale.status_code, stale["X-Refusal"]) == (403, "step_up_needed")
    assert b'name="symbol" value="SOL-USDT"' in stale.content
    assert b"because &quot;we&quot; may" in stale.content
    assert client.get(LIST).status_code == 200  # Looking needs no more.

    shows(client, passkey)
    assert client.post(LIST, {"symbol": "SOL-USDT"}).status_code == 200


def test_a_code_steps_nobody_up_in_the_back_office(operator, client):
    has_just_shown(client, operator, kind="passkey")
    session, now = client.session, time.time()
    session[sessions.PASSKEY_AT] = now - 301
    sessions.note_factor(session, kind=factors.TOTP, now=now)
    session.save()

    assert client.post(LIST, {})["X-Refusal"] == "step_up_needed"
    assert client.get(OFFICE).status_code == 200


@pytest.mark.parametrize(("env", "status"), [("demo", 200), ("test", 302), ("production", 302)])
def test_the_demos_one_click_opens_the_back_office_of_a_demo_only(operator, client, env, status):
    has_just_shown(client, operator, kind=sessions.DEMO)

    with override_settings(FAIRBOOK_ENV=env):
        assert client.get(OFFICE).status_code == status


def test_production_does_not_start_without_passkeys_for_staff(settings):
    settings.FAIRBOOK_ENV, settings.STAFF_PASSKEY = "production", False

    assert "fairbook.E018" in [error.id for error in checks.production_is_safe()]
