"""Transfers between the accounts of one institution: asked once, decided by partitions, booked."""

from __future__ import annotations

import uuid

import msgspec
import pytest
from django.test import Client

from apps.common import audit
from apps.common.models import OutboxMessage
from apps.journals import keys as journal_keys
from apps.ledger import selectors as ledger
from apps.ledger import services as settlement
from apps.markets import demo as demo_markets
from apps.markets import services as markets
from apps.orders.models import Transfer
from apps.risk.contracts.commands import Deposit, RiskCommand
from apps.users.services import accounts, people, subaccounts
from tests.helpers.factors import has_just_shown
from tests.helpers.journal_world import COIN, JournalWorld
from tests.users.test_keys import PASSWORD

PATH = "/api/v1/account/transfers"
_command = msgspec.msgpack.Decoder(RiskCommand).decode


class Acme:
    """An institution, its accounts, and partitions that hear what the outbox says."""

    def __init__(self, world: JournalWorld) -> None:
        self.world = world
        self.user_id = people.register(email="acme@example.org", password=PASSWORD)
        self.main = accounts.create_account(user_id=self.user_id, kyc_tier=4).account
        self.desks = [
            subaccounts.open_subaccount(user_id=self.user_id, label=f"desk {n}").number
            for n in (1, 2)
        ]
        self.browser = Client()
        has_just_shown(self.browser, self.user_id)
        self.deliver()
        home = self.main % 1024
        deposit = Deposit(self.main, "USDT", 100 * COIN, "first")
        world.tell(journal_keys.worker_of_partition(home), deposit)
        self.settle()

    def deliver(self) -> None:
        """Give the partitions what waits in the outbox."""
        for row in OutboxMessage.objects.filter(worker__startswith="risk:", sent_at=None):
            self.world.tell(row.worker, _command(bytes(row.body)))
            OutboxMessage.objects.filter(pk=row.pk).update(sent_at=row.created_at)

    def settle(self) -> None:
        self.deliver()
        self.world.run()
        for worker in self.world.replicas:
            if worker.startswith("risk:"):
                assert settlement.settle(partition=int(worker[5:])).stopped == ""

    def asks(self, payee: int, amount: str, name: str = "t1", **changes):
        body = {"from": self.main, "to": payee, "asset": "USDT", "amount": amount}
        return self.browser.post(
            PATH, body | {"client_id": name} | changes, content_type="application/json"
        )

    def has(self, account: int) -> int:
        return ledger.balances_of(account).get("USDT", 0)


@pytest.fixture(params=[1, 2], ids=["one partition", "two partitions"])
def acme(request, transactional_db, journal, cache, monkeypatch) -> Acme:
    monkeypatch.setenv("FAIRBOOK_RISK_PARTITIONS", str(request.param))
    for spec in demo_markets.MARKETS:
        markets.list_market(spec, journal=journal)
    journal.flushall()
    OutboxMessage.objects.all().delete()
    return Acme(JournalWorld(journal, partitions=request.param))


