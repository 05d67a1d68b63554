"""Rules 51 to 61: amends, cancels by themselves, and the phases of a market."""

import pytest

from matching_worker.contracts import from_book
from matching_worker.contracts.to_book import CancelAccount
from tests.engine.stage import changed
from tests.helpers.exchange import answers

# ── Amends ──────────────────────────────────────────────────────────────────────────────────────


def test_rule_51_an_amend_makes_smaller_and_keeps_the_place(market):
    alice, bob, carol = market.traders("alice", "bob", "carol")
    order = alice.buys(5, at=99)
    bob.buys(1, at=99)

    answer = alice.amends(order, lots=3)
    reduced = market.events(from_book.OrderReduced)[0]
    carol.sells(4, at=99)

    assert (answer.code, answer.version, answer.lots) == ("", 2, 3)
    assert (reduced.order_id, reduced.lots) == (order.terms.order_id, 2)
    assert market.trades() == ["carol sold 3 to alice at 99", "carol sold 1 to bob at 99"]
    assert [execution.version for execution in order.executions] == [2]


def test_rule_51_a_waiting_order_is_amended_too(market):
    (alice,) = market.traders("alice")
    stop = alice.sells(5, at=95, stop=95)

    assert alice.amends(stop, lots=2).code == ""
    market.trade_at(95)

    assert market.asks() == {95: 2}


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"lots": 4, "valid_s": -1, "version": 9}, "too_late"),
        ({"lots": 4, "version": 3, "filled": 0}, "bad_version"),
        ({"lots": 4, "version": 1}, "bad_version"),
        ({"lots": 6, "filled": 1}, "filled_meanwhile"),
        ({"lots": 5, "filled": 2}, "not_smaller"),
        ({"lots": 2, "filled": 2}, "lots_out_of_range"),
    ],
)
def test_rule_52_an_amend_that_is_refused_changes_nothing(market, asked, code):
    alice, bob = market.traders("alice", "bob")
    order = alice.buys(5, at=99)
    bob.sells(2, at=99)

    answer = alice.amends(order, **asked)

    assert (answer.code, answer.lots, market.bids()) == (code, asked["lots"], {99: 3})


def test_rule_52_others_orders_and_small_sizes(market):
    alice, bob, carol = market.traders("alice", "bob", "carol")
    order = alice.buys(1, at=99)
    stop = carol.buys(budget=500, stop=110)

    assert bob.amends(order, lots=1).code == "unknown_order"
    assert carol.amends(order, lots=1).code == "unknown_order"
    assert carol.amends(stop, lots=1).code == "not_smaller", "it is by budget alone"


def test_rule_52_the_least_size_and_notional_are_kept_in_every_state(market_of):
    market = market_of(spec=changed(min_lots=2, min_notional=250)).opened()
    (alice,) = market.traders("alice")
    order = alice.buys(4, at=99)
    market.becomes("halted")

    assert alice.amends(order, lots=1).code == "lots_out_of_range"
    assert alice.amends(order, lots=2).code == "notional_too_small"
    assert alice.amends(order, lots=3).code == ""
    assert market.bids() == {99: 3}


# ── Cancels by themselves ───────────────────────────────────────────────────────────────────────


def test_rule_53_a_dead_mans_switch_ends_all_unless_set_again(market):
    alice, bob = market.traders("alice", "bob")
    orders = [alice.buys(1, at=99), alice.sells(1, stop=95)]
    other = bob.buys(1, at=98)
    alice.cancels_after(10)
    market.later(seconds=8)
    again = alice.cancels_after(10)

    market.later(seconds=9)
    assert [order.ended for order in orders] == [None, None]
    market.later(seconds=1)

    assert again.due_ns == market.at_ns
    assert [order.end.code for order in orders] == ["cancel_after"] * 2
    assert (other.ended, answers(market.last())) == (None, [])


def test_rule_53_a_switch_can_be_taken_back_and_has_its_terms(market_of):
    market = market_of(switches=1).opened()
    alice, bob = market.traders("alice", "bob")
    order = alice.buys(1, at=99)

    assert alice.cancels_after(24 * 3_600 + 1).code == "bad_terms"
    assert alice.cancels_after(1, valid_s=-1).code == "too_late"
    assert alice.cancels_after(24 * 3_600).due_ns > 0
    assert alice.cancels_after(1).due_ns == market.at_ns + 10**9
    assert bob.cancels_after(1).code == "undecided"
    assert alice.cancels_after(0).due_ns == 0
    assert bob.cancels_after(1).due_ns > 0
    market.later(seconds=60)
    assert order.ended is None


