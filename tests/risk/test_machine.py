"""What the runtime and the readers of the log rely on: checkpoints, cuts, asks, snapshots."""

import gc
from hashlib import sha256
from typing import get_args

import msgspec
import pytest

from apps.common.kernel.ids import numbered_in
from apps.common.kernel.invariants import InvariantBroken
from apps.journals.machine import Input, Origin, Outputs
from apps.risk.codec import RISK_CODEC
from apps.risk.contracts.commands import Deposit
from apps.risk.contracts.events import BalanceNow, Checkpoint, CutSums
from apps.risk.engine import RiskMachine
from apps.risk.engine import machine as machine_module
from matching_worker.contracts.from_book import (
    Amended,
    Execution,
    FirstReport,
    OrderEnd,
    PassedAsk,
)
from tests.helpers.pure_exchange import START_NS
from tests.helpers.scripted_stage import amend, pair, stop
from tests.helpers.trading_stage import Stage

FROM_BOOK = Origin(Input.LINK, (1, 0), b"", "book:BTC-USDT", (0, 0), bytes(32))


def checkpoints(stage, partition=0):
    return [event for event in stage.risks[partition].events if isinstance(event, Checkpoint)]


def digest_of(stage, partition=0) -> bytes:
    """Hash all balances of a partition again, as the ledger would."""
    total = 0
    for account in stage.risks[partition].machine.accounts.values():
        for asset, balance in account.balances.items():
            if balance.total:
                line = f"{account.number}|{asset}|{balance.total}".encode()
                total += int.from_bytes(sha256(line).digest(), "big")
    return (total % 2**256).to_bytes(32, "big")


def test_a_checkpoint_comes_ten_seconds_after_a_change_and_only_then(stage):
    alice = stage.trader("alice", usdt=500)
    stage.pass_time(9.9)
    early = len(checkpoints(stage))
    stage.pass_time(0.1)
    stage.pass_time(60)

    (checkpoint,) = checkpoints(stage)

    assert early == 0
    assert checkpoint.seq == stage.risks[0].machine.seq
    assert checkpoint.digest == digest_of(stage)
    assert {(line.kind, line.asset): line.amount for line in checkpoint.sums} == {
        ("customer", "USDT"): 500,
        ("external", "USDT"): -500,
    }
    alice.buys(lots=1, at=100)  # A hold is no entry.
    assert stage.risks[0].machine.due_ns() is None


def test_checkpoints_name_every_kind_of_house_account(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=3)
    alice.pays_fees(maker_ppm=1_000, taker_ppm=1_000)
    alice.buys(lots=3, at=100)
    bob.sells(lots=2, at=100)

    stage.pass_time(10)

    lines = {(line.kind, line.asset): line.amount for line in checkpoints(stage)[-1].sums}
    assert lines == {
        ("customer", "BTC"): 2,
        ("customer", "USDT"): 500,
        ("external", "BTC"): -3,
        ("external", "USDT"): -500,
        ("fees", "BTC"): 1,
    }


def test_the_digest_follows_by_differences_through_a_restart(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=3)
    stage.pass_time(10)
    alice.buys(lots=3, at=100)
    bob.sells(lots=2, at=100)
    stage.restart(stage.risks[0])

    stage.pass_time(10)

    assert checkpoints(stage)[-1].digest == digest_of(stage)


def test_a_batch_tells_each_balance_once_with_its_final_value(stage):
    alice = stage.trader("alice", usdt=500)
    stage.ask(alice.risk, [alice.order(lots=1), alice.order(lots=2)])

    out = stage.step(alice.risk)

    told = [event for event in out.events if isinstance(event, BalanceNow)]
    assert told == [BalanceNow(alice.account, "USDT", 500, 300)]
    assert out.events[-1] is told[0]


def test_at_a_cut_clearing_is_zero_over_all_partitions():
    stage = Stage(partitions=3)
    alice = stage.trader("alice", partition=0, usdt=500)
    bob = stage.trader("bob", partition=2, btc=5)
    alice.buys(lots=5, at=100)
    bob.sells(lots=4, at=100)

    stage.pass_time(10)

    cuts = [event for risk in stage.risks for event in risk.events if isinstance(event, CutSums)]
    assert [(cut.number, cut.base, cut.quote) for cut in cuts] == [
        (1, -4, 400),
        (1, 0, 0),
        (1, 4, -400),
    ]


def test_a_book_that_asks_is_told_when_the_partition_has_read_that_far(stage):
    alice = stage.trader("alice", usdt=500)
    entry = stage.ask(alice.risk, [alice.order(response="ACK")])
    machine = alice.risk.machine
    out = Outputs()
    machine.apply(FROM_BOOK, [PassedAsk(entry)], stage.now_ns, out)

    machine.end(stage.now_ns, (0, 0), out)
    not_yet, out = out.links, Outputs()
    machine.end(stage.now_ns, entry, out)
    then, out = out.links, Outputs()
    machine.end(stage.now_ns, entry, out)

    assert not_yet == then == {"book:BTC-USDT": []}
    assert out.links == {}


