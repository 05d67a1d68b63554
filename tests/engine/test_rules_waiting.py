"""Rules 39 to 48: orders that wait for a price, and act."""

import pytest

from matching_worker.contracts import from_book


def test_rule_39_a_waiting_order_is_no_part_of_the_book(market):
    alice, bob = market.traders("alice", "bob")

    stop = alice.sells(1, at=50, stop=95)

    assert (stop.report.ended, stop.report.executions) == (None, [])
    assert (market.asks(), bob.buys(1, at=100, tif="IOC").code) == ({}, "no_liquidity")
    assert market.events(from_book.StopPlaced)[0].order_id == stop.terms.order_id


def test_rule_39_waiting_orders_count_with_those_that_rest(market_of):
    market = market_of(orders_per_account=2, waiting_per_account=1, waiting_per_book=2).opened()
    alice, bob, carol = market.traders("alice", "bob", "carol")
    alice.sells(1, stop=95)

    assert alice.sells(1, stop=95).code == "too_many_orders"
    assert alice.sells(1, at=105).ended is None
    assert alice.sells(1, at=105).code == "too_many_orders"
    assert bob.sells(1, stop=95).ended is None
    assert carol.sells(1, stop=95).code == "book_full"


def test_rule_39_only_so_many_may_trail(market_of):
    market = market_of(trailing_per_book=1).opened()
    (alice,) = market.traders("alice")
    alice.sells(1, trail_ppm=10_000)

    assert alice.sells(1, trail_ppm=10_000).code == "book_full"
    assert alice.sells(1, stop=95).ended is None


@pytest.mark.parametrize(
    ("side", "word", "quiet", "sets_off"),
    [
        ("S", "stop", 96, 95),
        ("B", "stop", 104, 105),
        ("S", "profit", 104, 105),
        ("B", "profit", 96, 95),
    ],
)
def test_rule_40_a_price_at_its_trigger_sets_an_order_off(market, side, word, quiet, sets_off):
    (alice,) = market.traders("alice")
    budget = {"budget": 1_000} if side == "B" else {}
    order = alice.exchange.arrives(alice.sends(side, 1, **{word: sets_off}, **budget))

    market.trade_at(100, quiet)
    before = market.story_of(order)
    market.trade_at(sets_off)

    assert before == ["placed/"]
    assert market.story_of(order)[1] == f"triggered@{sets_off}"


def test_rule_41_the_mark_sets_off_those_that_ask_for_it(market):
    (alice,) = market.traders("alice")
    refused = alice.sells(1, stop=95, trigger_by="mark")
    market.mark_is(100)
    order = alice.sells(1, stop=95, trigger_by="mark")

    market.trade_at(94)
    before = market.story_of(order)
    market.mark_is(95)

    assert refused.code == "no_mark"
    assert before == ["placed/"]
    assert market.story_of(order)[1] == "triggered@95"


def test_rule_42_what_is_reached_already_is_refused(market):
    (alice,) = market.traders("alice")
    early = alice.sells(1, stop=101)
    market.trade_at(102, 100)

    assert early.report.ended is None, "nothing traded yet, so nothing was reached"
    assert alice.sells(1, stop=101).code == "would_trigger"
    assert alice.sells(1, stop=99).ended is None
    assert alice.sells(1, trail_ppm=1_000).ended is None, "a trail cannot be reached"


def test_rule_43_a_trail_follows_the_best_price(market):
    (alice,) = market.traders("alice")
    market.trade_at(100)
    order = alice.sells(1, trail_ppm=10_000)

    market.trade_at(104, 103)
    before = market.story_of(order)
    market.trade_at(102)

    assert before == ["placed/"]
    assert market.story_of(order)[1] == "triggered@102"


@pytest.mark.parametrize(
    "extras",
    [
        {"trail_ppm": 999},
        {"trail_ppm": 500_001},
        {"trail_ppm": 10_000, "trigger_ticks": 95},
        {"trail_ppm": 10_000, "trigger": "profit"},
    ],
)
def test_rule_43_a_trail_has_its_terms(market, extras):
    (alice,) = market.traders("alice")

    order = alice.sells(1, extras={"trigger": "stop", **extras})

    assert (order.ended, order.code) == ("refused", "bad_terms")


