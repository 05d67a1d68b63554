"""Smaller in its place: the book decides, the hold falls then. `docs/risk-rules.md`, 51 to 56."""

import msgspec
import pytest

from apps.common.kernel.invariants import InvariantBroken
from apps.risk.contracts.events import BalanceNow, CommandRefused, OrderAmended
from apps.risk.contracts.replies import AmendDone, OrderRefusal
from apps.risk.engine import codes
from matching_worker.contracts.from_book import Amended
from matching_worker.contracts.to_book import AmendHeld
from tests.helpers.scripted_stage import ScriptedStage, amend, pair, stop, stop_market
from tests.helpers.trading_stage import SMALL_MARKET

ONE, TWO = 1024, 2048


@pytest.fixture
def scripted() -> ScriptedStage:
    return ScriptedStage(msgspec.structs.replace(SMALL_MARKET, min_lots=2, max_lots=50))


@pytest.fixture
def alice(scripted):
    return scripted.trader("alice", usdt=2_000, btc=20)


def does(stage, code=""):
    """Let the book answer the amend that waits."""
    stage.script.answers_amend(code)
    stage.flows()


def test_the_hold_falls_when_the_book_has_done_it_and_not_before(scripted, alice):
    scripted.asks(alice.order(lots=10, client_id="mine"))
    asked = amend(alice, ONE, lots=4)

    scripted.asks(asked)
    before, early = alice.held(), scripted.answers(asked)
    does(scripted)

    assert (before, early) == (1_000, [])
    assert alice.held() == 400
    (answer,) = scripted.answers(asked)
    assert isinstance(answer, AmendDone)
    assert (answer.order_id, answer.client_id, answer.lots, answer.filled_lots) == (
        ONE,
        "mine",
        4,
        0,
    )
    assert (answer.engine, answer.journal_hash) == ("book:BTC-USDT", scripted.book.hash)
    event = next(event for event in alice.risk.events if isinstance(event, OrderAmended))
    assert (event.version, event.lots, event.hold) == (2, 4, 400)
    assert alice.risk.events[-1] == BalanceNow(alice.account, "USDT", 2_000, 400)


def test_the_book_is_told_the_next_version_and_what_we_know_to_be_filled(scripted, alice):
    scripted.asks(alice.order(lots=10))
    scripted.script.fills(ONE, lots=3, at=100)
    scripted.flows()

    asked = amend(alice, ONE, lots=6)
    scripted.asks(asked)

    assert scripted.script.amends == [AmendHeld(ONE, 2, alice.account, 6, 3, asked.deadline_ns)]


def test_after_it_the_order_trades_and_ends_at_its_new_version(scripted, alice):
    scripted.asks(alice.order(lots=10))
    scripted.asks(amend(alice, ONE, lots=6))
    scripted.script.fills(ONE, lots=3, at=100)  # Meanwhile, at the old one.
    scripted.script.amends[0] = msgspec.structs.replace(
        scripted.script.amends[0], expected_filled=3
    )
    does(scripted)

    scripted.script.fills(ONE, lots=3, at=99)
    scripted.flows()

    assert not alice.risk.machine.orders
    assert (alice.has(), alice.held(), alice.has("BTC")) == (2_000 - 597, 0, 26)


@pytest.mark.parametrize(("said", "version"), [("before", 2), ("after", 1)])
def test_a_report_at_another_version_contradicts_our_own_count(scripted, alice, said, version):
    scripted.asks(alice.order(lots=10))
    scripted.asks(amend(alice, ONE, lots=6))
    if said == "after":
        does(scripted)
    scripted.script.orders[ONE].version = version
    scripted.script.fills(ONE, lots=1, at=100)

    with pytest.raises(InvariantBroken, match="the version that the book has"):
        scripted.flows()


