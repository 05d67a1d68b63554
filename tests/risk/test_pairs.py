"""One cancels the other: two orders, one hold. `docs/risk-rules.md`, 44 to 50."""

import msgspec
import pytest

from apps.risk.contracts.events import ExtrasAccepted, OrderAccepted, OrderRefused
from apps.risk.contracts.replies import OrderAck, OrderRefusal, OrderResult
from apps.risk.engine import codes, limits
from matching_worker.contracts.to_book import HeldPair
from tests.helpers.scripted_stage import ScriptedStage, extra, pair, stop, stop_market
from tests.helpers.trading_stage import SMALL_MARKET

REST, WAIT = 1024, 2048  # The numbers of the two orders: the first rests, the second waits.


@pytest.fixture
def scripted() -> ScriptedStage:
    return ScriptedStage()


@pytest.fixture
def alice(scripted):
    return scripted.trader("alice", usdt=2_000, btc=20)


def buys(alice, *, lots=10, limit=95, stop_limit=110, **terms):
    """Ask to buy at a good price, or at a worse one once the price runs away."""
    waits = stop(alice.order(lots=lots, price_ticks=stop_limit), at=105)
    return pair(alice.order(lots=lots, price_ticks=limit, **terms), waits)


# ── Taken or refused together ───────────────────────────────────────────────────────────────────


def test_both_orders_go_to_the_book_in_one_message_with_one_hold_the_dearer_ones(scripted, alice):
    asked = buys(alice)

    answer = scripted.asks(asked)

    assert isinstance(answer, OrderResult)
    assert answer.order_id == REST
    assert alice.held() == 10 * 110
    accepted = [event for event in alice.risk.events if isinstance(event, OrderAccepted)]
    assert [(event.order_id, event.hold) for event in accepted] == [(REST, 1_100), (WAIT, 0)]
    extras = [event for event in alice.risk.events if isinstance(event, ExtrasAccepted)]
    assert [(event.order_id, event.other_leg) for event in extras] == [(REST, WAIT), (WAIT, REST)]
    (sent,) = (message for message in scripted.script.heard if isinstance(message, HeldPair))
    assert (sent.first.order.order_id, sent.second.order.order_id) == (REST, WAIT)
    assert sent.second.extras == asked.second.extras


def test_a_pair_of_sells_holds_its_size_once(scripted, alice):
    profit = alice.order(side="S", lots=20, price_ticks=110)

    scripted.asks(pair(profit, stop_market(alice, at=90, side="S", lots=20)))

    assert alice.held("BTC") == 20


def test_a_waiting_market_buy_brings_its_own_budget(scripted, alice):
    """Its cost is reckoned as if it came alone, although the first bears the hold."""
    rests = alice.order(lots=10, price_ticks=95)

    scripted.asks(pair(rests, stop_market(alice, at=105, lots=10)))

    orders = alice.risk.machine.orders
    assert (orders[REST].held, orders[WAIT].held) == (10 * 115, 0)
    assert (orders[REST].budget, orders[WAIT].budget) == (0, 10 * 115)


@pytest.mark.parametrize(
    "change",
    [
        {"lots": 9},
        {"side": "S"},
        {"market": "DOGE-USDT"},
        {"account": 99 * 1024},
        {"client_id": "both"},
    ],
)
def test_orders_that_differ_in_more_than_price_and_trigger_are_no_pair(scripted, alice, change):
    rests = alice.order(lots=10, price_ticks=95, client_id="both")
    waits = stop(alice.order(**({"lots": 10, "price_ticks": 110} | change)), at=105)

    assert scripted.asks(pair(rests, waits)).code == codes.BAD_PAIR


@pytest.mark.parametrize("at", [(0, 0), (105, 105)])
def test_exactly_one_waits(scripted, alice, at):
    legs = [extra(alice.order(lots=2)) if not ticks else stop(alice.order(lots=2), at=ticks)
            for ticks in at]  # fmt: skip

    assert scripted.asks(pair(*legs)).code == codes.BAD_PAIR