def test_rule_44_the_first_and_the_last_price_of_a_command_count(market):
    """The taker sells through 104 and 103 to 102: the best is 104, and 102 sets the trail off."""
    alice, bob, carol = market.traders("alice", "bob", "carol")
    market.trade_at(100)
    order = alice.sells(1, trail_ppm=15_000)
    for price in (104, 103, 102):
        bob.buys(1, at=price)

    carol.sells(3, at=102)

    assert market.story_of(order)[1] == "triggered@102"


def test_rule_45_what_is_set_off_acts_in_the_order_of_placing(market):
    alice, bob, carol = market.traders("alice", "bob", "carol")
    market.trade_at(100)
    first = alice.sells(2, at=94, stop=96)
    second = bob.sells(1, stop=97)
    carol.buys(2, at=95)

    market.trade_at(96)

    assert market.story_of(first) == ["placed/", "triggered@96", "2@95T"]
    assert market.story_of(second) == ["placed/", "triggered@96", "expired/no_liquidity"]


def test_rule_45_an_action_meets_the_band_and_its_rest_rests(market):
    alice, bob = market.traders("alice", "bob")
    far = alice.sells(1, at=50, stop=95)
    near = bob.sells(1, at=95, stop=95)

    market.trade_at(95)

    assert market.story_of(far) == ["placed/", "triggered@95", "expired/price_out_of_band"]
    assert (market.story_of(near), market.asks()) == (["placed/", "triggered@95"], {95: 1})


def test_rule_46_one_action_sets_off_the_next_and_few_act_in_a_batch(market_of):
    market = market_of(actions=1).opened()
    alice, bob, carol = market.traders("alice", "bob", "carol")
    carol.buys(1, at=94)
    first, second = alice.sells(1, stop=96), bob.sells(1, stop=94)

    market.trade_at(96)
    before = market.story_of(second)
    assert market.book.due_ns() <= market.at_ns
    market.later(seconds=0)

    assert market.story_of(first) == ["placed/", "triggered@96", "1@94T"]
    assert before == ["placed/"]
    assert market.story_of(second) == ["placed/", "triggered@94", "expired/no_liquidity"]


def test_rule_46_while_the_market_does_not_trade_no_price_is_looked_at(market):
    (alice,) = market.traders("alice")
    market.mark_is(100)
    order = alice.sells(1, stop=95, trigger_by="mark")
    market.becomes("cancel_only")
    market.mark_is(90)
    market.becomes("trading")

    assert market.story_of(order) == ["placed/"]


def test_rule_46_what_was_set_off_waits_for_trading_and_can_be_canceled(market_of):
    market = market_of(actions=1).opened()
    people = market.traders("alice", "bob", "carol", "dave")
    stops = [person.sells(1, stop=95) for person in people]
    market.trade_at(95)  # Alice's acts.
    market.becomes("halted")  # Bob's has acted before the word.
    market.later(seconds=1)

    people[2].cancels(stops[2])
    market.becomes("trading")

    assert market.story_of(stops[2]) == ["placed/", "canceled/"]
    assert market.story_of(stops[3])[1] == "triggered@95"


def test_rule_47_a_waiting_order_is_found_as_a_resting_one(market):
    (alice,) = market.traders("alice")
    stop = alice.sells(1, at=90, stop=95, client_id="mine", good_till_s=9)
    again = alice.sells(1, at=105, client_id="mine")
    resting, last = alice.sells(1, at=106), alice.sells(1, at=91, stop=95, good_till_s=9)

    answer = alice.cancels_by_client_id("mine")
    all_of_it = alice.cancels_all()

    assert again.code == "order_exists"
    assert [o.order_id for o in answer.orders] == [stop.terms.order_id]
    assert [o.order_id for o in all_of_it.orders] == [resting.terms.order_id, last.terms.order_id]
    assert [e.ended for e in market.events(from_book.StopEnded)] == ["canceled"] * 2


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"at": 100, "stop": 95, "post_only": True}, "bad_terms"),
        ({"at": 100, "extras": {"trigger": "stop"}}, "bad_price"),
        ({"at": 100, "extras": {"trigger_ticks": 95}}, "bad_terms"),
        ({"at": 100, "extras": {"trail_ppm": 5_000}}, "bad_terms"),
        ({"at": 100, "reduce_only": True}, "bad_terms"),
        ({"at": 100, "stop": 95, "budget": 5}, "bad_budget"),
    ],
)
def test_rule_48_a_triggers_terms_mean_something(market, terms, code):
    (alice,) = market.traders("alice")

    order = alice.sells(1, **terms)

    assert (order.ended, order.code) == ("refused", code)
