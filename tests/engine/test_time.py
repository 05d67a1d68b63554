"""What header time does to a market: reference price, band and cuts. Nothing here reads a clock."""

import msgspec

from apps.journals.contracts import LinkAdd, RulesSet
from matching_worker.contracts import from_book, to_book
from tests.helpers.exchange import SECOND, SMALL_SPEC, Exchange

SMALL_TRADES = msgspec.structs.replace(SMALL_SPEC, min_notional=1)


def references(exchange, out):
    return [(m.ticks, m.state) for m in exchange.sent(out, from_book.Reference)]


def trade(exchange, alice, bob, *, at):
    alice.sells(1, at=at)
    bob.buys(1, at=at)


def test_rule_30_a_book_is_ready_when_all_its_partitions_have_said_hello():
    exchange = Exchange()

    before = exchange.book.ready
    exchange.hears(0, [to_book.Hello(0)])
    half = exchange.book.ready
    exchange.hears(1, [to_book.Hello(1)])

    assert (before, half, exchange.book.ready) == (False, False, True)


def test_rule_33_a_partition_that_greets_learns_how_the_market_stands(exchange):
    exchange.operated(LinkAdd("risk:2"))

    out = exchange.hears(2, [to_book.Hello(2)])

    assert out.links == {"risk:2": [from_book.Reference(100, "trading")]}


def test_a_greeting_in_anothers_name_is_refused(exchange):
    out = exchange.hears(0, [to_book.Hello(1)])

    assert [event.code for event in out.events] == ["bad_link"]


def test_a_book_stays_the_market_it_is(exchange):
    out = exchange.operated(to_book.MarketDefine(SMALL_SPEC))

    assert [event.code for event in out.events] == ["already_defined"]


def test_a_book_links_with_partitions_only(exchange):
    out = exchange.operated(LinkAdd("custody:0"))

    assert [event.code for event in out.events] == ["bad_link"]


def test_commands_of_the_runtime_count_and_change_nothing(exchange):
    seq = exchange.book.seq

    out = exchange.operated(RulesSet(1))

    assert exchange.book.seq == seq + 1
    assert (out.events, out.links, out.replies) == ([], {}, {})


def test_rule_30_a_change_of_state_is_public_and_told_to_every_partition(exchange):
    out = exchange.becomes("halted", reason="a drill")

    assert out.events == [from_book.StateChanged(exchange.book.seq, "halted", "a drill")]
    assert references(exchange, out) == [(100, "halted")] * 2


def test_rule_31_the_reference_is_the_mean_of_five_minutes_trades_at_most_once_a_second(exchange):
    alice, bob = exchange.traders("alice", "bob")
    trade(exchange, alice, bob, at=102)
    trade(exchange, alice, bob, at=105)

    soon = exchange.later(seconds=0.5)
    later = exchange.later(seconds=0.5)

    assert references(exchange, soon) == []
    assert references(exchange, later) == [(103, "trading")] * 2, "103.5 is rounded down"


def test_rule_31_trades_leave_the_reference_after_five_minutes(exchange):
    alice, bob = exchange.traders("alice", "bob")
    trade(exchange, alice, bob, at=110)
    exchange.later(seconds=200)
    trade(exchange, alice, bob, at=104)
    exchange.later(seconds=1)
    assert exchange.book.reference.published == 107

    exchange.at_ns = exchange.book.due_ns()
    exchange.later(seconds=100)

    assert exchange.book.reference.published == 104


def test_rule_32_without_trades_the_newer_of_oracle_and_last_trade_is_the_reference(exchange):
    alice, bob = exchange.traders("alice", "bob")
    exchange.oracle_says(95)
    exchange.later(seconds=1)
    before_any_trade = exchange.book.reference.published
    trade(exchange, alice, bob, at=97)
    exchange.later(seconds=400)
    after_the_last = exchange.book.reference.published

    exchange.oracle_says(99)
    exchange.later(seconds=1)

    assert before_any_trade == 95
    assert after_the_last == 97
    assert exchange.book.reference.published == 99


def test_rule_18_the_band_follows_the_published_reference_and_its_edges_are_inside(exchange):
    (alice,) = exchange.traders("alice")
    exchange.oracle_says(105)
    exchange.later(seconds=1)

    placed = {price: alice.buys(1, at=price).code for price in (94, 95, 115, 116)}

    assert placed == {
        94: "price_out_of_band",  # The edges are 94.5 and 115.5.
        95: "",
        115: "",
        116: "price_out_of_band",
    }


def test_rule_34_a_cut_marks_one_point_in_all_links_ten_seconds_after_a_trade(exchange):
    alice, bob = exchange.traders("alice", "bob")
    trade(exchange, alice, bob, at=100)
    exchange.at_ns += 9 * SECOND
    trade(exchange, alice, bob, at=100)

    early = exchange.later(seconds=0.9)
    cut = exchange.later(seconds=0.1)

    assert exchange.sent(early, from_book.CutMark) == []
    assert {peer: messages[0] for peer, messages in cut.links.items()} == {
        "risk:0": from_book.CutMark(1),
        "risk:1": from_book.CutMark(1),
    }
    assert cut.events == [from_book.CutTaken(1, 2)]


def test_rule_34_a_quiet_market_cuts_nothing(exchange):
    alice, bob = exchange.traders("alice", "bob")
    trade(exchange, alice, bob, at=100)
    exchange.later(seconds=10)

    for _ in range(40):
        exchange.later(seconds=60)

    assert len(exchange.events(from_book.CutTaken)) == 1
    assert exchange.book.due_ns() is None


def test_rule_34_a_market_may_cut_at_its_own_pace():
    exchange = Exchange(msgspec.structs.replace(SMALL_TRADES, cut_s=1)).opened()
    alice, bob = exchange.traders("alice", "bob")
    trade(exchange, alice, bob, at=100)

    assert exchange.later(seconds=1).events == [from_book.CutTaken(1, 1)]