def test_rule_53_of_one_moment_the_switch_that_was_set_first_goes_first(market):
    alice, bob = market.traders("alice", "bob")
    orders = [alice.buys(1, at=99), bob.buys(1, at=98)]
    for who in (alice, bob, alice):
        who.cancels_after(10)

    market.later(seconds=10)

    gone = [event.order_id for event in market.events(from_book.OrderRemoved)]
    assert gone == [order.terms.order_id for order in reversed(orders)]


def test_rule_53_an_order_on_its_way_is_not_meant(market):
    (alice,) = market.traders("alice")
    alice.buys(1, at=99)
    alice.cancels_after(1)
    late = alice.sends("B", 1, at=98)
    market.later(seconds=2)

    assert market.arrives(late).ended is None


def test_rule_54_a_frozen_accounts_orders_end(market):
    alice, bob = market.traders("alice", "bob")
    orders = [alice.buys(1, at=99), alice.sells(1, stop=95)]
    other = bob.buys(1, at=99)

    out = alice.is_frozen()

    assert [order.end.code for order in orders] == ["frozen"] * 2
    assert (other.ended, answers(out)) == (None, [])


def test_rule_54_a_partition_freezes_only_its_own(market):
    (alice,) = market.traders("alice")
    order = alice.buys(1, at=99)

    out = market.hears(1, [CancelAccount(alice.account, "frozen")])

    assert ([e.code for e in out.events], order.ended) == (["wrong_partition"], None)


# ── Phases ──────────────────────────────────────────────────────────────────────────────────────


def test_rule_55_in_post_only_only_such_orders_come_in(market):
    alice, bob = market.traders("alice", "bob")
    market.becomes("post_only")

    assert alice.sells(1, at=100).code == "market_not_open"
    assert alice.sells(1, at=100, stop=95).code == "market_not_open"
    assert alice.sells(1, at=100, post_only=True).ended is None
    assert bob.buys(1, at=100, post_only=True).code == "would_take"


def test_rule_56_a_breaker_pauses_the_market_and_it_comes_back_by_itself(market):
    market.breaks_at(50_000, cancel_only_s=120, post_only_s=10)
    market.trade_at(104)
    before = market.state()
    market.trade_at(105)

    paused = market.state()
    market.later(seconds=119)
    still = market.state()
    market.later(seconds=1)
    post_only = market.state()
    market.later(seconds=10)

    assert (before, paused, still, post_only) == (
        "trading",
        "cancel_only",
        "cancel_only",
        "post_only",
    )
    assert [e.reason for e in market.events(from_book.StateChanged)[1:]] == [
        "circuit breaker",
        "circuit breaker: post-only",
        "circuit breaker: over",
    ]
    assert market.state() == "trading"


def test_rule_56_the_command_ends_as_usual_and_what_it_set_off_waits(market):
    alice, bob, carol = market.traders("alice", "bob", "carol")
    market.breaks_at(50_000, cancel_only_s=1, post_only_s=1)
    stop = carol.buys(1, at=110, stop=105)
    alice.sells(1, at=105)
    alice.sells(1, at=106)

    taken = bob.buys(2, at=106)
    waits = market.story_of(stop)
    market.later(seconds=1)
    market.later(seconds=1)

    assert (taken.ended, waits) == ("filled", ["placed/"])
    assert market.story_of(stop)[1] == "triggered@105"


def test_rule_56_an_operators_word_ends_the_sequence(market):
    market.breaks_at(50_000, cancel_only_s=1)
    market.trade_at(105)

    market.becomes("halted")
    market.later(seconds=60)

    assert market.state() == "halted"


def test_rule_57_delisted_is_for_ever(market):
    (alice,) = market.traders("alice")
    orders = [alice.sells(1, at=105), alice.sells(1, stop=95)]

    market.becomes("delisted")
    out = market.becomes("trading")

    assert [order.end.code for order in orders] == ["delisted"] * 2
    assert [event.code for event in out.events] == ["delisted"]
    assert alice.sells(1, at=105).code == "market_not_open"


