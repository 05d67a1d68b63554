"""Who lost every second factor: shows password and address, and a person decides."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.common import audit
from apps.users import selectors
from apps.users.models import AuthenticatorApp, FactorReset, RecoveryCodes, User
from apps.users.services import accounts, codes, people, staff, withdrawal_lock
from apps.users.standing.codes import FACTOR_REQUIRED
from tests.helpers.factors import code_of, give_app, has_just_shown
from tests.helpers.mails import kinds_to, word_to

SESSION, ASK = "/api/v1/session", "/api/v1/session/factor/reset"
PROOFS, OFFICE = "/api/v1/users/proofs", "/admin/users/factorreset/"
ALICE, PASSWORD = "alice@example.org", "correct horse battery"


@pytest.fixture
def alice(transactional_db, cache) -> int:
    user_id = people.register(email=ALICE, password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


@pytest.fixture
def secret(alice) -> str:
    secret = give_app(alice)
    codes.renew_recovery_codes(user_id=alice)
    User.objects.filter(pk=alice).update(withdrawals_locked_until=None)
    return secret


def send(browser: Client, path: str, **body: Any) -> Any:
    return browser.post(path, body, content_type="application/json")


def asks(browser: Client) -> FactorReset:
    """Show the password, then the mailed word."""
    send(browser, SESSION, login=ALICE, password=PASSWORD)
    assert send(browser, ASK).status_code == 202
    proven = send(browser, PROOFS, token=word_to(ALICE))
    assert proven.json() == {"proven": "factor_reset"}
    return FactorReset.objects.get()


def of_role(role: str) -> Client:
    staff.let_staff_in()
    browser = Client()
    number = people.register(email=f"{role}@example.org", password=PASSWORD, role=role)
    has_just_shown(browser, number, kind="passkey")
    return browser


def decides(browser: Client, reset: FactorReset, act: str = "approve") -> Any:
    return browser.post(f"{OFFICE}{reset.pk}/decide/", {act: "yes", "reason": "seen on video"})


def test_a_reset_takes_every_factor_and_every_log_in_and_locks_withdrawals(alice, secret, client):
    before = Client()
    has_just_shown(before, alice)

    decided = decides(of_role("compliance"), asks(client))

    assert decided.status_code == 302
    assert not AuthenticatorApp.objects.filter(user_id=alice).exists()
    assert not RecoveryCodes.objects.filter(user_id=alice).exists()
    assert before.get(SESSION).status_code == 401
    assert FACTOR_REQUIRED in selectors.standing_for_user(alice).reasons
    assert withdrawal_lock.locked_until(alice) is not None
    assert kinds_to(ALICE)[-2:] == ["factor_reset_asked", "factors_reset"]
    kinds = [row.kind for row in audit.records_about(f"user:{alice}")]
    assert {"factor.reset_asked", "factor.reset"} <= set(kinds)
    assert send(Client(), SESSION, login=ALICE, password=PASSWORD).status_code == 200


def test_refused_everything_stays(alice, secret, client):
    decides(of_role("compliance"), asks(client), "refuse")

    assert FactorReset.objects.get().state == "refused"
    assert AuthenticatorApp.objects.filter(user_id=alice).exists()
    assert withdrawal_lock.locked_until(alice) is None
    assert kinds_to(ALICE)[-1] == "factor_reset_refused"


def test_without_the_password_or_the_mail_nobody_is_asked(alice, secret, client):
    assert send(client, ASK).json()["code"] == "log_in_again"
    send(client, SESSION, login=ALICE, password="wrong horse battery")
    assert send(client, ASK).json()["code"] == "log_in_again"
    send(client, SESSION, login=ALICE, password=PASSWORD)
    send(client, ASK)

    assert not FactorReset.objects.exists()


def test_support_sees_a_request_and_decides_nothing(alice, secret, client):
    reset, support = asks(client), of_role("support")

    seen = support.get(OFFICE)
    assert ALICE in seen.content.decode()
    assert decides(support, reset).status_code == 403
    assert FactorReset.objects.get().state == "waiting"


def test_a_request_is_decided_once_and_with_a_reason(alice, secret, client):
    reset, office = asks(client), of_role("compliance")

    silent = office.post(f"{OFFICE}{reset.pk}/decide/", {"approve": "yes", "reason": ""})
    assert silent.status_code == 200
    assert FactorReset.objects.get().state == "waiting"
    assert decides(office, reset).status_code == 302
    assert decides(office, reset).status_code == 404


def test_who_asked_does_not_decide(secret, client):
    reset = asks(client)
    staff.let_staff_in()
    User.objects.filter(email=ALICE).update(is_staff=True, is_superuser=True)
    own = Client()
    has_just_shown(own, User.objects.get(email=ALICE), kind="passkey")

    said = decides(own, reset)

    assert b"Another person has to decide" in said.content
    assert FactorReset.objects.get().state == "waiting"


def test_asked_twice_one_request_waits(alice, secret, client):
    asks(client)
    asks(client)

    assert FactorReset.objects.count() == 1


def test_a_log_in_by_a_factor_takes_the_request_back(alice, secret, client):
    reset = asks(client)
    send(client, "/api/v1/session/factor", code=code_of(secret))

    assert decides(of_role("compliance"), reset).status_code == 404
    assert FactorReset.objects.get().state == "refused"
    assert AuthenticatorApp.objects.filter(user_id=alice).exists()