@pytest.mark.parametrize("change", [{"time_in_force": "IOC"}, {"kind": "M", "price_ticks": 0}])
def test_the_one_that_does_not_wait_rests(scripted, alice, change):
    rests = alice.order(**({"lots": 2} | change))

    assert scripted.asks(pair(rests, stop(alice.order(lots=2), at=105))).code == codes.BAD_PAIR


@pytest.mark.parametrize("faulty", [0, 1])
@pytest.mark.parametrize(
    ("code", "change"),
    [
        (codes.TOO_LATE, {"deadline_ns": 1}),
        (codes.BAD_PRICE, {"price_ticks": 0}),
        (codes.INSUFFICIENT_FUNDS, {"price_ticks": 201}),
    ],
)
def test_what_is_wrong_with_one_refuses_both_with_one_answer(scripted, alice, faulty, code, change):
    terms = [{"lots": 10, "price_ticks": 95}, {"lots": 10, "price_ticks": 96}]
    terms[faulty] |= change
    rests, waits = (alice.order(**each) for each in terms)
    asked = pair(rests, stop(waits, at=105))
    before, seen = alice.risk.machine.dump() | {"seq": 0}, len(alice.risk.events)

    answer = scripted.asks(asked)

    blamed = (rests, waits)[faulty].client_id
    assert isinstance(answer, OrderRefusal)
    assert (answer.code, answer.client_id) == (code, blamed)
    (event,) = alice.risk.events[seen:]
    assert isinstance(event, OrderRefused)
    assert (event.code, event.client_id) == (code, blamed)
    assert alice.risk.machine.dump() | {"seq": 0} == before


def test_the_first_ones_fault_is_told_if_both_have_one(scripted, alice):
    rests = alice.order(lots=10, price_ticks=0)
    waits = stop(alice.order(lots=10, deadline_ns=1), at=105)

    assert scripted.asks(pair(rests, waits)).code == codes.BAD_PRICE


def test_a_pair_needs_room_for_two():
    stage = ScriptedStage(msgspec.structs.replace(SMALL_MARKET, orders_per_account_max=2))
    alice = stage.trader("alice", usdt=9_000)
    stage.asks(alice.order())
    refused = stage.asks(buys(alice))
    stage.script.ends(REST)
    stage.flows()

    taken = stage.asks(buys(alice))

    assert refused.code == codes.TOO_MANY_ORDERS
    assert isinstance(taken, OrderResult)


def test_both_client_ids_count(scripted, alice, monkeypatch):
    monkeypatch.setattr(limits, "CLIENT_IDS_PER_ACCOUNT_MAX", 2)
    scripted.asks(alice.order())

    refused = scripted.asks(buys(alice))
    monkeypatch.setattr(limits, "CLIENT_IDS_PER_ACCOUNT_MAX", 3)
    taken = scripted.asks(buys(alice))

    assert refused.code == codes.TOO_MANY_CLIENT_IDS
    assert isinstance(taken, OrderResult)
    assert alice.risk.machine.accounts[alice.account].client_ids == 3


def test_a_full_partition_forgets_two_ids_or_none(scripted, alice, monkeypatch):
    monkeypatch.setattr(limits, "CLIENT_IDS_MAX", 2)
    for number in (1, 2):
        scripted.asks(alice.order(client_id=f"old{number}"))
        scripted.script.ends(1024 * number)
        scripted.flows()
        scripted.pass_time(30)
    machine = alice.risk.machine

    scripted.pass_time(5)  # The first is 65 s old, the second 35 s.
    refused = scripted.asks(buys(alice))
    kept = len(machine.clients.known)
    scripted.pass_time(30)
    taken = scripted.asks(buys(alice))

    assert (refused.code, kept) == (codes.TOO_MANY_CLIENT_IDS, 2)
    assert isinstance(taken, OrderResult)
    assert not [key for key in machine.clients.known if "old" in key]


# ── Answers ─────────────────────────────────────────────────────────────────────────────────────


def test_an_ack_is_the_first_orders(scripted, alice):
    answer = scripted.asks(buys(alice, response="ACK"))

    assert isinstance(answer, OrderAck)
    assert answer.order_id == REST


