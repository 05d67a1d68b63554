"""Rules of which no story is told elsewhere, and that each rule of the document has its test."""

import re
from pathlib import Path

import pytest

from matching_worker.contracts import from_book

ROOT = Path(__file__).resolve().parents[2]


def test_each_rule_of_the_document_has_a_test_of_its_number():
    written = re.findall(
        r"^(\d+)\. \*\*", (ROOT / "docs/matching-rules.md").read_text(), re.MULTILINE
    )
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    told = re.findall(r"^def test_rule_(\d+)_", sources, re.MULTILINE)

    assert [int(number) for number in written] == list(range(1, len(written) + 1))
    assert set(told) == set(written), "name a test `test_rule_<number>_...` for each rule"


def test_rule_5_what_could_trade_has_traded_before_the_next_command(market):
    alice, bob = market.traders("alice", "bob")
    alice.sells(2, at=100)
    bob.buys(3, at=101)
    alice.sells(1, at=99)

    assert (market.bids(), market.asks()) == ({}, {})
    assert market.trades() == ["bob bought 2 from alice at 100", "alice sold 1 to bob at 101"]


def test_rule_6_a_limit_order_takes_what_its_price_accepts_and_its_rest_rests(market):
    alice, bob, carol = market.traders("alice", "bob", "carol")
    alice.sells(5, at=101)
    bob.sells(2, at=100)

    order = carol.buys(3, at=100)

    assert (order.filled, order.ended) == (2, None)
    assert (market.bids(), market.asks()) == ({100: 1}, {101: 5})


@pytest.mark.parametrize("tif", ["GTC", "IOC"])
def test_rule_10_a_market_order_never_rests(market, tif):
    (alice,) = market.traders("alice")

    order = alice.sells(1, tif=tif)

    assert (order.ended, order.code) == ("expired", "no_liquidity")
    assert market.asks() == {}


def test_rule_10_a_market_fill_or_kill_is_one(market):
    alice, bob = market.traders("alice", "bob")
    alice.buys(2, at=100)

    order = bob.sells(3, tif="FOK")

    assert (order.ended, order.code, order.filled) == ("expired", "not_fillable", 0)


CHECKS = (  # In the order of rule 15: what is wrong, and the code that answers it.
    ({"deadline_ns": 0}, "too_late"),
    ({"order_id": 77 * 1024 + 1}, "wrong_partition"),
    ({"client_id": ""}, "bad_client_id"),
    ({"post_only": True, "time_in_force": "IOC"}, "bad_terms"),
    ({"price_ticks": 0}, "bad_price"),
    ({"budget": 5}, "bad_budget"),
    ({"lots": 0}, "lots_out_of_range"),
    ({"price_ticks": 1, "lots": 1}, "notional_too_small"),
    ({"price_ticks": 120}, "price_out_of_band"),
)


@pytest.mark.parametrize("number", range(len(CHECKS)))
def test_rule_15_the_first_check_that_fails_is_the_answer(market, number):
    """Spoil an order by one check and all behind it: the first of them answers."""
    (alice,) = market.traders("alice")
    wrong = {}
    for changes, _ in reversed(CHECKS[number:]):
        wrong |= changes

    order = alice.buys(1, at=100, changed=wrong)

    assert (order.ended, order.code) == ("refused", CHECKS[number][1])


def test_rule_15_whose_link_it_is_comes_first(market):
    (alice,) = market.traders("alice")
    order = alice.sends("B", 1, at=100, changed={"deadline_ns": 0, "client_id": ""})
    out = market.hears(1, [order.terms])

    assert [report.code for report in out.links["risk:1"]] == ["wrong_partition"]


def test_rule_15_a_closed_market_says_so_before_it_looks_at_the_order(market):
    (alice,) = market.traders("alice")
    market.becomes("halted")

    assert alice.buys(1, at=100, changed={"client_id": ""}).code == "market_not_open"
    assert alice.buys(1, at=100, changed={"deadline_ns": 0}).code == "too_late"


def test_rule_15_limits_are_asked_before_an_order_meets_others(market_of):
    market = market_of(orders_per_account=1, orders_per_book=2).opened()
    alice, bob, carol = market.traders("alice", "bob", "carol")
    alice.sells(1, at=100)
    bob.buys(1, at=95, client_id="b")

    assert bob.buys(1, at=100, client_id="b", post_only=True).code == "order_exists"
    assert bob.buys(1, at=100, post_only=True).code == "too_many_orders"
    assert carol.buys(1, at=100, post_only=True).code == "book_full"
    assert bob.cancels_all() is not None
    assert carol.buys(1, at=100, post_only=True).code == "would_take"


def test_rule_22_each_later_fill_is_one_message_and_an_order_has_one_end(market):
    alice, bob = market.traders("alice", "bob")
    order = alice.sells(5, at=100)
    bob.buys(2, at=100)
    bob.buys(1, at=100)
    alice.cancels(order)

    assert market.story_of(order) == ["placed/", "2@100M", "1@100M", "canceled/"]


def test_rule_23_the_events_of_the_market_sum_to_its_depth(market):
    alice, bob = market.traders("alice", "bob")
    market.becomes("trading")
    order = alice.sells(5, at=100)
    bob.buys(2, at=100)
    alice.amends(order, lots=4, filled=2)
    bob.buys(1, at=100, tif="FOK")
    killed = bob.buys(9, at=100, tif="FOK")

    kinds = [type(e).__name__ for out, _ in market.seen for e in out.events]
    assert kinds[-5:] == ["OrderAdded", "Trade", "OrderReduced", "Trade", "OrderTurnedAway"]
    assert market.events(from_book.OrderTurnedAway)[0].order_id == killed.terms.order_id
    assert market.asks() == {100: 1}
