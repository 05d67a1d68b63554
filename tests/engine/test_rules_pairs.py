"""Rules 49 and 50: one order cancels the other."""

import pytest

from matching_worker.contracts import from_book
from tests.helpers.exchange import answers


def pair_of(trader, **changes):
    terms = {"at": 105} | changes
    lots = terms.pop("lots", 2)
    return trader.sends("S", lots, **terms), trader.sends("S", 2, at=93, stop=95)


def test_rule_49_both_orders_of_a_pair_come_in(market):
    (alice,) = market.traders("alice")

    first, second = alice.pairs(*pair_of(alice))

    heard = market.sent(market.last(), from_book.FirstReport)
    assert [r.order_id for r in heard] == [first.terms.order_id, second.terms.order_id]
    assert (first.ended, second.ended, market.asks()) == (None, None, {105: 2})


@pytest.mark.parametrize(
    "changes", [{"lots": 3}, {"tif": "IOC"}, {"stop": 94}, {"changed": {"kind": "M"}}]
)
def test_rule_49_what_is_no_pair_is_refused(market, changes):
    (alice,) = market.traders("alice")

    pair = alice.pairs(*pair_of(alice, **changes))

    assert [order.code for order in pair] == ["bad_pair"] * 2


def test_rule_49_the_first_refusal_refuses_both(market):
    alice, bob = market.traders("alice", "bob")
    far = alice.pairs(*pair_of(alice, at=150))
    bob.buys(1, at=105)
    taking = alice.pairs(*pair_of(alice))

    assert [order.code for order in far] == ["price_out_of_band", "other_leg"]
    assert [order.code for order in taking] == ["would_take", "other_leg"]
    assert [order.ended for order in (*far, *taking)] == ["refused"] * 4


def test_rule_49_a_pair_needs_room_for_two(market_of):
    market = market_of(orders_per_account=2).opened()
    (alice,) = market.traders("alice")
    alice.sells(1, at=106)

    pair = alice.pairs(*pair_of(alice))

    assert [order.code for order in pair] == ["too_many_orders", "other_leg"]


def test_rule_50_a_first_fill_ends_the_other(market):
    alice, bob = market.traders("alice", "bob")
    limit, stop = alice.pairs(*pair_of(alice))

    bob.buys(1, at=105)

    assert market.story_of(limit) == ["placed/", "1@105M"]
    assert market.story_of(stop) == ["placed/", "canceled/other_leg"]


def test_rule_50_what_is_set_off_ends_the_other_first(market):
    (alice,) = market.traders("alice")
    limit, stop = alice.pairs(*pair_of(alice))

    market.trade_at(95)

    heard = [m for m in market.last().links["risk:0"] if hasattr(m, "order_id")]
    numbers = [
        m.order_id for m in heard if m.order_id in (limit.terms.order_id, stop.terms.order_id)
    ]
    assert numbers[0] == limit.terms.order_id
    assert market.story_of(limit) == ["placed/", "canceled/other_leg"]
    assert market.story_of(stop) == ["placed/", "triggered@95"]


def test_rule_50_a_cancel_tells_of_both_the_one_named_first(market):
    (alice,) = market.traders("alice")
    limit, stop = alice.pairs(*pair_of(alice))

    answer = alice.cancels(stop)

    assert [o.order_id for o in answer.orders] == [stop.terms.order_id, limit.terms.order_id]
    assert market.story_of(limit) == ["placed/", "canceled/other_leg"]


def test_rule_50_a_cancel_all_finds_each_as_it_stands(market):
    (alice,) = market.traders("alice")
    pair = alice.pairs(*pair_of(alice))

    answer = alice.cancels_all()

    assert [o.order_id for o in answer.orders] == [order.terms.order_id for order in pair]


def test_rule_50_a_cancel_on_the_way_refuses_both(market):
    (alice,) = market.traders("alice")
    limit, stop = pair_of(alice)
    alice.cancels(stop)

    alice.pairs(limit, stop)

    assert [(o.ended, o.code) for o in (limit, stop)] == [
        ("canceled", "other_leg"),
        ("canceled", "tombstoned"),
    ]
    (answer,) = answers(market.last())
    assert [o.order_id for o in answer.orders] == [stop.terms.order_id]
