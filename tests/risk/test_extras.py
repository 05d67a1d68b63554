"""Orders with extras: triggers, an expiry, a self-trade mode. `docs/risk-rules.md`, 37 to 43."""

import msgspec
import pytest

from apps.common.kernel.invariants import InvariantBroken
from apps.risk.contracts.events import ExtrasAccepted, OrderAccepted, OrderTriggered
from apps.risk.contracts.replies import OrderAck, OrderRefusal, OrderResult
from apps.risk.engine import codes
from matching_worker.contracts.to_book import ExtraOrder, OrderExtras
from tests.helpers.scripted_stage import ScriptedStage, extra, stop, stop_market
from tests.helpers.trading_stage import SMALL_MARKET

ONE = 1024  # The number of the first order.


@pytest.fixture
def scripted() -> ScriptedStage:
    return ScriptedStage()


@pytest.fixture
def alice(scripted):
    return scripted.trader("alice", usdt=2_000, btc=20)


def test_an_order_with_extras_goes_to_the_book_with_them_and_the_log_tells_them(scripted, alice):
    asked = extra(alice.order(lots=5), self_trade="M", expires_ns=scripted.now_ns + 1)

    answer = scripted.asks(asked)

    accepted, extras = alice.risk.events[-4:-2]
    assert isinstance(answer, OrderResult)
    assert isinstance(accepted, OrderAccepted)
    assert extras == ExtrasAccepted(accepted.seq, ONE, alice.account, asked.extras, 0)
    (sent,) = (message for message in scripted.script.heard if isinstance(message, ExtraOrder))
    assert (sent.order.order_id, sent.extras) == (ONE, asked.extras)
    assert alice.held() == 500


def test_the_answer_is_an_ack_if_that_is_asked_for(scripted, alice):
    assert isinstance(scripted.asks(stop(alice.order(response="ACK"), at=105)), OrderAck)


