"""A freeze ends what an account has open, from rules 2 on. `docs/risk-rules.md`, 57."""

import msgspec
import pytest

from apps.common.kernel.invariants import InvariantBroken
from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin, Outputs
from apps.risk.contracts.commands import AccountFreeze, AccountOpen, Deposit, MarketAdd
from apps.risk.engine import RiskMachine
from matching_worker.contracts.to_book import CancelAccount, HeldOrder
from tests.helpers.scripted_stage import ScriptedStage
from tests.helpers.trading_stage import SMALL_MARKET, Stage

COMMANDS = Origin(Input.COMMANDS, (1, 0), b"an edge.", "", (0, 0), b"")


def freeze(trader, frozen=True):
    return AccountFreeze(trader.account, frozen=frozen, reason="a court asked")


def cancels(stage):
    return [message for message in stage.script.heard if isinstance(message, CancelAccount)]


def test_the_word_to_the_book_follows_the_accounts_last_order():
    stage = ScriptedStage()
    alice = stage.trader("alice", usdt=500)

    stage.does(alice.risk, alice.order(), freeze(alice))

    *_, last, word = stage.script.heard
    assert isinstance(last, HeldOrder)
    assert word == CancelAccount(alice.account, "frozen")


def test_what_it_has_open_ends_and_its_holds_are_released():
    stage = ScriptedStage()
    alice = stage.trader("alice", usdt=500)
    stage.asks(alice.order(lots=2))
    stage.does(alice.risk, freeze(alice))

    stage.script.ends(1024, "canceled", "frozen")
    stage.flows()

    assert alice.held() == 0


@pytest.mark.parametrize("frozen", [True, False])
def test_who_has_nothing_open_sends_nothing(frozen):
    stage = ScriptedStage()
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", usdt=500)
    stage.asks(bob.order())

    stage.does(alice.risk, freeze(alice, frozen))

    assert cancels(stage) == []


def test_a_thaw_sends_nothing():
    stage = ScriptedStage()
    alice = stage.trader("alice", usdt=500)
    stage.asks(alice.order())

    stage.does(alice.risk, freeze(alice, frozen=False))

    assert cancels(stage) == []


def test_under_the_first_rules_a_freeze_sends_nothing():
    stage = ScriptedStage(rules=1)
    alice = stage.trader("alice", usdt=500)
    stage.asks(alice.order())

    stage.does(alice.risk, freeze(alice))

    assert cancels(stage) == []


def test_a_fresh_partition_follows_the_first_rules_and_knows_the_second():
    machine = Stage().risks[0].machine

    assert machine.rules == 1
    machine.set_rules(2)
    with pytest.raises(InvariantBroken):
        machine.set_rules(3)


def test_every_market_where_it_has_orders_is_told():
    machine, out = RiskMachine(0), Outputs()
    machine.set_rules(2)
    specs = [
        msgspec.structs.replace(SMALL_MARKET, symbol=symbol)
        for symbol in ("BTC-USDT", "ETH-USDT", "DOGE-USDT")
    ]
    links = [LinkAdd(f"book:{spec.symbol}") for spec in specs]
    setup = [*links, *map(MarketAdd, specs), AccountOpen(1024), Deposit(1024, "USDT", 500, "d")]
    machine.apply(COMMANDS, setup, 1, Outputs())
    alice = Stage().trader("alice")
    orders = [alice.order(market=market) for market in ("ETH-USDT", "BTC-USDT")]

    machine.apply(COMMANDS, [*orders, freeze(alice)], 1, out)

    told = {
        peer: [type(message).__name__ for message in messages]
        for peer, messages in out.links.items()
    }
    assert told == {
        "book:ETH-USDT": ["HeldOrder", "CancelAccount"],
        "book:BTC-USDT": ["HeldOrder", "CancelAccount"],
    }