def test_value_moves_once_and_the_ledger_says_so(acme):
    asked = [acme.asks(desk, "30.5", f"t{desk}") for desk in acme.desks]
    assert [one.status_code for one in asked] == [202, 202], asked[0].content
    assert {one.json()["state"] for one in asked} == {"pending"}

    acme.settle()

    assert [acme.has(desk) for desk in acme.desks] == [30 * COIN + COIN // 2] * 2
    assert acme.has(acme.main) == 39 * COIN
    told = acme.browser.get(PATH).json()
    assert [one["state"] for one in told] == ["done", "done"]
    assert all(one["done_at"] for one in told)
    assert {one["amount"] for one in told} == {"30.50000000"}
    assert ledger.imbalance_minor()["USDT"] == 0
    one = acme.browser.get(f"{PATH}/{told[0]['transfer_id']}").json()
    assert one == told[0]
    assert "transfer.asked" in [r.kind for r in audit.records_about(f"user:{acme.user_id}")]


def test_asked_twice_it_is_one_transfer_and_other_terms_are_refused(acme):
    first = acme.asks(acme.desks[0], "10").json()
    again = acme.asks(acme.desks[0], "10.0").json()
    acme.settle()
    after = acme.asks(acme.desks[0], "10")
    other = acme.asks(acme.desks[0], "11")

    assert first["transfer_id"] == again["transfer_id"] == after.json()["transfer_id"]
    assert after.json()["state"] == "done"
    assert (other.status_code, other.json()["code"]) == (409, "client_id_reused")
    assert acme.has(acme.desks[0]) == 10 * COIN


def test_what_the_payer_does_not_have_is_refused_by_its_partition(acme):
    asked = acme.asks(acme.desks[0], "100.00000001").json()

    acme.settle()

    told = acme.browser.get(f"{PATH}/{asked['transfer_id']}").json()
    assert (told["state"], told["code"]) == ("refused", "insufficient_funds")
    assert acme.has(acme.main) == 100 * COIN
    assert acme.has(acme.desks[0]) == 0


def test_a_frozen_account_pays_nothing_and_still_receives(acme):
    acme.asks(acme.desks[0], "10", "in")
    acme.settle()
    subaccounts.set_frozen_by_owner(user_id=acme.user_id, number=acme.desks[0], frozen=True)
    out = {"from": acme.desks[0], "to": acme.main}
    asked = acme.asks(0, "1", "out", **out).json()
    acme.settle()

    told = acme.browser.get(f"{PATH}/{asked['transfer_id']}").json()
    assert (told["state"], told["code"]) == ("refused", "account_frozen")
    assert acme.has(acme.desks[0]) == 10 * COIN
    assert acme.asks(acme.desks[0], "5", "in-again").status_code == 202
    acme.settle()
    assert acme.has(acme.desks[0]) == 15 * COIN


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"to": "main"}, 400, "same_account"),
        ({"asset": "DOGE"}, 400, "unknown_asset"),
        ({"amount": "0"}, 400, "bad_amount"),
        ({"amount": "-1"}, 400, "bad_amount"),
        ({"amount": "1e3"}, 400, "bad_amount"),
        ({"amount": "0.000000001"}, 400, "bad_amount"),
        ({"from": "theirs"}, 404, "no_such_account"),
        ({"to": "theirs"}, 404, "no_such_account"),
        ({"to": 999}, 404, "no_such_account"),
        ({"client_id": "two words"}, 400, "invalid"),
        ({"from": None}, 400, "invalid"),
    ],
)
def test_what_cannot_be_is_refused_and_asks_no_partition(acme, changes, status, code):
    bob = people.register(email="bob@example.org", password=PASSWORD)
    named = {
        "main": acme.main,
        "theirs": accounts.create_account(user_id=bob, kyc_tier=4).account,
    }
    acme.deliver()
    changes = {name: named.get(value, value) for name, value in changes.items()}

    answer = acme.asks(acme.desks[0], changes.pop("amount", "1"), **changes)

    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert not Transfer.objects.exists()
    assert not OutboxMessage.objects.filter(sent_at=None, worker__startswith="risk:").exists()


def test_other_peoples_transfers_look_like_none(acme):
    asked = acme.asks(acme.desks[0], "1").json()
    bob = people.register(email="bob@example.org", password=PASSWORD)
    accounts.create_account(user_id=bob, kyc_tier=4)
    mallory = Client()
    has_just_shown(mallory, bob)

    theirs = mallory.get(f"{PATH}/{asked['transfer_id']}")
    none = mallory.get(f"{PATH}/{uuid.uuid4()}")

    assert (theirs.status_code, theirs.json()) == (none.status_code, none.json())
    assert theirs.status_code == 404
    assert mallory.get(PATH).json() == []
    assert mallory.get(PATH, {"account": acme.main}).status_code == 404


def test_transfers_are_listed_by_account_newest_first(acme):
    for number, desk in enumerate([*acme.desks, acme.desks[0]], 1):
        acme.asks(desk, str(number), f"n{number}")

    def names(**query) -> list[str]:
        return [one["client_id"] for one in acme.browser.get(PATH, query).json()]

    assert names() == ["n3", "n2", "n1"]
    assert names(limit=1) == ["n3"]
    assert names(account=acme.desks[0]) == ["n3", "n1"]
    assert names(account=acme.main) == ["n3", "n2", "n1"]
