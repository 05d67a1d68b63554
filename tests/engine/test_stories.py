"""How orders meet, told as stories. Each name is a rule of `docs/matching-rules.md`."""

import pytest

from matching_worker.contracts import from_book
from tests.helpers.exchange import SMALL_SPEC, Exchange


def test_rule_1_the_cheaper_offer_trades_first_and_the_rest_of_the_order_waits(exchange):
    alice, bob, carol = exchange.traders("alice", "bob", "carol")
    alice.sells(5, at=101)
    bob.sells(2, at=100)

    carol.buys(3, at=100)

    assert exchange.trades() == ["carol bought 2 from bob at 100"]
    assert exchange.asks() == {101: 5}
    assert exchange.bids() == {100: 1}


def test_rule_2_at_one_price_who_came_first_trades_first(exchange):
    alice, bob, carol = exchange.traders("alice", "bob", "carol")
    alice.buys(3, at=99)
    bob.buys(3, at=99)

    carol.sells(4, at=99)

    assert exchange.trades() == ["carol sold 3 to alice at 99", "carol sold 1 to bob at 99"]
    assert exchange.bids() == {99: 2}


def test_rule_3_a_partly_filled_order_keeps_its_place(exchange):
    alice, bob, carol = exchange.traders("alice", "bob", "carol")
    alice.buys(3, at=99)
    bob.buys(3, at=99)
    carol.sells(1, at=99)

    carol.sells(2, at=99)

    assert exchange.trades() == ["carol sold 1 to alice at 99", "carol sold 2 to alice at 99"]