def test_one_amend_of_an_order_at_a_time(scripted, alice):
    scripted.asks(alice.order(lots=10))
    first = amend(alice, ONE, lots=6)
    scripted.asks(first)

    second = scripted.asks(amend(alice, ONE, lots=5))
    does(scripted)
    third = amend(alice, ONE, lots=4)
    scripted.asks(third)
    does(scripted)

    assert second.code == codes.AMEND_PENDING
    assert isinstance(scripted.answers(first)[0], AmendDone)
    assert scripted.answers(third)[0].lots == 4
    assert alice.risk.machine.orders[ONE].version == 3


def test_what_the_book_refuses_changes_nothing_and_its_code_is_passed_on(scripted, alice):
    scripted.asks(alice.order(lots=10))
    before = alice.risk.machine.dump() | {"seq": 0}
    asked = amend(alice, ONE, lots=6)
    scripted.asks(asked)
    seen = len(alice.risk.events)

    does(scripted, "filled_meanwhile")

    (answer,) = scripted.answers(asked)
    assert isinstance(answer, OrderRefusal)
    assert answer.code == "filled_meanwhile"
    (event,) = alice.risk.events[seen:]
    assert isinstance(event, CommandRefused)
    assert (event.reference, event.code) == (f"amend:{ONE}", "filled_meanwhile")
    assert alice.risk.machine.dump() | {"seq": 0} == before


@pytest.mark.parametrize(
    ("code", "change"),
    [
        (codes.UNKNOWN_ACCOUNT, {"account": 99 * 1024}),
        (codes.WRONG_PARTITION, {"account": 99 * 1024 + 1}),
        (codes.UNKNOWN_ORDER, {"order_id": 5 * 1024}),
        (codes.UNKNOWN_ORDER, {"order_id": 0}),
        (codes.UNKNOWN_ORDER, {"order_id": 0, "client_id": "another"}),
        (codes.UNKNOWN_ORDER, {"client_id": "another"}),
        (codes.UNKNOWN_ORDER, {"market": "DOGE-USDT"}),
        (codes.UNKNOWN_ORDER, {"order_id": TWO}),  # Bob's.
        (codes.TOO_LATE, {"deadline_ns": 1}),
        (codes.BAD_SIZE, {"lots": 0}),
        (codes.BAD_SIZE, {"lots": 1}),
        (codes.BAD_SIZE, {"lots": 51}),
        (codes.NOT_SMALLER, {"lots": 10}),
        (codes.NOT_SMALLER, {"lots": 11}),
    ],
)
def test_what_cannot_be_is_refused_here_and_changes_nothing(scripted, alice, code, change):
    bob = scripted.trader("bob", usdt=2_000)
    scripted.asks(alice.order(lots=10, client_id="mine"))
    scripted.asks(bob.order(lots=10))
    before = alice.risk.machine.dump() | {"seq": 0}
    asked = msgspec.structs.replace(amend(alice, ONE, lots=4), **change)

    scripted.ask(alice.risk, [asked])
    scripted.settle()

    (answer,) = scripted.answers(asked)
    assert (answer.code, type(alice.risk.events[-1])) == (code, CommandRefused)
    assert not scripted.script.amends
    assert alice.risk.machine.dump() | {"seq": 0} == before


def test_an_order_is_named_by_its_client_id_as_well(scripted, alice):
    scripted.asks(alice.order(lots=10, client_id="mine"))
    asked = amend(alice, lots=4, client_id="mine")
    scripted.asks(asked)
    does(scripted)

    assert scripted.answers(asked)[0].lots == 4


def test_an_order_that_has_ended_is_unknown(scripted, alice):
    scripted.asks(alice.order(lots=10, client_id="mine"))
    scripted.script.ends(ONE)
    scripted.flows()

    assert scripted.asks(amend(alice, lots=4, client_id="mine")).code == codes.UNKNOWN_ORDER
    assert scripted.asks(amend(alice, ONE, lots=4)).code == codes.UNKNOWN_ORDER