@pytest.mark.parametrize(
    ("code", "terms", "extras"),
    [
        (codes.BAD_TERMS, {}, {"group": 7}),
        (codes.BAD_TERMS, {}, {"reduce_only": True}),
        (codes.BAD_TERMS, {}, {"trigger_ticks": 105}),
        (codes.BAD_TERMS, {}, {"trail_ppm": 10_000}),
        (codes.BAD_TERMS, {"time_in_force": "IOC"}, {"expires_ns": 2**62}),
        (codes.BAD_TERMS, {"kind": "M", "price_ticks": 0}, {"expires_ns": 2**62}),
        (codes.BAD_TERMS, {"post_only": True}, {"trigger": "stop", "trigger_ticks": 105}),
        (codes.BAD_TERMS, {}, {"trigger": "stop", "trigger_ticks": 105, "trail_ppm": 10_000}),
        (codes.BAD_TERMS, {}, {"trigger": "profit", "trail_ppm": 10_000}),
        (codes.BAD_TERMS, {}, {"trigger": "stop", "trail_ppm": 999}),
        (codes.BAD_TERMS, {}, {"trigger": "stop", "trail_ppm": 500_001}),
        (codes.BAD_PRICE, {}, {"trigger": "stop"}),
        (codes.BAD_PRICE, {}, {"trigger": "profit"}),
        (codes.BAD_PRICE, {"price_ticks": 0}, {"trigger": "stop", "trigger_ticks": 105}),
        (codes.BAD_SIZE, {"lots": 0}, {"trigger": "stop", "trigger_ticks": 105}),
        (codes.TOO_LATE, {}, {"expires_ns": 1}),
        (codes.TOO_LATE, {"deadline_ns": 1}, {}),
        (codes.INSUFFICIENT_FUNDS, {"lots": 21}, {"trigger": "stop", "trigger_ticks": 105}),
        (codes.UNKNOWN_MARKET, {"market": "DOGE-USDT"}, {}),
        (codes.UNKNOWN_ACCOUNT, {"account": 999 * 1024}, {}),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(scripted, alice, code, terms, extras):
    machine = alice.risk.machine
    before = machine.dump() | {"seq": 0}
    asked = extra(alice.order(**terms), **extras)

    scripted.ask(alice.risk, [asked])
    scripted.settle()

    (answer,) = scripted.answers(asked)
    assert isinstance(answer, OrderRefusal)
    assert answer.code == code
    assert machine.dump() | {"seq": 0} == before


def test_a_time_is_reached_at_itself(scripted, alice):
    reached = scripted.asks(extra(alice.order(), expires_ns=scripted.now_ns))
    ahead = scripted.asks(extra(alice.order(), expires_ns=scripted.now_ns + 1))

    assert reached.code == codes.TOO_LATE
    assert isinstance(ahead, OrderResult)


@pytest.mark.parametrize("state", ["trading", "post_only", "auction"])
def test_where_orders_come_in_the_book_decides_which(scripted, alice, state):
    scripted.script.tells(state)
    scripted.flows()

    assert isinstance(scripted.asks(alice.order()), OrderResult)


@pytest.mark.parametrize("state", ["pre_open", "cancel_only", "halted", "delisted"])
def test_elsewhere_nothing_goes_to_the_book(scripted, alice, state):
    scripted.script.tells(state)
    scripted.flows()

    assert scripted.asks(alice.order()).code == codes.MARKET_NOT_OPEN
    assert scripted.asks(stop(alice.order(), at=105)).code == codes.MARKET_NOT_OPEN


# ── Holds ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("extras", "upper"),
    [
        ({"trigger": "stop", "trigger_ticks": 120}, 132),  # Above the trigger price.
        ({"trigger": "stop", "trigger_ticks": 99}, 110),  # Above the reference: it is higher.
        ({"trigger": "profit", "trigger_ticks": 90}, 110),
        ({"trigger": "stop", "trail_ppm": 50_000}, 115),  # 105, and 10 % more: 115.5.
        ({"trigger": "stop", "trail_ppm": 1_000}, 111),  # 100.1 is 101, and 10 % more: 111.1.
        ({}, 110),
    ],
)
def test_a_waiting_market_buy_by_quantity_holds_the_band_above_where_it_is_set_off(
    scripted, alice, extras, upper
):
    market = alice.order(kind="M", time_in_force="IOC", price_ticks=0, lots=3)

    scripted.asks(extra(market, **extras))

    assert alice.held() == 3 * upper


def test_it_holds_no_more_than_there_is_and_is_refused_for_less_than_one_lot(scripted):
    rich, poor = scripted.trader("rich", usdt=500), scripted.trader("poor", usdt=131)

    taken = scripted.asks(stop_market(rich, at=120, lots=5))
    refused = scripted.asks(stop_market(poor, at=120, lots=5))

    assert isinstance(taken, OrderResult)
    assert rich.held() == 500
    assert refused.code == codes.INSUFFICIENT_FUNDS


def test_a_waiting_market_buy_by_amount_holds_the_amount(scripted, alice):
    scripted.asks(stop_market(alice, at=120, lots=0, quote_budget=700))

    assert alice.held() == 700


def test_a_waiting_limit_buy_and_any_sell_hold_what_they_always_do(scripted, alice):
    scripted.asks(stop(alice.order(lots=4, price_ticks=106), at=105))
    scripted.asks(stop_market(alice, at=95, side="S", lots=7))

    assert (alice.held(), alice.held("BTC")) == (4 * 106, 7)


def test_without_a_reference_a_waiting_market_buy_by_quantity_is_refused(scripted, alice):
    scripted.risks[0].machine.markets["BTC-USDT"].reference_ticks = 0

    assert scripted.asks(stop_market(alice, at=120, lots=1)).code == codes.NO_REFERENCE


# ── Set off ─────────────────────────────────────────────────────────────────────────────────────


def test_a_waiting_order_is_set_off_then_trades_and_keeps_its_budget(scripted, alice):
    scripted.asks(stop_market(alice, at=120, lots=5))
    held = alice.held()

    scripted.script.sets_off(ONE, at=121)
    scripted.flows()
    after_trigger = alice.held()
    scripted.script.fills(ONE, lots=2, at=125)
    scripted.flows()

    (event,) = (event for event in alice.risk.events if isinstance(event, OrderTriggered))
    assert (event.order_id, event.version, event.price_ticks) == (ONE, 1, 121)
    assert after_trigger == held == 5 * 132
    assert alice.held() == held - 2 * 125


def test_it_is_set_off_once_and_trades_only_then(scripted, alice):
    scripted.asks(stop(alice.order(lots=5, price_ticks=106), at=105))
    script = scripted.script

    script.orders[ONE].waits = False
    script.fills(ONE, lots=1, at=100)
    with pytest.raises(InvariantBroken, match="waits for its trigger"):
        scripted.flows()


def test_a_second_trigger_contradicts_our_own_count(scripted, alice):
    scripted.asks(stop(alice.order(lots=5, price_ticks=106), at=105))
    scripted.script.sets_off(ONE, at=105)
    scripted.script.sets_off(ONE, at=105)

    with pytest.raises(InvariantBroken, match="once"):
        scripted.flows()


def test_what_expires_waiting_is_released(scripted, alice):
    scripted.asks(stop(alice.order(lots=5), at=105, expires_ns=scripted.now_ns + 1))

    scripted.script.ends(ONE, "expired", "good_till_passed")
    scripted.flows()

    assert alice.held() == 0
    assert not alice.risk.machine.orders


# ── Repeats ─────────────────────────────────────────────────────────────────────────────────────

AT_105 = OrderExtras(trigger="stop", trigger_ticks=105)


@pytest.mark.parametrize("ended", [False, True])
def test_a_repeat_with_the_same_extras_gets_the_first_answer(scripted, alice, ended):
    first = scripted.asks(stop(alice.order(client_id="mine"), at=105))
    if ended:
        scripted.script.ends(ONE)
        scripted.flows()
    scripted.restart(scripted.risks[0])

    again = scripted.asks(stop(alice.order(client_id="mine"), at=105))

    assert msgspec.structs.replace(again, request=0) == msgspec.structs.replace(first, request=0)
    assert alice.risk.machine.orders_made == 1


@pytest.mark.parametrize("ended", [False, True])
@pytest.mark.parametrize(
    "other",
    [
        {"trigger_ticks": 106},
        {"trigger": "profit"},
        {"trigger_by": "mark"},
        {"self_trade": "B"},
        {"expires_ns": 2**62},
        {"trigger_ticks": 0, "trail_ppm": 5_000},
        None,  # A plain order.
    ],
)
def test_other_extras_are_other_terms(scripted, alice, ended, other):
    scripted.asks(stop(alice.order(client_id="mine"), at=105))
    if ended:
        scripted.script.ends(ONE)
        scripted.flows()
    order = alice.order(client_id="mine")

    plain_or_other = order if other is None else extra(order, **_changed(other))

    assert scripted.asks(plain_or_other).code == codes.CLIENT_ID_REUSED


def test_a_plain_orders_id_is_not_taken_by_one_with_extras(scripted, alice):
    scripted.asks(alice.order(client_id="mine"))

    answer = scripted.asks(stop(alice.order(client_id="mine"), at=105))

    assert answer.code == codes.CLIENT_ID_REUSED


def test_a_plain_order_is_kept_and_saved_as_it_always_was(scripted, alice):
    """Kept journals replay to their hashes: only orders that have more take more."""
    scripted.asks(alice.order(client_id="mine"))
    machine = alice.risk.machine
    (row,) = machine.dump()["orders"]

    scripted.script.ends(ONE)
    scripted.flows()

    ((_, packed, _),) = machine.dump()["ended_ids"]
    assert len(row) == 23
    assert len(msgspec.msgpack.decode(packed)[0]) == 8


def test_what_is_open_with_extras_survives_a_restart():
    stage = ScriptedStage(msgspec.structs.replace(SMALL_MARKET, min_lots=2))
    alice = stage.trader("alice", usdt=2_000)
    stage.asks(stop(alice.order(lots=5, price_ticks=106), at=105))
    stage.script.sets_off(ONE, at=105)
    stage.flows()

    stage.restart(stage.risks[0])
    stage.script.fills(ONE, lots=5, at=104)
    stage.flows()

    assert (alice.has("BTC"), alice.held()) == (5, 0)


def _changed(changes):
    return msgspec.structs.asdict(msgspec.structs.replace(AT_105, **changes))
