"""How cancels meet orders: those that rest, those on their way, and those that never were."""

from matching_worker.contracts import from_book
from matching_worker.contracts.from_book import CancelDone, CancelRefused
from tests.helpers.exchange import answers


def test_rule_24_what_rests_is_canceled_at_once(exchange):
    alice, bob = exchange.traders("alice", "bob")
    order = alice.sells(5, at=100)
    bob.buys(2, at=100)

    answer = alice.cancels(order)

    assert [(o.order_id, o.lots, o.filled_lots, o.cum_quote) for o in answer.orders] == [
        (order.terms.order_id, 5, 2, 200)
    ]
    assert (order.ended, order.end.filled_lots) == ("canceled", 2)
    assert exchange.asks() == {}


def test_rule_24_an_order_can_be_canceled_by_the_name_its_owner_gave_it(exchange):
    alice, bob = exchange.traders("alice", "bob")
    order = alice.sells(1, at=100, client_id="shared")
    bob.sells(1, at=101, client_id="shared")

    answer = alice.cancels_by_client_id("shared")

    assert [o.order_id for o in answer.orders] == [order.terms.order_id]
    assert exchange.asks() == {101: 1}


def test_rule_24_nobody_cancels_the_orders_of_others(exchange):
    alice, bob = exchange.traders("alice", "bob")
    order = alice.sells(1, at=100)
    exchange.partition_passes_all(1)

    answer = bob.cancels(order)

    assert (type(answer), answer.code) == (CancelRefused, "unknown_order")
    assert exchange.asks() == {100: 1}


def test_rule_26_an_order_that_has_ended_is_unknown_once_nothing_more_can_come(exchange):
    alice, bob = exchange.traders("alice", "bob")
    order = alice.sells(1, at=100)
    bob.buys(1, at=100)

    answer = alice.cancels(order)

    assert (type(answer), answer.code) == (CancelRefused, "unknown_order")


def test_rule_25_a_cancel_that_overtakes_its_order_waits_and_refuses_it(exchange):
    (alice,) = exchange.traders("alice")
    order = alice.sends("S", 1, at=100)

    assert alice.cancels(order) is None, "the answer waits"
    asked = exchange.sent(exchange.seen[-1][0], from_book.PassedAsk)
    exchange.arrives(order)

    assert [ask.up_to for ask in asked] == [order.terms.command]
    assert (order.ended, order.code, order.filled) == ("canceled", "tombstoned", 0)
    (answer,) = answers(exchange.seen[-1][0])
    assert [(o.order_id, o.filled_lots) for o in answer.orders] == [(order.terms.order_id, 0)]
    assert exchange.asks() == {}


def test_rule_25_a_cancel_can_never_lose_a_race_against_its_own_order(exchange):
    """Bob would trade with the order; its cancel came first, so he does not."""
    alice, bob = exchange.traders("alice", "bob")
    order = alice.sends("S", 1, at=100)
    bob.buys(1, at=100)
    alice.cancels(order)

    exchange.arrives(order)

    assert exchange.trades() == []


def test_rule_25_an_order_sent_after_the_cancel_is_not_meant(exchange):
    (alice,) = exchange.traders("alice")
    early = alice.sends("S", 1, at=100)
    alice.cancels_all()
    late = alice.sends("S", 1, at=101)

    exchange.arrives(early)
    exchange.arrives(late)

    assert (early.ended, late.ended) == ("canceled", None)
    assert exchange.asks() == {101: 1}


def test_rule_26_a_waiting_cancel_is_answered_when_its_partition_has_passed_the_mark(exchange):
    """The partition took the command and refused it, say: the order never comes."""
    (alice,) = exchange.traders("alice")
    refused_by_risk = alice.sends("S", 1, at=100)
    assert alice.cancels(refused_by_risk) is None

    out = exchange.partition_passes_all()

    assert [(a.request, a.code) for a in answers(out)] == [(1, "unknown_order")]
    assert exchange.book.cancels.tombstones.count == 0


def test_rule_26_a_cancel_is_undecided_after_five_seconds_and_still_refuses_the_order(exchange):
    (alice,) = exchange.traders("alice")
    order = alice.sends("S", 1, at=100, changed={"deadline_ns": 2**62})
    alice.cancels(order)

    quiet = exchange.later(seconds=4.9)
    late = exchange.later(seconds=0.2)
    exchange.arrives(order)

    assert answers(quiet) == []
    assert [answer.code for answer in answers(late)] == ["undecided"]
    assert (order.ended, order.code) == ("canceled", "tombstoned")
    assert answers(exchange.seen[-1][0]) == [], "one cancel, one answer"


def test_rule_29_a_cancel_that_comes_late_is_refused(exchange):
    (alice,) = exchange.traders("alice")
    order = alice.sells(1, at=100)

    answer = alice.cancels(order, valid_s=-1)

    assert (type(answer), answer.code) == (CancelRefused, "too_late")
    assert exchange.asks() == {100: 1}


