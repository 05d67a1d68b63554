"""Amends, cancel-replaces and dead man's switches at the edge: what goes out, what is answered."""

from __future__ import annotations

from apps.risk.contracts.commands import AmendOrder, PlaceOrder
from apps.risk.contracts.replies import OrderRefusal
from matching_worker.contracts.from_book import CancelDone, CanceledOrder, CancelRefused
from matching_worker.contracts.to_book import CancelAfter, CancelOrders
from tests.orders.dialect_cases import LIMIT

REPLACE = LIMIT | {"cancelReplaceMode": "STOP_ON_FAILURE", "cancelOrderId": "2048"}


def canceled(command: CancelOrders) -> CancelDone:
    order = CanceledOrder(2048, "old-1", "B", "L", "GTC", False, 5_000_000, 10_000, 0, 0)
    return CancelDone(command.request, 5, 1_000_000, [order], 0)


def not_funded(command: PlaceOrder) -> OrderRefusal:
    return OrderRefusal(command.request, command.client_id, 6, "insufficient_funds")


async def test_an_amend_asks_the_partition_for_less_of_an_order(alice, postbox):
    answer = await alice.asks(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=2048, newQty="0.25"
    )

    assert answer.status_code == 200, answer.content
    ((worker, kind, command),) = postbox.sent
    assert (worker, kind) == ("risk:0", "commands")
    assert isinstance(command, AmendOrder)
    assert (command.order_id, command.client_id, command.lots) == (2048, "", 25_000)
    body = answer.json()
    assert body["amendedOrder"]["qty"] == "0.25000"
    assert {"executionId", "transactTime", "engine", "engineSeq", "journalHash"} <= set(body)


async def test_an_amended_order_keeps_its_client_id(alice, postbox):
    named = {"symbol": "BTCUSDT", "origClientOrderId": "mine", "newQty": "0.25"}

    same = await alice.asks("PUT", "order/amend/keepPriority", **named, newClientOrderId="mine")
    other = await alice.asks("PUT", "order/amend/keepPriority", **named, newClientOrderId="new")

    assert same.status_code == 200
    assert same.json()["amendedOrder"]["clientOrderId"] == "mine"
    assert other.json()["code"] == -1106
    assert len(postbox.sent) == 1


async def test_only_less_is_an_amend(alice, postbox):
    postbox.says[AmendOrder] = lambda command: OrderRefusal(command.request, "", 1, "not_smaller")

    answer = await alice.asks(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=2048, newQty="9"
    )

    assert answer.json() == {
        "code": -2038,
        "msg": "Order amend (quantity increase) is not supported.",
    }


async def test_a_cancel_replace_cancels_first_and_then_places(alice, postbox):
    postbox.says[CancelOrders] = canceled

    answer = await alice.asks("POST", "order/cancelReplace", **REPLACE, newClientOrderId="new-1")

    body = answer.json()
    assert answer.status_code == 200, body
    assert (body["cancelResult"], body["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert body["cancelResponse"]["origClientOrderId"] == "old-1"
    assert body["newOrderResponse"]["clientOrderId"] == "new-1"
    assert [type(command) for command in postbox.commands] == [CancelOrders, PlaceOrder]


async def test_nothing_is_placed_where_nothing_was_canceled(alice, postbox):
    answer = await alice.asks("POST", "order/cancelReplace", **REPLACE)

    body = answer.json()
    assert (answer.status_code, body["code"]) == (400, -2022)
    assert body["data"] == {
        "cancelResult": "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED",
        "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
        "newOrderResponse": None,
    }
    assert postbox.orders == []


async def test_who_allows_failure_gets_the_new_order_anyway(alice, postbox):
    allows = REPLACE | {"cancelReplaceMode": "ALLOW_FAILURE"}

    answer = await alice.asks("POST", "order/cancelReplace", **allows)

    data = answer.json()["data"]
    assert (answer.status_code, answer.json()["code"]) == (409, -2021)
    assert (data["cancelResult"], data["newOrderResult"]) == ("FAILURE", "SUCCESS")
    assert len(postbox.orders) == 1


async def test_a_canceled_order_without_its_successor_is_told_as_such(alice, postbox):
    postbox.says = {CancelOrders: canceled, PlaceOrder: not_funded}

    answer = await alice.asks("POST", "order/cancelReplace", **REPLACE)

    data = answer.json()["data"]
    assert (answer.status_code, answer.json()["code"]) == (409, -2021)
    assert (data["cancelResult"], data["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert data["newOrderResponse"]["code"] == -2010


async def test_when_both_halves_fail_both_reasons_are_told(alice, postbox):
    postbox.says[PlaceOrder] = not_funded
    allows = REPLACE | {"cancelReplaceMode": "ALLOW_FAILURE"}

    answer = await alice.asks("POST", "order/cancelReplace", **allows)

    assert (answer.status_code, answer.json()["code"]) == (400, -2022)
    assert answer.json()["data"]["newOrderResult"] == "FAILURE"


async def test_a_new_order_of_bad_form_cancels_nothing(alice, postbox):
    bad = {"price": "50000.001"}, {"cancelReplaceMode": "MAYBE"}, {"cancelOrderId": "0"}

    codes = [
        (await alice.asks("POST", "order/cancelReplace", **(REPLACE | change))).json()["code"]
        for change in bad
    ]

    assert codes == [-1013, -1130, -1100]
    assert postbox.sent == []


async def test_a_dead_mans_switch_goes_to_the_markets_book(alice, postbox):
    answer = await alice.asks(
        "POST", "/api/v1/cancelAllAfter", symbol="BTCUSDT", countdownTime=10_000
    )

    ((worker, kind, command),) = postbox.sent
    assert (worker, kind) == ("book:BTC-USDT", "cancels")
    assert isinstance(command, CancelAfter)
    assert (command.account, command.delay_ns) == (alice.account, 10_000_000_000)
    body = answer.json()
    assert (body["symbol"], body["countdownTime"]) == ("BTCUSDT", "10000")
    assert body["cancelTime"] > 1_700_000_000_000


async def test_a_dead_mans_switch_is_taken_back_by_nothing(alice, postbox):
    answer = await alice.asks("POST", "/api/v1/cancelAllAfter", symbol="BTCUSDT", countdownTime=0)

    assert answer.json()["cancelTime"] == 0


async def test_a_dead_mans_switch_stands_for_a_day_at_most(alice, postbox):
    longer = await alice.asks(
        "POST", "/api/v1/cancelAllAfter", symbol="BTCUSDT", countdownTime=86_400_001
    )
    postbox.says[CancelAfter] = lambda command: CancelRefused(command.request, 1, "undecided")
    full = await alice.asks("POST", "/api/v1/cancelAllAfter", symbol="BTCUSDT", countdownTime=1)

    assert longer.json()["code"] == -1130
    assert full.json()["code"] == -1007