def test_a_result_is_given_once_both_first_reports_came():
    stage = ScriptedStage(admits=False)
    alice = stage.trader("alice", usdt=2_000)
    asked = buys(alice)
    stage.asks(asked)

    stage.script.lets_in(REST)
    stage.flows()
    early = stage.answers(asked)
    stage.restart(stage.risks[0])
    stage.script.lets_in(WAIT)
    stage.flows()

    assert early == []
    (answer,) = stage.answers(asked)
    assert (answer.order_id, answer.ended) == (REST, None)


@pytest.mark.parametrize(("faulty", "code"), [(REST, "would_take"), (WAIT, "other_leg")])
def test_a_refusal_of_the_book_ends_both_and_tells_the_first_orders_code(faulty, code):
    stage = ScriptedStage(admits=False)
    alice = stage.trader("alice", usdt=2_000)
    asked = buys(alice)
    stage.asks(asked)

    stage.script.refuses(faulty, "would_take")
    stage.flows()

    (answer,) = stage.answers(asked)
    assert (answer.order_id, answer.ended, answer.code) == (REST, "refused", code)
    assert alice.held() == 0
    assert not alice.risk.machine.orders


def test_a_repeat_of_the_pair_is_answered_as_it_was_first(scripted, alice):
    def again(**terms):
        rests = alice.order(lots=10, price_ticks=95, client_id="rests", **terms)
        waits = alice.order(lots=10, price_ticks=110, client_id="waits")
        return scripted.asks(pair(rests, stop(waits, at=105)))

    first, second = again(), again()
    ack = again(response="ACK")
    scripted.script.ends(WAIT)
    scripted.flows()
    scripted.restart(scripted.risks[0])
    later = again(deadline_ns=1)

    replies = [msgspec.structs.replace(reply, request=0) for reply in (first, second, later)]
    assert replies[0] == replies[1] == replies[2]
    assert ack.order_id == REST
    assert alice.risk.machine.orders_made == 2


def test_repeats_wait_together_for_both_first_reports():
    stage = ScriptedStage(admits=False)
    alice = stage.trader("alice", usdt=2_000)
    legs = {"lots": 10, "price_ticks": 95}
    asked = [
        pair(alice.order(client_id="a", **legs), stop(alice.order(client_id="b", **legs), at=105))
        for _ in range(limits.WAITING_MAX + 1)
    ]
    stage.asks(*asked)

    stage.script.lets_in(REST)
    stage.script.lets_in(WAIT)
    stage.flows()

    answers = [stage.answers(each) for each in asked]
    assert [type(answer) for (answer,) in answers[:64]] == [OrderResult] * 64
    assert answers[64][0].code == codes.UNDECIDED


def test_the_ids_of_a_pair_name_nothing_else(scripted, alice):
    """Not one of its orders alone, not another pair, not the same two the other way round."""
    rests = alice.order(lots=10, price_ticks=95, client_id="rests")
    waits = stop(alice.order(lots=10, price_ticks=110, client_id="waits"), at=105)
    scripted.asks(pair(rests, waits))
    new = msgspec.structs.replace(rests, client_id="new")

    def fresh(order):
        return msgspec.structs.replace(order, request=scripted.next_request())

    others = [
        fresh(rests),
        extra(fresh(rests)),
        pair(fresh(rests), stop(alice.order(lots=10, price_ticks=110), at=105)),
        pair(fresh(new), waits),
        pair(fresh(rests), stop(waits.order, at=106)),
        pair(stop(fresh(waits.order), at=105), rests),
    ]

    answers = [scripted.asks(other) for other in others]
    assert [answer.code for answer in answers] == [codes.CLIENT_ID_REUSED] * len(others)


def test_a_derived_id_is_refused_when_it_comes_again(scripted, alice):
    ids = [{"client_id": "d1", "derived": True}, {"client_id": "d2", "derived": True}]
    asked = [pair(alice.order(**ids[0]), stop(alice.order(**ids[1]), at=105)) for _ in range(2)]

    first, again = (scripted.asks(each) for each in asked)

    assert isinstance(first, OrderResult)
    assert again.code == codes.CLIENT_ID_REPEATED