def test_rule_58_in_an_auction_limit_orders_rest_even_where_they_cross(market_of):
    market = market_of(auction_orders=3).opened()
    alice, bob = market.traders("alice", "bob")
    market.becomes("auction")

    refused = [
        alice.sells(1, at=100, post_only=True),
        alice.sells(1, at=100, tif="IOC"),
        alice.sells(1, stop=95),
        alice.sells(1),
    ]
    alice.sells(1, at=95)
    far = bob.buys(1, at=150)
    bob.buys(1, at=100)

    assert [order.code for order in refused] == ["market_not_open"] * 4
    assert far.ended is None, "an auction has no band"
    assert (market.bids(), market.asks()) == ({150: 1, 100: 1}, {95: 1})
    assert alice.sells(1, at=95).code == "book_full"


def auctioned(market):
    alice, bob, carol, dave = market.traders("alice", "bob", "carol", "dave")
    market.becomes("auction")
    orders = [
        alice.buys(3, at=102),
        bob.buys(2, at=100),
        carol.sells(4, at=99),
        dave.sells(4, at=101),
    ]
    market.becomes("trading")
    return orders


def test_rule_59_the_crossing_orders_trade_at_one_price(market):
    auctioned(market)

    (done,) = market.events(from_book.AuctionDone)
    assert (done.price_ticks, done.lots) == (100, 4)
    assert (market.bids(), market.asks()) == ({100: 1}, {101: 4})


def test_rule_59_the_lighter_rest_then_the_nearest_then_the_lowest_price_wins(market):
    alice, bob = market.traders("alice", "bob")
    market.becomes("auction")
    alice.sells(1, at=97)
    bob.buys(1, at=99)

    market.becomes("trading")

    assert market.events(from_book.AuctionDone)[0].price_ticks == 99, "99 is nearer to 100"
    market.becomes("auction")
    market.oracle_says(98)
    alice.sells(1, at=95)
    bob.buys(1, at=101)
    market.later(seconds=2)
    market.becomes("trading")
    done = market.events(from_book.AuctionDone)[1]
    assert (done.lots, done.price_ticks) == (1, 101), "99 was traded: 101 is nearer than 95"


@pytest.mark.parametrize("state", ["halted", "cancel_only"])
def test_rule_59_an_auction_that_is_stopped_is_made_up_for(market, state):
    alice, bob = market.traders("alice", "bob")
    market.becomes("auction")
    alice.sells(1, at=99)
    bob.buys(1, at=101)

    market.becomes(state)
    before = market.trades()
    market.becomes("post_only")

    assert (before, len(market.trades())) == ([], 1)
    kinds = [type(event).__name__ for event in market.last().events]
    assert kinds == ["Trade", "AuctionDone", "StateChanged"]


def test_rule_60_better_prices_first_and_both_sides_are_makers(market):
    alice, bob, carol, dave = auctioned(market)

    assert market.trades() == ["carol sold 3 to alice at 100", "carol sold 1 to bob at 100"]
    assert market.story_of(carol) == ["placed/", "3@100M", "1@100M"]
    assert market.story_of(bob) == ["placed/", "1@100M"]
    assert market.story_of(dave) == ["placed/"]
    assert alice.ended == "filled"


def test_rule_60_an_auction_sets_nothing_off_and_counts_for_the_reference(market):
    alice, bob = market.traders("alice", "bob")
    market.breaks_at(10_000)
    stop = alice.buys(1, at=110, stop=105)
    market.becomes("auction")
    alice.sells(1, at=105)
    alice.buys(1, at=105)

    out = market.becomes("trading")

    assert market.trades() == ["alice bought 1 from alice at 105"]
    assert (market.story_of(stop), market.state()) == (["placed/"], "trading")
    assert [r.ticks for r in market.sent(out, from_book.Reference)] == [105, 105]
    assert bob.buys(1, at=110, stop=105).code == "would_trigger"


def test_rule_60_an_auction_without_a_cross_says_so(market):
    market.becomes("auction")
    market.becomes("trading")

    (done,) = market.events(from_book.AuctionDone)
    assert (done.price_ticks, done.lots) == (0, 0)


def test_rule_61_an_old_mark_is_ignored(market):
    (alice,) = market.traders("alice")
    market.mark_is(100, number=5)
    order = alice.sells(1, stop=95, trigger_by="mark")

    ignored = [market.mark_is(90, number=number) for number in (5, 4)]
    before = market.story_of(order)
    market.mark_is(90, number=6)

    assert [out.events for out in ignored] == [[], []]
    assert (before, market.story_of(order)[1]) == (["placed/"], "triggered@90")
