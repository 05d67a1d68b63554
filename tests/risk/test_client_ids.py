"""The client names the request: one order each, however often the request comes."""

import pytest

from apps.risk.contracts.replies import OrderAck, OrderRefusal, OrderResult
from apps.risk.engine import limits


def orders_made(stage) -> int:
    return stage.risks[0].machine.orders_made


def without_request(answer):
    """An answer as the client sees it: the request number is between edge and partition."""
    fields = {name: getattr(answer, name) for name in answer.__struct_fields__}
    return fields | {"request": 0}


def test_a_repeat_with_the_same_terms_gets_the_first_answer_and_no_second_order(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=1)
    bob.sells(lots=1, at=99)
    first = alice.buys(lots=2, at=100, client_id="mine")

    again = alice.buys(lots=2, at=100, client_id="mine", deadline_ns=stage.now_ns + 1)

    assert isinstance(again, OrderResult)
    assert without_request(again) == without_request(first)
    assert alice.held() == 100
    assert orders_made(stage) == 2


def test_a_repeat_gets_the_first_answer_even_after_the_order_filled_and_ended(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", btc=2)
    first = alice.buys(lots=2, at=100, client_id="mine")
    bob.sells(lots=2, at=100)
    stage.restart(stage.risks[0])

    again = alice.buys(lots=2, at=100, client_id="mine")
    as_ack = alice.buys(lots=2, at=100, client_id="mine", response="ACK")

    assert first.filled_lots == 0
    assert without_request(again) == without_request(first)
    assert (as_ack.order_id, as_ack.at_ns) == (first.order_id, first.at_ns)


@pytest.mark.parametrize(
    "other",
    [
        {"lots": 3},
        {"price_ticks": 99},
        {"side": "S"},
        {"time_in_force": "IOC"},
        {"post_only": True},
        {"kind": "M", "price_ticks": 0, "time_in_force": "IOC"},
        {"kind": "M", "price_ticks": 0, "lots": 0, "quote_budget": 200},
        {"market": "ETH-USDT"},
    ],
)
@pytest.mark.parametrize("ended", [False, True])
def test_the_same_id_with_other_terms_is_refused(stage, other, ended):
    alice = stage.trader("alice", usdt=500)
    alice.buys(lots=2, at=100, client_id="mine")
    if ended:
        alice.cancels("mine")
    held = alice.held()

    answer = alice.places(**({"lots": 2, "client_id": "mine"} | other))

    assert isinstance(answer, OrderRefusal)
    assert answer.code == "client_id_reused"
    assert alice.held() == held
    assert orders_made(stage) == 1


def test_fifty_equal_requests_at_once_make_one_order_and_fifty_equal_answers(stage):
    alice, bob = stage.trader("alice", usdt=50_000), stage.trader("bob", btc=1)
    bob.sells(lots=1, at=99)
    requests = [alice.order(lots=2, client_id="mine") for _ in range(50)]

    answers = alice.sends(*requests)

    assert len({str(without_request(answer)) for answer in answers}) == 1
    assert [answer.request for answer in answers] == [order.request for order in requests]
    assert answers[0].filled_lots == 1
    assert orders_made(stage) == 2
    assert alice.held() == 100


def test_more_than_64_who_wait_for_one_answer_are_told_that_it_is_undecided(stage):
    alice = stage.trader("alice", usdt=500)
    requests = [alice.order(client_id="mine") for _ in range(limits.WAITING_MAX + 2)]

    answers = alice.sends(*requests)

    assert [type(answer) for answer in answers[:64]] == [OrderResult] * 64
    assert [answer.code for answer in answers[64:]] == ["undecided", "undecided"]
    assert orders_made(stage) == 1


def test_an_ack_repeats_while_the_order_is_undecided(stage):
    alice = stage.trader("alice", usdt=500)
    first = alice.order(client_id="mine", response="ACK")
    again = alice.order(client_id="mine", response="ACK")
    stage.ask(alice.risk, [first])
    stage.step(stage.risks[0])
    stage.ask(alice.risk, [again])
    stage.step(stage.risks[0])

    (one,), (two,) = stage.replies[first.request], stage.replies[again.request]

    assert isinstance(one, OrderAck)
    assert without_request(one) == without_request(two)


def test_a_derived_id_is_refused_when_it_comes_again(stage):
    alice = stage.trader("alice", usdt=500)
    first = alice.buys(lots=1, at=100, client_id="d1", derived=True)

    again = alice.buys(lots=1, at=100, client_id="d1", derived=True)

    assert isinstance(first, OrderResult)
    assert again.code == "client_id_repeated"
    assert alice.held() == 100


def test_a_derived_id_is_kept_only_as_long_as_its_request_can_come_again(stage, monkeypatch):
    monkeypatch.setattr(limits, "CLIENT_IDS_PER_ACCOUNT_MAX", 2)
    alice = stage.trader("alice", usdt=500)
    for name in ("d1", "d2"):
        alice.buys(lots=1, at=100, client_id=name, derived=True)
        alice.cancels(name)

    stage.pass_time(120)
    too_many = alice.buys(lots=1, at=100, client_id="d3", derived=True)
    known = alice.buys(lots=1, at=100, client_id="d1", derived=True)
    stage.pass_time(1)
    taken = alice.buys(lots=1, at=100, client_id="d3", derived=True)

    assert too_many.code == "too_many_client_ids"
    assert known.code == "client_id_repeated"
    assert isinstance(taken, OrderResult)
    stage.risks[0].machine.check()


def test_a_refused_order_leaves_its_id_free(stage):
    alice = stage.trader("alice", usdt=50)
    refused = alice.buys(lots=1, at=100, client_id="mine")
    alice.deposits(50, "USDT")

    taken = alice.buys(lots=1, at=100, client_id="mine")

    assert refused.code == "insufficient_funds"
    assert isinstance(taken, OrderResult)


def test_a_repeat_is_answered_even_when_a_new_order_would_be_refused(stage):
    from apps.risk.contracts.commands import AccountFreeze

    alice = stage.trader("alice", usdt=500)
    first = alice.buys(lots=1, at=100, client_id="mine")
    stage.does(alice.risk, AccountFreeze(alice.account, frozen=True, reason="a court asked"))

    again = alice.buys(lots=1, at=100, client_id="mine", deadline_ns=1)

    assert without_request(again) == without_request(first)


def test_two_accounts_may_use_one_id(stage):
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", usdt=500)

    one = alice.buys(lots=1, at=100, client_id="mine")
    two = bob.buys(lots=1, at=100, client_id="mine")

    assert one.order_id != two.order_id


def test_an_id_is_free_again_24_hours_after_its_order_ended(stage):
    alice = stage.trader("alice", usdt=500)
    first = alice.buys(lots=1, at=100, client_id="mine")
    alice.cancels("mine")

    stage.pass_time(24 * 3600)
    still_known = alice.buys(lots=2, at=100, client_id="mine")
    stage.pass_time(1)
    taken = alice.buys(lots=2, at=100, client_id="mine")

    assert still_known.code == "client_id_reused"
    assert isinstance(taken, OrderResult)
    assert taken.order_id != first.order_id


def test_an_open_order_keeps_its_id_for_ever(stage):
    alice = stage.trader("alice", usdt=500)
    first = alice.buys(lots=1, at=100, client_id="mine")

    stage.pass_time(30 * 24 * 3600)
    again = alice.buys(lots=1, at=100, client_id="mine")

    assert again.order_id == first.order_id


def test_an_account_with_too_many_ids_waits_until_old_ones_age(stage, monkeypatch):
    monkeypatch.setattr(limits, "CLIENT_IDS_PER_ACCOUNT_MAX", 3)
    alice, bob = stage.trader("alice", usdt=500), stage.trader("bob", usdt=500)
    for number in range(3):
        alice.buys(lots=1, at=100, client_id=f"a{number}")
        alice.cancels(f"a{number}")

    refused = alice.buys(lots=1, at=100, client_id="a3")
    of_another = bob.buys(lots=1, at=100)
    stage.pass_time(24 * 3600 + 1)
    taken = alice.buys(lots=1, at=100, client_id="a3")

    assert refused.code == "too_many_client_ids"
    assert isinstance(of_another, OrderResult)
    assert isinstance(taken, OrderResult)


def test_a_full_partition_forgets_its_oldest_ended_ids_but_none_under_a_minute(stage, monkeypatch):
    monkeypatch.setattr(limits, "CLIENT_IDS_MAX", 3)
    alice = stage.trader("alice", usdt=500)
    for number in range(3):
        alice.buys(lots=1, at=100, client_id=f"a{number}")
        alice.cancels(f"a{number}")
        stage.pass_time(1)

    too_young = alice.buys(lots=1, at=100, client_id="a3")
    stage.pass_time(60)
    taken = alice.buys(lots=1, at=100, client_id="a3")

    assert too_young.code == "too_many_client_ids"
    assert isinstance(taken, OrderResult)
    known = stage.risks[0].machine.clients.known
    assert sorted(key.partition("/")[2] for key in known) == ["a1", "a2", "a3"]


def test_a_refused_order_pushes_nobody_out_of_a_full_partition(stage, monkeypatch):
    monkeypatch.setattr(limits, "CLIENT_IDS_MAX", 1)
    alice = stage.trader("alice", usdt=500)
    alice.buys(lots=1, at=100, client_id="a0")
    alice.cancels("a0")
    stage.pass_time(61)

    refused = alice.buys(lots=6, at=100, client_id="a1")

    assert refused.code == "insufficient_funds"
    assert len(stage.risks[0].machine.clients.known) == 1


def test_an_ended_order_costs_few_bytes(stage):
    alice = stage.trader("alice", usdt=500)
    alice.buys(lots=1, at=100, client_id="x" * 36)
    alice.cancels("x" * 36)

    (kept,) = stage.risks[0].machine.clients.known.values()

    assert isinstance(kept, bytes)
    assert len(kept) < 150
