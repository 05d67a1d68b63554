"""Sub-accounts: whose they are, who opens and freezes them, and what their keys open."""

from __future__ import annotations

import msgspec
import pytest
from django.test import Client

from apps.common import audit
from apps.common.models import OutboxMessage
from apps.risk.contracts.commands import AccountFreeze
from apps.users import selectors
from apps.users.models import TradingAccount
from apps.users.services import accounts, keys, people
from tests.helpers.factors import has_just_shown
from tests.users.test_keys import PASSWORD

PATH, ACCOUNT, KEYS = "/api/v1/account/subaccounts", "/api/v1/account", "/api/v1/account/keys"


def person(name: str, *, tier: int) -> tuple[Client, int, int]:
    """Make somebody with an account; return their browser, number and account."""
    user_id = people.register(email=f"{name}@example.org", password=PASSWORD)
    account = accounts.create_account(user_id=user_id, kyc_tier=tier, vip_tier=2).account
    browser = Client()
    has_just_shown(browser, user_id)
    return browser, user_id, account


@pytest.fixture
def acme(transactional_db, cache):
    return person("acme", tier=4)


def open_one(browser: Client, label: str = "desk one"):
    return browser.post(PATH, {"label": label}, content_type="application/json")


def freeze(browser: Client, number: int, frozen: bool = True):
    return browser.patch(f"{PATH}/{number}", {"frozen": frozen}, content_type="application/json")


def test_an_institution_opens_accounts_with_its_own_tier_and_fees(acme):
    browser, user_id, main = acme

    opened = open_one(browser)

    assert opened.status_code == 201, opened.content
    number = opened.json()["account"]
    listed = browser.get(PATH).json()
    assert [(one["account"], one["is_main"]) for one in listed] == [(main, True), (number, False)]
    assert (listed[1]["kyc_tier"], listed[1]["vip_tier"]) == (4, 2)
    assert "subaccount.opened" in [r.kind for r in audit.records_about(f"user:{user_id}")]


@pytest.mark.parametrize("tier", [0, 1, 2, 3])
def test_nobody_else_has_sub_accounts(transactional_db, cache, tier):
    browser, user_id, _ = person("alice", tier=tier)

    answer = open_one(browser)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_an_institution")
    assert TradingAccount.objects.filter(user_id=user_id).count() == 1


def test_names_are_taken_once_and_there_are_so_many(acme, monkeypatch):
    browser, *_ = acme
    monkeypatch.setenv("FAIRBOOK_SUBACCOUNTS_MAX", "2")

    assert open_one(browser).status_code == 201
    assert open_one(browser).json()["code"] == "label_taken"
    assert open_one(browser, "main").json()["code"] == "label_taken"
    assert open_one(browser, "desk two").status_code == 201
    assert open_one(browser, "desk three").json()["code"] == "too_many_subaccounts"
    assert len(browser.get(PATH).json()) == 3


# ── Acting for one of several ───────────────────────────────────────────────────────────────────


def test_a_log_in_acts_for_the_main_account_unless_it_names_another(acme):
    browser, _, main = acme
    number = open_one(browser).json()["account"]

    assert browser.get(ACCOUNT).json()["account"] == main
    assert browser.get(ACCOUNT, {"account": number}).json()["account"] == number
    assert browser.get(ACCOUNT, headers={"X-Fairbook-Account": str(number)}).json()["account"] == (
        number
    )


@pytest.mark.parametrize("named", ["theirs", "0", "-1", "one", "9" * 30, "1e3", "%00"])
def test_other_peoples_accounts_look_like_none(acme, named):
    _, _, theirs = person("bob", tier=4)
    browser, *_ = acme
    number = str(theirs) if named == "theirs" else named

    for answer in (
        browser.get(ACCOUNT, {"account": number}),
        browser.get(ACCOUNT, headers={"X-Fairbook-Account": number}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_account")


def test_keys_are_made_for_own_accounts_only_and_open_that_one(acme):
    browser, *_ = acme
    _, _, theirs = person("bob", tier=4)
    number = open_one(browser).json()["account"]

    def make(account: int):
        body = {"kind": "hmac", "can_trade": True, "account": account}
        return browser.post(KEYS, body, content_type="application/json")

    assert make(theirs).json()["code"] == "no_such_account"
    made = make(number).json()["public_id"]
    assert selectors.key_grant(made).standing.account == number
    assert [key["account"] for key in browser.get(KEYS).json()] == [number]
    assert browser.get(KEYS, {"account": number}).json()[0]["public_id"] == made
    assert browser.get(KEYS, {"account": theirs}).status_code == 404
    assert browser.delete(f"{KEYS}/{made}").status_code == 204


# ── Freezing ────────────────────────────────────────────────────────────────────────────────────


def frozen_words() -> list[bool]:
    """Return what partitions were told of freezes."""
    rows = OutboxMessage.objects.filter(worker__startswith="risk:").order_by("pk")
    found = [msgspec.msgpack.decode(bytes(row.body)) for row in rows]
    return [word[2] for word in found if word[0] == AccountFreeze.__struct_config__.tag]


def test_the_owner_freezes_a_sub_account_and_takes_it_back(acme):
    browser, user_id, _ = acme
    number = open_one(browser).json()["account"]
    made = keys.create_api_key(account=number, can_trade=True).public_id

    assert freeze(browser, number).json()["is_frozen"]
    assert not selectors.key_grant(made).standing.may_trade
    assert selectors.key_grant(made).standing.may_cancel
    assert selectors.standing_for_user(user_id).may_trade  # The main account trades on.
    assert not freeze(browser, number, False).json()["is_frozen"]
    assert selectors.key_grant(made).standing.may_trade
    assert frozen_words() == [True, False]


def test_what_the_house_froze_its_owner_does_not_thaw_nor_the_other_way(acme):
    browser, *_ = acme
    number = open_one(browser).json()["account"]

    accounts.set_frozen(number=number, frozen=True, reason="a review")
    freeze(browser, number)
    assert freeze(browser, number, False).json()["is_frozen"]
    freeze(browser, number)
    accounts.set_frozen(number=number, frozen=False, reason="all is well")
    assert TradingAccount.objects.get(pk=number).is_frozen
    assert not freeze(browser, number, False).json()["is_frozen"]


def test_the_main_account_and_those_of_others_are_not_frozen_here(acme):
    browser, _, main = acme
    _, _, theirs = person("bob", tier=4)

    assert freeze(browser, main).json()["code"] == "main_account"
    stolen, missing = freeze(browser, theirs), freeze(browser, 999)
    assert (stolen.status_code, stolen.json()) == (missing.status_code, missing.json())
    assert stolen.status_code == 404
    assert not TradingAccount.objects.filter(is_frozen=True).exists()