def test_rule_27_cancel_all_ends_what_rests_oldest_first_and_refuses_what_is_on_its_way(exchange):
    (alice,) = exchange.traders("alice")
    first, second = alice.sells(1, at=105), alice.buys(1, at=95)
    third = alice.sends("B", 1, at=96)

    answer = alice.cancels_all()
    exchange.arrives(third)

    numbers = [order.order_id for order in answer.orders]
    assert numbers == [first.terms.order_id, second.terms.order_id]
    assert [order.ended for order in (first, second, third)] == ["canceled"] * 3
    assert (exchange.bids(), exchange.asks()) == ({}, {})


def test_rule_27_cancel_all_with_nothing_there_tells_what_it_met_on_its_way(exchange):
    (alice,) = exchange.traders("alice")
    orders = [alice.sends("B", 1, at=95), alice.sends("B", 1, at=96)]
    last = alice.sends("B", 1, at=97)

    assert alice.cancels_all() is None
    for order in orders:
        exchange.arrives(order)
        assert answers(exchange.seen[-1][0]) == []
    exchange.arrives(last)

    (answer,) = answers(exchange.seen[-1][0])
    met = [*orders, last]
    assert [o.order_id for o in answer.orders] == [order.terms.order_id for order in met]


def test_rule_27_cancel_all_of_nothing_is_unknown(exchange):
    (alice,) = exchange.traders("alice")

    answer = alice.cancels_all()

    assert (type(answer), answer.code) == (CancelRefused, "unknown_order")


def test_rule_28_a_mass_cancel_goes_on_over_batches_and_is_answered_once(tight_exchange):
    (alice,) = tight_exchange.traders("alice")
    for price in (95, 96, 97, 98):
        alice.buys(1, at=price)

    assert alice.cancels_all() is None
    assert tight_exchange.bids() == {98: 1, 97: 1}, "two a batch"
    assert tight_exchange.book.due_ns() == tight_exchange.at_ns, "the next batch is due at once"
    out = tight_exchange.later(seconds=0)

    (answer,) = answers(out)
    assert (type(answer), len(answer.orders)) == (CancelDone, 4)
    assert tight_exchange.bids() == {}
    assert tight_exchange.book.due_ns() is None


def test_rule_28_the_work_list_goes_before_all_that_comes_in_a_batch(tight_exchange):
    alice, bob = tight_exchange.traders("alice", "bob")
    for price in (95, 96, 97, 98):
        alice.buys(1, at=price)
    alice.cancels_all()

    sale = bob.sells(1, at=97)

    assert (sale.ended, tight_exchange.trades()) == (None, [])
    (answer,) = answers(tight_exchange.seen[-1][0])
    assert len(answer.orders) == 4


def test_rule_28_an_order_that_trades_before_its_mass_cancel_is_not_in_the_answer(tight_exchange):
    alice, bob = tight_exchange.traders("alice", "bob")
    for price in (95, 96, 97):
        alice.buys(1, at=price)
    cancels, sale = alice.cancel_of_all(), bob.sends("S", 1, at=97)

    tight_exchange.turn_of([cancels, tight_exchange.arrival(sale)])
    out = tight_exchange.later(seconds=0)

    assert tight_exchange.trades() == ["bob sold 1 to alice at 97"]
    assert len(answers(out)[0].orders) == 2


def test_rule_29_too_many_waiting_cancels_of_one_account_are_undecided_at_once(tight_exchange):
    alice, bob = tight_exchange.traders("alice", "bob")
    orders = [alice.sends("B", 1, at=95) for _ in range(3)]
    others = bob.sends("B", 1, at=95)

    waiting = [alice.cancels(order) for order in orders]

    assert waiting[:2] == [None, None]
    assert waiting[2].code == "undecided"
    assert bob.cancels(others) is None, "others may still wait"


def test_rule_24_a_cancel_works_while_the_partition_is_silent(exchange):
    alice, bob = exchange.traders("alice", "bob")
    order = alice.sells(1, at=100)
    alice.sends("S", 1, at=101)  # Never taken: the partition is down.

    answer = alice.cancels(order)
    bob.buys(1, at=100)

    assert isinstance(answer, CancelDone)
    assert exchange.trades() == []


def test_rule_26_a_partition_that_no_link_leads_to_has_no_orders(exchange):
    stranger = exchange.trader("stranger", partition=0)
    stranger.account += 9
    exchange.taken[9] = 5

    answer = stranger.cancels_all()

    assert (type(answer), answer.code) == (CancelRefused, "unknown_order")


def test_rule_26_a_name_that_no_order_can_have_is_unknown_at_once(exchange):
    (alice,) = exchange.traders("alice")
    alice.sends("S", 1, at=100)

    answer = alice.cancels_by_client_id("x" * 37)

    assert (type(answer), answer.code) == (CancelRefused, "unknown_order")
    assert exchange.book.cancels.tombstones.count == 0
