"""API keys: what their owners may ask for, what they get narrower by, and what is kept of them."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from apps.common import audit
from apps.users import memory, selectors
from apps.users.contracts import KeyTerms, KeyUse
from apps.users.key_uses import WRITTEN_AGAIN_S, KeyUses
from apps.users.models import ApiKey
from apps.users.services import accounts, keys, people
from tests.helpers.factors import has_just_shown

PASSWORD = "correct horse battery"
KEYS = "/api/v1/account/keys"
PUBLIC = "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="
FROM_HOME = KeyTerms(can_trade=True, can_withdraw=True, networks=("192.0.2.0/24",))


@pytest.fixture
def alice(transactional_db, cache):
    user_id = people.register(email="alice@example.org", password=PASSWORD)
    return accounts.create_account(user_id=user_id, kyc_tier=2)


@pytest.fixture
def browser(alice) -> Client:
    client = Client()
    has_just_shown(client, alice.user_id)
    return client


def post(browser: Client, **body):
    return browser.post(KEYS, body, content_type="application/json")


def kinds(user_id: int) -> list[str]:
    return [row.kind for row in audit.records_about(f"user:{user_id}")]


def test_a_new_key_may_only_look_unless_more_is_asked_for(browser):
    made = post(browser, public_key=PUBLIC)

    assert made.status_code == 201, made.content
    assert made.json() | {"public_id": "", "label": ""} == {
        "public_id": "",
        "kind": "ed25519",
        "secret": "",
        "label": "",
        "can_trade": False,
        "can_withdraw": False,
        "markets": [],
        "networks": [],
        "expires_at": None,
    }
    grant = selectors.key_grant(made.json()["public_id"])
    assert not grant.standing.may_trade
    assert not grant.standing.may_cancel


def test_an_hmac_secret_is_shown_once_and_an_ed25519_key_has_none(browser):
    made = post(browser, kind="hmac").json()
    post(browser, public_key=PUBLIC)

    assert len(made["secret"]) == 64
    assert made["secret"] not in browser.get(KEYS).content.decode()
    assert made["secret"] not in browser.get(f"{KEYS}/{made['public_id']}").content.decode()
    assert {key["kind"]: key["public_key"] for key in browser.get(KEYS).json()} == {
        "hmac": None,
        "ed25519": PUBLIC,
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "invalid"),
        ({"kind": "hmac", "public_key": PUBLIC}, "invalid"),
        ({"kind": "rsa"}, "invalid"),
        ({"public_key": "nonsense"}, "bad_public_key"),
        ({"public_key": "-----BEGIN PRIVATE KEY-----\nx"}, "private_key_given"),
        ({"kind": "hmac", "can_withdraw": True}, "withdraw_needs_networks"),
        ({"kind": "hmac", "networks": ["10.0.0.0/7"]}, "bad_network"),
        ({"kind": "hmac", "networks": ["here"]}, "bad_network"),
        ({"kind": "hmac", "networks": [f"192.0.2.{n}" for n in range(21)]}, "bad_network"),
        ({"kind": "hmac", "markets": ["BTC/USDT"]}, "bad_market"),
        ({"kind": "hmac", "markets": [f"A{n}-USDT" for n in range(31)]}, "bad_market"),
        ({"kind": "hmac", "expires_at": "2020-01-01T00:00:00Z"}, "bad_expiry"),
        ({"kind": "hmac", "label": "x" * 41}, "invalid"),
    ],
)
def test_what_no_key_may_be_is_refused_and_makes_none(browser, asked, code):
    answer = post(browser, **asked)

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert ApiKey.objects.count() == 0


def test_a_person_uses_a_public_key_once_until_it_is_revoked(alice, browser):
    first = post(browser, public_key=PUBLIC).json()["public_id"]
    other = accounts.create_account(user_id=alice.user_id, kyc_tier=2, label="other")

    assert post(browser, public_key=PUBLIC).json()["code"] == "public_key_in_use"
    with pytest.raises(keys.PublicKeyInUse):
        keys.create_api_key(account=other.account, public_key=PUBLIC)
    browser.delete(f"{KEYS}/{first}")
    assert post(browser, public_key=PUBLIC).status_code == 201


def test_an_account_has_so_many_keys_and_no_more(alice, monkeypatch):
    monkeypatch.setattr(keys, "KEYS_PER_ACCOUNT_MAX", 2)
    first = keys.create_api_key(account=alice.account)
    keys.create_api_key(account=alice.account)

    with pytest.raises(keys.TooManyKeys):
        keys.create_api_key(account=alice.account)
    keys.revoke_api_key(user_id=alice.user_id, public_id=first.public_id)
    keys.create_api_key(account=alice.account)


def test_the_database_holds_no_key_that_withdraws_from_everywhere(alice):
    made = keys.create_api_key(account=alice.account, terms=FROM_HOME)

    for broken in ({"networks": []}, {"kind": "ed25519"}, {"public_key": b"x"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ApiKey.objects.filter(public_id=made.public_id).update(**broken)


# ── Changing ────────────────────────────────────────────────────────────────────────────────────


def patch(browser: Client, public_id: str, **body):
    return browser.patch(f"{KEYS}/{public_id}", body, content_type="application/json")


@pytest.mark.parametrize(
    "narrower",
    [
        {"label": "another"},
        {"can_trade": False},
        {"can_withdraw": False},
        {"networks": ["192.0.2.7"]},
        {"markets": ["BTC-USDT"]},
        {"expires_at": "2100-01-01T00:00:00Z"},
    ],
)
def test_a_key_gets_another_label_or_does_less(alice, browser, narrower):
    made = keys.create_api_key(account=alice.account, terms=FROM_HOME)

    answer = patch(browser, made.public_id, **narrower)

    assert answer.status_code == 200, answer.content
    name, value = next(iter(narrower.items()))
    assert answer.json()[name] == (["192.0.2.7/32"] if name == "networks" else value)
    assert kinds(alice.user_id)[:1] == ["key.changed"]


@pytest.mark.parametrize(
    ("wider", "code"),
    [
        ({"can_trade": True}, "key_would_widen"),
        ({"can_withdraw": True}, "key_would_widen"),
        ({"networks": ["192.0.2.0/24"]}, "key_would_widen"),
        ({"networks": []}, "key_would_widen"),
        ({"markets": []}, "key_would_widen"),
        ({"markets": ["BTC-USDT", "ETH-USDT"]}, "key_would_widen"),
        ({"expires_at": None}, "key_would_widen"),
        ({"expires_at": "2100-01-01T00:00:00Z"}, "key_would_widen"),
    ],
)
def test_a_key_that_is_to_do_more_is_a_new_one(alice, browser, wider, code):
    narrow = KeyTerms(
        networks=("192.0.2.7",),
        markets=("BTC-USDT",),
        expires_at=timezone.now() + timedelta(days=1),
    )
    made = keys.create_api_key(account=alice.account, terms=narrow)
    before = browser.get(f"{KEYS}/{made.public_id}").json()

    answer = patch(browser, made.public_id, **wider)

    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert browser.get(f"{KEYS}/{made.public_id}").json() == before


def test_a_key_that_withdraws_keeps_its_networks(alice, browser):
    made = keys.create_api_key(account=alice.account, terms=FROM_HOME)

    answer = patch(browser, made.public_id, networks=[])

    assert answer.json()["code"] == "withdraw_needs_networks"


def test_anothers_key_looks_like_none(alice, browser):
    made = keys.create_api_key(account=alice.account)
    mallory_id = people.register(email="mallory@example.org", password=PASSWORD)
    accounts.create_account(user_id=mallory_id, kyc_tier=2)
    mallory = Client()
    has_just_shown(mallory, mallory_id)

    for ask in (mallory.get, mallory.delete, lambda path: mallory.patch(path, {}, "text/json")):
        theirs, none = ask(f"{KEYS}/{made.public_id}"), ask(f"{KEYS}/none-such")
        assert (theirs.status_code, theirs.json()) == (none.status_code, none.json())
    assert mallory.get(f"{KEYS}/{made.public_id}").status_code == 404
    assert selectors.key_grant(made.public_id) is not None


def test_every_act_is_recorded_without_the_keys_name(alice, browser):
    made = post(browser, kind="hmac", can_trade=True, networks=["192.0.2.7"]).json()
    patch(browser, made["public_id"], can_trade=False)
    browser.delete(f"{KEYS}/{made['public_id']}")

    records = audit.records_about(f"user:{alice.user_id}")
    told = [row for row in records if row.kind.startswith("key.")]
    assert [row.kind for row in told] == ["key.revoked", "key.changed", "key.made"]
    for row in told:
        assert row.actor == f"user:{alice.user_id}"
        written = str(row.data)
        assert made["public_id"] not in written
        assert made["secret"] not in written
        assert "192.0.2.7" not in written


# ── The end, and the last use ───────────────────────────────────────────────────────────────────


def test_a_key_that_ran_out_opens_nothing_and_needs_nobody_to_say_so(alice, browser):
    terms = KeyTerms(expires_at=timezone.now() + timedelta(seconds=0.4))
    made = keys.create_api_key(account=alice.account, terms=terms)
    known = memory.EdgeMemory()
    known._hears = True

    assert known.key_now(made.public_id) is not None
    while timezone.now() < terms.expires_at:
        time.sleep(0.01)

    assert known.key_now(made.public_id) is None  # From memory: nothing was read again.
    assert selectors.key_grant(made.public_id) is None
    assert browser.get(f"{KEYS}/{made.public_id}").status_code == 404


class Clock:
    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def test_the_last_use_is_written_beside_the_request_once_a_minute(alice):
    made = keys.create_api_key(account=alice.account).public_id
    clock = Clock()
    uses = KeyUses(clock)

    written = []
    for clock.now, address in ((1e6, "192.0.2.1"), (1e6 + 30, "192.0.2.2"), (1e6 + 59, "::1")):
        uses.note(made, address)
        written.append([use.address for use in uses.take_due()])
    clock.now = 1e6 + WRITTEN_AGAIN_S
    written.append([use.address for use in uses.take_due()])

    assert written == [["192.0.2.1"], [], [], ["::1"]]


def test_the_last_use_that_is_kept_is_the_last_one(alice, browser):
    made = keys.create_api_key(account=alice.account).public_id
    now = time.time()

    keys.note_uses([KeyUse(made, now, "192.0.2.1"), KeyUse("nobodys", now, "192.0.2.1")])
    keys.note_uses([KeyUse(made, now - 50, "192.0.2.9")])  # Another edge, that was slower.
    seen = browser.get(f"{KEYS}/{made}").json()

    assert seen["last_used_address"] == "192.0.2.1"
    assert abs(ApiKey.objects.get(public_id=made).last_used_at.timestamp() - now) < 0.001
    keys.note_uses([KeyUse(made, now + 1, "")])  # Over a local socket.
    assert browser.get(f"{KEYS}/{made}").json()["last_used_address"] is None
