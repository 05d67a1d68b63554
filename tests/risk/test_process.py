"""The partition inside the runtime: its codec, its state's hash, and a process without Django."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from django.core.management import call_command

from apps.journals import keys, wire
from apps.journals.contracts import LinkAdd
from apps.journals.replica import Replica
from apps.risk.codec import RISK_CODEC
from apps.risk.contracts.commands import AccountOpen, Deposit, MarketAdd, PlaceOrder
from apps.risk.contracts.events import RiskEvent
from apps.risk.engine import RiskMachine
from matching_worker.contracts.from_book import Reference
from matching_worker.contracts.to_book import HeldOrder, LinkMessage
from tests.helpers.trading_stage import SMALL_MARKET

START_NS = 1_700_000_000_000_000_000
ROOT = Path(__file__).parents[2]
GENESIS = wire.encode([])


def replica() -> Replica:
    return Replica("risk:0", RiskMachine(0), RISK_CODEC, GENESIS)


def command_frame(number: int, *commands: msgspec.Struct) -> dict[bytes, bytes]:
    raw = [msgspec.Raw(wire.encode(command)) for command in commands]
    return {b"f": wire.encode(wire.CommandFrame(b"an edge.", number, raw))}


def link_frame(*messages: msgspec.Struct) -> dict[bytes, bytes]:
    raw = [msgspec.Raw(wire.encode(message)) for message in messages]
    body = wire.encode(wire.LinkFrame((0, 0), raw))
    hash_ = wire.link_hash(bytes(32), number=1, body=body)
    return {b"f": body, b"h": hash_, b"j": bytes(32)}


@pytest.fixture
def worked() -> tuple[Replica, list]:
    """A replica after its set-up and one order, which a word of the book came before."""
    worker = replica()
    stream = keys.commands("risk:0")
    worker.begin(START_NS)
    setup = (
        LinkAdd("book:BTC-USDT"),
        MarketAdd(SMALL_MARKET),
        AccountOpen(1024),
        Deposit(1024, "USDT", 1_000, "d-1"),
    )
    worker.take(stream, (1, 0), command_frame(1, *setup))
    first = worker.finish(epoch=1)
    worker.begin(START_NS + 1)
    told = link_frame(Reference(100, "trading"))
    worker.take(keys.link("book:BTC-USDT", "risk:0"), (1, 0), told)
    order = PlaceOrder(
        7, 1024, "BTC-USDT", "mine", False, "B", "L", "GTC", False, 100, 5, 0, 2 * START_NS, "ACK"
    )
    worker.take(stream, (2, 0), command_frame(2, order))
    return worker, [first, worker.finish(epoch=1)]


def test_the_runtime_carries_a_partition(worked):
    _, (_, second) = worked

    events = msgspec.msgpack.decode(second.outputs, type=list[RiskEvent])
    (link,) = second.links
    sent = msgspec.msgpack.decode(link.frame, type=wire.LinkFrame).messages

    assert [type(event).__name__ for event in events] == ["OrderAccepted", "BalanceNow"]
    assert isinstance(msgspec.msgpack.decode(sent[0], type=LinkMessage), HeldOrder)
    assert len(second.replies) == 1


def test_a_partition_loads_as_it_was_saved(worked):
    worker, _ = worked
    again = replica()

    again.load(worker.state())

    assert again.state_hash() == worker.state_hash()
    again.machine.check()


def test_a_command_that_cannot_be_read_is_refused_and_its_neighbours_are_not():
    worker = replica()
    worker.begin(START_NS)
    odd = Deposit(1024, "USDT", 5, "")  # A reference has at least one character.
    frame = command_frame(1, AccountOpen(1024), odd, Deposit(1024, "USDT", 5, "d-1"))

    worker.take(keys.commands("risk:0"), (1, 0), frame)

    assert worker.machine.accounts[1024].balances["USDT"].total == 5
    assert worker.machine.seq == 2


def test_the_process_imports_no_django():
    code = "import sys, apps.risk.worker; sys.exit('django' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=ROOT).returncode == 0


def test_manage_run_risk_becomes_the_plain_module(monkeypatch):
    became = []
    monkeypatch.setattr("os.execv", lambda program, words: became.append((program, words)))

    call_command("run_risk", partition=3, member="b")

    words = [sys.executable, "-m", "apps.risk.worker", "--partition", "3", "--member", "b"]
    assert became == [(sys.executable, words)]
