"""Rules 35 to 38: whom an order may not meet, and orders that end by time."""

import pytest

from tests.helpers.exchange import SECOND

NOW = {"good_till_s": 5}


# ── Self-trade ──────────────────────────────────────────────────────────────────────────────────


def test_rule_35_expire_maker_ends_the_owners_order_and_goes_on(market):
    alice, bob = market.traders("alice", "bob")
    own = alice.sells(1, at=100)
    bob.sells(1, at=101)

    order = alice.buys(1, at=101, self_trade="M")

    assert market.trades() == ["alice bought 1 from bob at 101"]
    assert market.story_of(own) == ["placed/", "expired/self_trade"]
    assert (order.ended, market.asks()) == ("filled", {})


def test_rule_35_each_order_ended_so_counts_as_a_fill(market_of):
    market = market_of(fills_per_taker=2).opened()
    alice, bob = market.traders("alice", "bob")
    for _ in range(2):
        alice.sells(1, at=100)
    bob.sells(1, at=101)

    order = alice.buys(1, at=101, self_trade="M")

    assert (order.ended, order.code, market.asks()) == ("expired", "fill_limit", {101: 1})


def test_rule_36_expire_both_ends_both(market):
    alice, bob = market.traders("alice", "bob")
    own = alice.sells(1, at=100)
    bob.sells(1, at=101)

    order = alice.buys(1, at=101, self_trade="B")

    assert market.story_of(own) == ["placed/", "expired/self_trade"]
    assert (order.ended, order.code, market.asks()) == ("expired", "self_trade", {101: 1})


def test_rule_36_none_lets_them_trade(market):
    (alice,) = market.traders("alice")
    alice.sells(1, at=100)

    alice.buys(1, at=101, self_trade="N")

    assert market.trades() == ["alice bought 1 from alice at 100"]


@pytest.mark.parametrize(
    ("mode", "code", "own_is_there"),
    [("T", "not_fillable", True), ("B", "not_fillable", True), ("M", "", False), ("N", "", False)],
)
def test_rule_37_a_fill_or_kill_meets_its_owners_orders_by_its_mode(
    market, mode, code, own_is_there
):
    alice, bob = market.traders("alice", "bob")
    own = alice.sells(1, at=100)
    bob.sells(1, at=101)

    order = alice.buys(1, at=101, tif="FOK", self_trade=mode)

    assert (order.code, own.ended is None) == (code, own_is_there)


def test_rule_37_what_a_fill_or_kill_looks_past_ends_only_if_it_fills(market):
    alice, bob = market.traders("alice", "bob")
    own = alice.sells(1, at=100)
    bob.sells(1, at=101)

    order = alice.buys(2, at=101, tif="FOK", self_trade="M")

    assert (order.code, own.ended) == ("not_fillable", None)


def test_rule_37_the_takers_mode_decides_and_a_group_is_one_owner(market):
    alice, bob, carol = market.traders("alice", "bob", "carol")
    alice.sells(1, at=100, group=7, self_trade="N")

    assert bob.buys(1, at=100, group=7).code == "self_trade"
    assert carol.buys(1, at=100, group=8).ended == "filled"


# ── Good till ───────────────────────────────────────────────────────────────────────────────────


def test_rule_38_an_order_is_gone_from_its_time_on(market):
    alice, bob = market.traders("alice", "bob")
    order = alice.sells(1, at=100, good_till_s=5)
    bid = bob.sends("B", 1, at=100)
    market.at_ns += 5 * SECOND

    market.arrives(bid)

    assert market.story_of(order) == ["placed/", "expired/good_till_passed"]
    assert (bid.ended, market.trades()) == (None, [])


def test_rule_38_the_earliest_end_first_and_the_rest_in_the_next_batches(market_of):
    market = market_of(expiries=1).opened()
    (alice,) = market.traders("alice")
    late, early = alice.sells(1, at=101, good_till_s=2), alice.sells(1, at=102, good_till_s=1)

    market.later(seconds=3)
    first = (late.ended, early.ended)
    assert market.book.due_ns() <= market.at_ns, "the rest is due at once"
    market.later(seconds=0)

    assert (first, late.ended) == ((None, "expired"), "expired")


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"at": 100, "good_till_s": 0}, "too_late"),
        ({"at": 100, "tif": "IOC", **NOW}, "bad_terms"),
        ({"at": 100, "tif": "FOK", **NOW}, "bad_terms"),
        (NOW, "bad_terms"),
        ({"stop": 95, **NOW}, "bad_terms"),
    ],
)
def test_rule_38_a_time_belongs_to_limit_orders_that_last(market, terms, code):
    (alice,) = market.traders("alice")

    order = alice.sells(1, **terms)

    assert (order.ended, order.code) == ("refused", code)