def test_an_ask_survives_a_restart(stage):
    stage.risks[0].machine.apply(FROM_BOOK, [PassedAsk((7, 7))], stage.now_ns, Outputs())

    stage.restart(stage.risks[0])

    assert stage.risks[0].machine.asks == {"book:BTC-USDT": (7, 7)}


def test_a_cancel_of_what_is_not_there_is_answered_once_the_partition_has_passed(stage):
    alice = stage.trader("alice", usdt=500)

    answer = alice.cancels("nothing")

    assert answer.code == "unknown_order"


@pytest.mark.parametrize(
    "report",
    [
        FirstReport(999 * 1024, 1, 1, START_NS, [], "canceled", ""),
        OrderEnd(1024, 1, 9, START_NS, "canceled", "", 1, 100),
        OrderEnd(1024, 2, 9, START_NS, "canceled", "", 0, 0),
        Execution(1, 1024, 1, 101, 1, "M", 1, 101, None, 9, START_NS),
        Execution(1, 1024, 1, 100, 6, "M", 6, 600, "filled", 9, START_NS),
        Execution(1, 1024, 1, 100, 1, "M", 2, 200, None, 9, START_NS),
        Execution(1, 1024, 1, 100, 1, "M", 1, 99, None, 9, START_NS),
        FirstReport(1024, 1, 1, START_NS, [], None, ""),
    ],
)
def test_a_report_that_contradicts_our_own_count_stops_the_partition(stage, report):
    alice = stage.trader("alice", usdt=500)
    answer = alice.buys(lots=5, at=100)
    assert answer.order_id == 1024

    with pytest.raises(InvariantBroken):
        alice.risk.machine.apply(FROM_BOOK, [report], stage.now_ns, Outputs())


def test_genesis_commands_leave_no_trace_but_state():
    machine = RiskMachine(0)

    machine.configure([])

    assert machine.seq == 0
    assert machine.due_ns() is None


def test_the_state_is_plain_data_with_string_keys(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=3)
    alice.buys(lots=3, at=100)
    bob.sells(lots=2, at=100)
    state = stage.risks[0].machine.dump()

    def plain(value) -> bool:
        if isinstance(value, dict):
            return all(isinstance(key, str) and plain(item) for key, item in value.items())
        if isinstance(value, list):
            return all(plain(item) for item in value)
        return value is None or isinstance(value, (str, bytes, bool, int))

    assert plain(state)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(state)) == state


def test_every_message_that_a_partition_reads_has_a_handler():
    read = {*get_args(RISK_CODEC.commands), *get_args(RISK_CODEC.links)}

    assert read == set(machine_module._HANDLERS)


def test_pairs_and_amends_leave_no_cycles(stage):
    """Legs know each other by number: an order that ended is freed at once."""
    alice = stage.trader("alice", usdt=50_000)
    machine = RiskMachine(0)
    machine.load(stage.risks[0].machine.dump())
    origin = Origin(Input.COMMANDS, (9, 0), b"an edge.", "", (0, 0), b"")
    asked = pair(alice.order(lots=9), stop(alice.order(lots=9), at=105))
    smaller = amend(alice, 1024, lots=5)
    gc.collect()
    gc.disable()
    try:
        machine.apply(origin, [asked, smaller], stage.now_ns, Outputs())
        said = [
            FirstReport(1024, 1, 1, stage.now_ns, [], None, ""),
            FirstReport(2048, 1, 1, stage.now_ns, [], None, ""),
            Amended(1024, 2, 2, stage.now_ns, 5, ""),
            OrderEnd(1024, 2, 3, stage.now_ns, "canceled", "", 0, 0),
            OrderEnd(2048, 1, 3, stage.now_ns, "canceled", "other_leg", 0, 0),
        ]
        machine.apply(FROM_BOOK, said, stage.now_ns, Outputs())
        machine.check()
        assert not machine.orders
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_busy_partition_leaves_no_cycles(stage):
    """Workers run without the cyclic collector."""
    alice, bob = stage.trader("alice", usdt=50_000), stage.trader("bob", btc=300)
    machine = RiskMachine(0)
    machine.load(stage.risks[0].machine.dump())
    origin = Origin(Input.COMMANDS, (9, 0), b"an edge.", "", (0, 0), b"")
    orders = [alice.order(lots=1), bob.order(side="S", lots=1), alice.order(market="X")]
    gc.collect()
    gc.disable()
    try:
        for batch in range(3):
            out = Outputs()
            machine.begin(stage.now_ns, out)
            for order in orders:
                fresh = msgspec.structs.replace(order, client_id=f"{order.client_id}/{batch}")
                machine.apply(origin, [fresh], stage.now_ns, out)
            number = numbered_in(0, counter=2 * batch + 1)
            gone = FirstReport(number, 1, 1, stage.now_ns, [], "canceled", "")
            machine.apply(FROM_BOOK, [gone], stage.now_ns, out)
            deposit = Deposit(alice.account, "USDT", 1, f"d{batch}")
            machine.apply(origin, [deposit], stage.now_ns, out)
            machine.end(stage.now_ns, (9, 0), out)
        del out, fresh
        assert gc.collect() == 0
    finally:
        gc.enable()