def test_rule_4_a_fill_is_at_the_price_of_who_waited(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(1, at=95)

    bought = bob.buys(1, at=105)

    assert exchange.trades() == ["bob bought 1 from alice at 95"]
    assert (bought.ended, bought.paid) == ("filled", 95)


def test_rule_21_each_side_hears_of_its_own_fill_and_of_its_end(exchange):
    alice, bob = exchange.traders("alice", "bob")
    offer = alice.sells(2, at=100)

    bid = bob.buys(3, at=100)

    made, took = offer.executions[0], bid.executions[0]
    assert (made.trade_id, made.liquidity, made.ended) == (1, "M", "filled")
    assert (took.trade_id, took.liquidity, took.ended) == (1, "T", None)
    assert (made.filled_lots, made.cum_quote) == (took.filled_lots, took.cum_quote) == (2, 200)
    assert bid.report.ended is None


@pytest.mark.parametrize("state", ["pre_open", "cancel_only", "halted"])
def test_rule_30_a_market_takes_orders_only_while_it_trades(exchange, state):
    alice, bob = exchange.traders("alice", "bob")
    resting = alice.sells(1, at=100)
    exchange.becomes(state)

    refused = bob.buys(1, at=100)

    assert (refused.ended, refused.code) == ("refused", "market_not_open")
    assert exchange.asks() == {100: 1}
    assert isinstance(alice.cancels(resting), from_book.CancelDone), "a cancel is always taken"


def test_rule_17_an_order_that_comes_after_its_deadline_is_refused(exchange):
    (alice,) = exchange.traders("alice")
    order = alice.sends("B", 1, at=100)
    exchange.later(seconds=5.1)

    exchange.arrives(order)

    assert (order.ended, order.code) == ("refused", "too_late")
    assert exchange.bids() == {}


def test_rule_7_an_ioc_order_takes_what_is_there_and_its_rest_expires(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(2, at=100)

    order = bob.buys(5, at=100, tif="IOC")

    assert (order.filled, order.ended, order.code) == (2, "expired", "no_liquidity")
    assert exchange.bids() == {}


def test_rule_8_a_fill_or_kill_order_is_filled_whole_or_not_at_all(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(2, at=100)
    alice.sells(2, at=101)

    killed = bob.buys(5, at=101, tif="FOK")
    filled = bob.buys(4, at=101, tif="FOK")

    assert (killed.filled, killed.ended, killed.code) == (0, "expired", "not_fillable")
    assert (filled.filled, filled.ended, filled.paid) == (4, "filled", 402)


def test_rule_9_a_post_only_order_rests_or_is_refused(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(1, at=100)

    refused = bob.buys(1, at=100, post_only=True)
    rests = bob.buys(1, at=99, post_only=True)

    assert (refused.ended, refused.code) == ("refused", "would_take")
    assert (rests.ended, exchange.bids()) == (None, {99: 1})
    assert exchange.trades() == []


def test_rule_11_a_market_sale_takes_the_best_bids_and_its_rest_expires(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.buys(1, at=99)
    alice.buys(1, at=98)

    order = bob.sells(3)

    assert exchange.trades() == ["bob sold 1 to alice at 99", "bob sold 1 to alice at 98"]
    assert (order.ended, order.code) == ("expired", "no_liquidity")


def test_rule_12_a_market_buy_by_budget_buys_all_that_the_budget_pays(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(2, at=100)
    alice.sells(5, at=105)

    order = bob.buys(budget=450)

    assert (order.filled, order.paid, order.ended) == (4, 410, "filled")
    assert order.executions[-1].ended == "filled"
    assert exchange.asks() == {105: 3}


def test_rule_12_a_market_buy_by_size_never_costs_more_than_its_budget(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(5, at=105)

    order = bob.buys(4, budget=330)

    assert (order.filled, order.paid) == (3, 315)
    assert (order.ended, order.code) == ("expired", "budget_spent")


def test_rule_12_a_budget_that_pays_for_nothing_buys_nothing(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(5, at=105)

    order = bob.buys(budget=104)

    assert (order.filled, order.ended, order.code) == (0, "expired", "budget_spent")


def test_rule_12_a_market_fill_or_kill_respects_its_budget(exchange):
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(5, at=100)

    killed = bob.buys(3, budget=299, tif="FOK")
    filled = bob.buys(3, budget=300, tif="FOK")
    whole_budget = bob.buys(budget=250, tif="FOK")

    assert (killed.filled, killed.code) == (0, "not_fillable")
    assert (filled.filled, filled.ended) == (3, "filled")
    assert (whole_budget.filled, whole_budget.ended) == (2, "filled")


def test_rule_13_nobody_trades_with_themselves(exchange):
    alice, bob = exchange.traders("alice", "bob")
    bob.sells(1, at=100)
    own = alice.sells(1, at=101)

    order = alice.buys(3, at=102)

    assert exchange.trades() == ["alice bought 1 from bob at 100"]
    assert (order.filled, order.ended, order.code) == (1, "expired", "self_trade")
    assert (own.ended, exchange.asks()) == (None, {101: 1})


def test_rule_14_one_order_makes_so_many_fills_and_its_rest_expires(tight_exchange):
    alice, bob = tight_exchange.traders("alice", "bob")
    for _ in range(4):
        alice.sells(1, at=100)

    order = bob.buys(5, at=100)
    killed = bob.buys(4, at=100, tif="FOK")

    assert (order.filled, order.ended, order.code) == (3, "expired", "fill_limit")
    assert killed.code == "not_fillable"
    assert tight_exchange.bids() == {}


def test_rule_20_an_account_rests_so_many_orders_and_no_more(tight_exchange):
    alice, bob = tight_exchange.traders("alice", "bob")
    for price in (95, 96, 97, 98):
        alice.buys(1, at=price)

    refused = alice.buys(1, at=99)
    taken = alice.buys(1, at=99, tif="IOC")

    assert (refused.ended, refused.code) == ("refused", "too_many_orders")
    assert taken.code == "no_liquidity", "what cannot rest is not counted"
    assert bob.buys(1, at=99).ended is None


def test_rule_20_a_full_book_takes_orders_that_do_not_rest(tight_exchange):
    alice, bob, carol = tight_exchange.traders("alice", "bob", "carol")
    for trader in (alice, bob):
        for price in (96, 97, 98):
            trader.buys(1, at=price)

    refused = carol.buys(1, at=99)
    sold = carol.sells(1, at=98, tif="IOC")

    assert (refused.ended, refused.code) == ("refused", "book_full")
    assert sold.ended == "filled"


def test_rule_19_a_number_or_client_id_that_rests_cannot_come_again(exchange):
    (alice,) = exchange.traders("alice")
    first = alice.buys(1, at=99, client_id="mine")

    again = alice.buys(1, at=99, client_id="mine")
    same_number = alice.buys(1, at=99, number=first.terms.order_id)

    assert (again.ended, again.code) == ("refused", "order_exists")
    assert (same_number.ended, same_number.code) == ("refused", "order_exists")
    assert exchange.bids() == {99: 1}


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"account": 4 * 1024 + 1}, "wrong_partition"),
        ({"order_id": 77 * 1024 + 1}, "wrong_partition"),
        ({"client_id": ""}, "bad_client_id"),
        ({"client_id": "x" * 37}, "bad_client_id"),
        ({"post_only": True, "time_in_force": "IOC"}, "bad_terms"),
        ({"kind": "M", "price_ticks": 0, "budget": 100, "post_only": True}, "bad_terms"),
        ({"price_ticks": 0}, "bad_price"),
        ({"kind": "M", "budget": 100}, "bad_price"),
        ({"budget": 100}, "bad_budget"),
        ({"kind": "M", "price_ticks": 0}, "bad_budget"),
        ({"kind": "M", "price_ticks": 0, "budget": "plenty"}, "bad_budget"),
        ({"kind": "M", "price_ticks": 0, "budget": 100, "side": "S"}, "bad_budget"),
        ({"lots": 0}, "lots_out_of_range"),
        ({"lots": 1_000_001}, "lots_out_of_range"),
        ({"kind": "M", "price_ticks": 0, "budget": 100, "lots": 1_000_001}, "lots_out_of_range"),
        ({"price_ticks": 49}, "notional_too_small"),
        ({"kind": "M", "price_ticks": 0, "budget": 49, "lots": 0}, "notional_too_small"),
        ({"price_ticks": 111}, "price_out_of_band"),
        ({"price_ticks": 89}, "price_out_of_band"),
    ],
)
def test_rule_16_every_field_is_checked_again_and_a_refusal_changes_nothing(exchange, terms, code):
    (alice,) = exchange.traders("alice")

    order = alice.buys(1, at=100, changed=terms)

    assert (order.ended, order.code) == ("refused", code)
    assert (exchange.bids(), exchange.asks(), exchange.trades()) == ({}, {}, [])
    turned_away = exchange.events(from_book.OrderTurnedAway)
    assert [event.code for event in turned_away] == [code]


def test_amounts_of_any_size_are_exact():
    spec = SMALL_SPEC.__class__(
        **{name: getattr(SMALL_SPEC, name) for name in SMALL_SPEC.__struct_fields__}
        | {"quote_per_tick_lot": 10**15}
    )
    exchange = Exchange(spec).opened()
    alice, bob = exchange.traders("alice", "bob")
    alice.sells(1_000, at=100)

    order = bob.buys(1_000, budget=str(10**20))

    assert (order.ended, order.executions[0].cum_quote) == ("filled", str(10**20))
