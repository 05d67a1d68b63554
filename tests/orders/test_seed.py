"""The demo is seeded once, however often one asks."""

import json
import stat

import msgspec
import pytest
from django.core.management import call_command

from apps.common.models import OutboxMessage
from apps.journals import directory
from apps.journals.contracts import LinkAdd, RulesSet
from apps.orders import demo
from apps.risk.contracts.commands import MarketAdd

pytestmark = pytest.mark.django_db(transaction=True)

decode = msgspec.msgpack.Decoder(LinkAdd | MarketAdd | RulesSet).decode
CONTRACT = {"login", "role", "tier", "password", "totp_secret", "api_key", "api_secret"}


def test_seeding_again_changes_nothing(journal, cache):
    call_command("seed_demo")
    first, sent = demo.file().read_text(), OutboxMessage.objects.count()

    call_command("seed_demo")

    assert demo.file().read_text() == first
    assert OutboxMessage.objects.count() == sent
    assert directory.workers(journal) == ["book:BTC-USDT", "book:ETH-USDT", "risk:0"]


def test_the_logins_are_written_in_the_contracts_shape_and_for_no_other_eyes(journal, cache):
    call_command("seed_demo")

    content = json.loads(demo.file().read_text())
    people = {entry["login"]: entry for entry in content["users"]}
    assert all(set(entry) == CONTRACT for entry in content["users"])
    assert {name: people[name]["tier"] for name in ("alice", "bob", "carol", "dave", "acme")} == {
        "alice": 2, "bob": 2, "carol": 1, "dave": 0, "acme": 4,
    }  # fmt: skip
    assert people["compliance2"]["role"] == "compliance"
    assert people["compliance2"]["api_key"] is None
    assert stat.S_IMODE(demo.file().stat().st_mode) == 0o600
    assert content["url"].startswith("http://localhost:")


def test_new_partitions_are_linked_to_everything_that_is_there(journal, cache, monkeypatch):
    call_command("seed_demo")
    before = OutboxMessage.objects.count()
    monkeypatch.setenv("FAIRBOOK_RISK_PARTITIONS", "3")

    call_command("seed_demo")

    told = OutboxMessage.objects.order_by("pk")[before:]
    sent = [(row.worker, decode(bytes(row.body))) for row in told]
    links = {(worker, command.peer) for worker, command in sent if isinstance(command, LinkAdd)}
    books, others = ("book:BTC-USDT", "book:ETH-USDT"), ("risk:1", "risk:2")
    assert {(book, other) for book in books for other in others} <= links
    assert {(other, book) for book in books for other in others} <= links
    assert {("risk:0", "risk:1"), ("risk:1", "risk:0"), ("risk:2", "risk:1")} <= links
    added = [worker for worker, command in sent if isinstance(command, MarketAdd)]
    assert sorted(added) == ["risk:1", "risk:1", "risk:2", "risk:2"]
    assert set(others) < set(directory.workers(journal))
