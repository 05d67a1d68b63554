"""Staff with the right freeze an account, with a reason; nobody else does. The record says who."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.common.models import AuditRecord
from apps.users import selectors
from apps.users.models import TradingAccount
from apps.users.services import accounts, people, staff
from tests.helpers.factors import has_just_shown

pytestmark = pytest.mark.usefixtures("db", "cache")


@pytest.fixture
def account() -> int:
    owner = people.register(email="owner@example.org", password="x" * 20)
    return accounts.create_account(user_id=owner, kyc_tier=1).account


@pytest.fixture
def somebody():
    """Return what logs a new person of a role in."""
    staff.let_staff_in()

    def of_role(role: str) -> tuple[Client, int]:
        number = people.register(email=f"{role}@example.org", password="x" * 20, role=role)
        client = Client()
        has_just_shown(client, number, kind="passkey")
        return client, number

    return of_role


def door(account: int, act: str = "freeze") -> str:
    return f"/admin/users/tradingaccount/{account}/{act}/"


def is_frozen(account: int) -> bool:
    return TradingAccount.objects.get(pk=account).is_frozen


@pytest.mark.parametrize("role", ["compliance", "risk", "admin"])
def test_those_who_may_freeze_an_account_and_let_it_go_again(somebody, account, role):
    client, number = somebody(role)

    page = client.get(door(account))
    client.post(door(account), {"reason": "asked by a court"})

    assert "Freeze account" in page.content.decode()
    assert is_frozen(account)
    assert not selectors.standing_of(selectors.account(account)).may_trade
    client.post(door(account, "unfreeze"), {"reason": "settled"})
    assert not is_frozen(account)
    said = AuditRecord.objects.filter(subject=f"account:{account}").order_by("pk")
    assert [(one.kind, one.actor, one.data["reason"]) for one in said] == [
        ("account.frozen", f"staff:{number}", "asked by a court"),
        ("account.unfrozen", f"staff:{number}", "settled"),
    ]


def test_without_a_reason_nothing_happens(somebody, account):
    client, _ = somebody("compliance")

    page = client.post(door(account), {"reason": " "})

    assert "This field is required" in page.content.decode()
    assert not is_frozen(account)


@pytest.mark.parametrize("role", ["support", "auditor", "operator", "treasury"])
def test_staff_without_the_right_are_refused(somebody, account, role):
    client, _ = somebody(role)

    assert client.get(door(account)).status_code == 403
    assert client.post(door(account), {"reason": "x"}).status_code == 403
    assert not is_frozen(account)


def test_a_customer_gets_to_no_form(somebody, account):
    client, _ = somebody("customer")

    client.post(door(account), {"reason": "x"})

    assert not is_frozen(account)


def test_what_is_frozen_is_not_frozen_again(somebody, account):
    client, _ = somebody("compliance")
    client.post(door(account), {"reason": "once"})

    assert client.get(door(account)).status_code == 404
    assert client.get(door(account, "unfreeze")).status_code == 200
    assert client.get(door(1)).status_code == 404
