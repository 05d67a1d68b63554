"""What is held for an order, and when it is free again. `docs/risk-rules.md`, 10 to 15."""

import msgspec
import pytest

from apps.risk.contracts.replies import OrderAck, OrderRefusal, OrderResult
from tests.helpers.trading_stage import SMALL_MARKET, Stage


def test_a_buy_holds_its_price_times_its_size(stage):
    alice = stage.trader("alice", usdt=1_000)

    answer = alice.buys(lots=5, at=100)

    assert isinstance(answer, OrderResult)
    assert answer.ended is None
    assert (alice.has(), alice.held(), alice.available()) == (1_000, 500, 500)


def test_a_sell_holds_its_size(stage):
    bob = stage.trader("bob", btc=7)

    bob.sells(lots=5, at=100)

    assert (bob.held("BTC"), bob.available("BTC")) == (5, 2)


def test_an_order_that_cannot_be_paid_is_refused_and_holds_nothing(stage):
    alice = stage.trader("alice", usdt=499)

    answer = alice.buys(lots=5, at=100)

    assert isinstance(answer, OrderRefusal)
    assert answer.code == "insufficient_funds"
    assert (alice.has(), alice.held()) == (499, 0)


def test_a_better_price_frees_the_difference_at_once(stage):
    alice, bob = stage.trader("alice", usdt=1_000), stage.trader("bob", btc=5)
    bob.sells(lots=2, at=95)

    answer = alice.buys(lots=5, at=100)

    assert (answer.filled_lots, answer.cum_quote) == (2, 190)
    assert alice.has() == 1_000 - 190
    assert alice.held() == 3 * 100
    assert (alice.has("BTC"), bob.has()) == (2, 190)


def test_each_fill_of_a_resting_order_lowers_its_hold(stage):
    alice, bob = stage.trader("alice", usdt=1_000), stage.trader("bob", btc=5)
    alice.buys(lots=5, at=100)

    bob.sells(lots=1, at=100)
    bob.sells(lots=3, at=99)

    assert (alice.has(), alice.held()) == (600, 100)
    assert bob.held("BTC") == 0


def test_a_filled_order_holds_nothing_and_is_gone(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=5)
    alice.buys(lots=5, at=100)

    bob.sells(lots=5, at=100)

    assert (alice.has(), alice.held(), alice.has("BTC")) == (0, 0, 5)
    assert not stage.risks[0].machine.orders


def test_a_cancel_releases_all_that_is_left(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=1)
    alice.buys(lots=5, at=100, client_id="mine")
    bob.sells(lots=1, at=100)

    answer = alice.cancels("mine")

    assert answer.orders[0].filled_lots == 1
    assert (alice.has(), alice.held()) == (400, 0)


def test_what_an_ioc_leaves_over_is_released(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=1)
    bob.sells(lots=1, at=100)

    answer = alice.buys(lots=5, at=100, time_in_force="IOC")

    assert (answer.ended, answer.filled_lots) == ("expired", 1)
    assert (alice.has(), alice.held()) == (400, 0)


def test_what_the_book_refuses_is_released(stage):
    alice = stage.trader("alice", usdt=500)

    answer = alice.buys(lots=1, at=111)  # Above the band.

    assert (answer.ended, answer.code) == ("refused", "price_out_of_band")
    assert (alice.has(), alice.held()) == (500, 0)


def test_a_market_buy_by_amount_holds_the_amount_and_frees_what_it_did_not_spend(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=9)
    bob.sells(lots=9, at=99)

    answer = alice.places(kind="M", time_in_force="IOC", price_ticks=0, lots=0, quote_budget=250)

    assert (answer.ended, answer.filled_lots, answer.cum_quote) == ("filled", 2, 198)
    assert (alice.has(), alice.held()) == (302, 0)


def test_a_market_buy_by_quantity_holds_the_upper_band_but_never_more_than_there_is(stage):
    alice, bob = stage.trader("alice", usdt=230), stage.trader("bob", usdt=10_000)
    market_buy = {"kind": "M", "time_in_force": "IOC", "price_ticks": 0}

    stage.ask(alice.risk, [alice.order(lots=5, **market_buy)])
    stage.ask(bob.risk, [bob.order(lots=5, **market_buy)])
    stage.step(stage.risks[0])

    assert alice.held() == 230
    assert bob.held() == 5 * 110


def test_a_market_buy_by_quantity_needs_enough_for_one_lot(stage):
    alice = stage.trader("alice", usdt=109)

    answer = alice.places(kind="M", time_in_force="IOC", price_ticks=0, lots=5)

    assert answer.code == "insufficient_funds"
    assert alice.held() == 0


def test_an_ack_is_given_before_the_book_has_seen_the_order(stage):
    alice = stage.trader("alice", usdt=500)
    order = alice.order(response="ACK")

    stage.ask(alice.risk, [order])
    stage.step(stage.risks[0])

    (answer,) = stage.replies[order.request]
    assert isinstance(answer, OrderAck)
    assert stage.book.waiting() == 1


def test_a_result_bears_the_receipt_of_the_book(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=2)
    bob.sells(lots=2, at=100)
    order = alice.order(lots=2)

    stage.ask(alice.risk, [order])
    stage.step(stage.risks[0])
    stage.step(stage.book)
    decided = stage.book.hash
    assert order.request not in stage.replies  # Nothing is said before it is booked.
    stage.settle()

    (answer,) = stage.replies[order.request]
    assert (answer.engine, answer.journal_hash) == ("book:BTC-USDT", decided)
    assert answer.engine_seq == stage.book.machine.seq
    assert [(fill.lots, fill.price_ticks, fill.liquidity) for fill in answer.fills] == [
        (2, 100, "T")
    ]


@pytest.mark.parametrize("partitions", [1, 2, 3])
def test_a_trade_between_partitions_moves_the_same_value(partitions):
    stage = Stage(partitions=partitions)
    alice = stage.trader("alice", partition=0, usdt=500)
    bob = stage.trader("bob", partition=partitions - 1, btc=5)

    alice.buys(lots=5, at=100)
    bob.sells(lots=5, at=100)

    assert (alice.has(), alice.has("BTC")) == (0, 5)
    assert (bob.has(), bob.has("BTC")) == (500, 0)
    stage.check()


@pytest.mark.parametrize(
    ("reference", "upper"),
    [(100, 110), (105, 115), (5_000_001, 5_500_001)],  # docs/rounding.md, "Holds".
)
def test_the_upper_band_is_rounded_down(reference, upper):
    stage = Stage(msgspec.structs.replace(SMALL_MARKET, reference_ticks=reference))
    alice = stage.trader("alice", usdt=10_000_000)

    stage.ask(alice.risk, [alice.order(kind="M", time_in_force="IOC", price_ticks=0, lots=1)])
    stage.step(alice.risk)

    assert alice.held() == upper