def test_an_order_that_ends_before_the_answer_answers_the_asker(scripted, alice):
    scripted.asks(alice.order(lots=10))
    asked = amend(alice, ONE, lots=4)
    scripted.asks(asked)
    scripted.restart(scripted.risks[0])

    scripted.script.fills(ONE, lots=10, at=100)
    scripted.flows()
    (at_the_end,) = scripted.answers(asked)
    does(scripted)  # `unknown_order`: nothing comes of it.

    assert at_the_end.code == codes.UNKNOWN_ORDER
    assert scripted.answers(asked) == [at_the_end]
    assert alice.held() == 0


def test_an_amend_done_to_what_has_ended_contradicts_our_own_count(scripted, alice):
    scripted.asks(alice.order(lots=10))
    scripted.script.ends(ONE)
    scripted.script.saying.append(("risk:0", Amended(ONE, 2, 9, scripted.now_ns, 4, "")))

    with pytest.raises(InvariantBroken, match="done with"):
        scripted.flows()


@pytest.mark.parametrize(
    "answer",
    [
        Amended(ONE, 3, 9, 9, 4, ""),
        Amended(ONE, 2, 9, 9, 5, ""),
    ],
)
def test_an_answer_to_another_amend_contradicts_our_own_count(scripted, alice, answer):
    scripted.asks(alice.order(lots=10))
    scripted.asks(amend(alice, ONE, lots=4))
    scripted.script.saying.append(("risk:0", answer))

    with pytest.raises(InvariantBroken):
        scripted.flows()


def test_an_amend_is_answered_once(scripted, alice):
    scripted.asks(alice.order(lots=10))
    scripted.script.saying.append(("risk:0", Amended(ONE, 2, 9, 9, 4, "")))

    with pytest.raises(InvariantBroken, match="answered once"):
        scripted.flows()


def test_a_repeat_of_the_order_still_means_the_size_it_was_placed_with(scripted, alice):
    scripted.asks(alice.order(lots=10, client_id="mine"))
    for lots in (6, 4):
        scripted.asks(amend(alice, ONE, lots=lots))
        does(scripted)
    scripted.restart(scripted.risks[0])

    same = scripted.asks(alice.order(lots=10, client_id="mine"))
    other = scripted.asks(alice.order(lots=4, client_id="mine"))
    scripted.script.ends(ONE)
    scripted.flows()
    later = scripted.asks(alice.order(lots=10, client_id="mine"))

    assert same.order_id == later.order_id == ONE
    assert other.code == codes.CLIENT_ID_REUSED


def test_a_waiting_market_buy_keeps_its_budget_when_it_becomes_smaller(scripted, alice):
    """The book may still spend it on what is left."""
    scripted.asks(stop_market(alice, at=105, lots=10))
    scripted.asks(amend(alice, ONE, lots=4))
    does(scripted)

    assert alice.held() == 10 * 115


def test_an_order_by_amount_has_no_size_to_make_smaller(scripted, alice):
    scripted.asks(stop_market(alice, at=105, lots=0, quote_budget=500))

    assert scripted.asks(amend(alice, ONE, lots=4)).code == codes.NOT_SMALLER


@pytest.mark.parametrize(("leg", "hold"), [(ONE, 10 * 110), (TWO, 10 * 95)])
def test_a_smaller_leg_of_a_pair_makes_the_shared_hold_the_dearer_ones(scripted, alice, leg, hold):
    rests = alice.order(lots=10, price_ticks=95)
    waits = stop(alice.order(lots=10, price_ticks=110), at=105)
    scripted.asks(pair(rests, waits))

    scripted.asks(amend(alice, leg, lots=4))
    does(scripted)

    assert alice.held() == hold
    orders = alice.risk.machine.orders
    assert (orders[ONE].held, orders[TWO].held) == (hold, 0)
    scripted.script.ends(ONE)
    scripted.flows()
    assert alice.held() == 0


def test_a_frozen_account_may_make_its_orders_smaller(scripted, alice):
    """As it may cancel them."""
    scripted.asks(alice.order(lots=10))
    alice.risk.machine.accounts[alice.account].frozen = True
    scripted.asks(amend(alice, ONE, lots=4))
    does(scripted)

    assert alice.held() == 400
