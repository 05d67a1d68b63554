"""Lists and batches at the edge: what goes out, what is answered, what earns which refusal."""

from __future__ import annotations

import json

import pytest

from apps.orders.dialect import endpoints, lists, params
from apps.orders.dialect.refusals import DialectRefusal
from apps.risk.contracts.commands import PlaceExtra, PlacePair
from matching_worker.contracts.from_book import CancelDone, CanceledOrder
from matching_worker.contracts.to_book import CancelOrders, OrderExtras
from tests.orders.conftest import result
from tests.orders.dialect_cases import CATALOGUE, LIMIT, changed, query_of

OLD = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.5",
    "price": "52000",
    "stopPrice": "49000",
    "stopLimitPrice": "48900",
    "stopLimitTimeInForce": "GTC",
}
NEW = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.5",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "52000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "49000",
}


def pair(order: dict[str, str]) -> lists.PairTicket:
    is_new = any(name.startswith(("above", "below")) for name in order)
    read = params.parse(query_of(order), b"")
    read.check_known(endpoints.NEW_OCO if is_new else endpoints.OLD_OCO)
    return (lists.pair_of if is_new else lists.old_pair_of)(read, CATALOGUE)


def refusal(order: dict[str, str]) -> DialectRefusal:
    with pytest.raises(DialectRefusal) as refused:
        pair(order)
    return refused.value


def test_both_forms_name_a_post_only_order_and_an_order_with_a_trigger():
    old, new = pair(OLD), pair(NEW)

    for read in (old, new):
        assert (read.limit.post_only, read.limit.price_ticks) == (True, 5_200_000)
        assert read.stop.extras == OrderExtras(trigger="stop", trigger_ticks=4_900_000)
        assert read.stop.lots == read.limit.lots == 50_000
    assert (old.stop.kind, old.stop.price_ticks) == ("L", 4_890_000)
    assert (new.stop.kind, new.stop.price_ticks) == ("M", 0)


def test_a_buying_list_has_its_stop_above():
    buying = {
        **changed(NEW, side="BUY", aboveType="STOP_LOSS_LIMIT", belowType="LIMIT_MAKER"),
        "aboveStopPrice": "52000",
        "aboveTimeInForce": "GTC",
        "belowPrice": "49000",
    }
    read = pair(changed(buying, belowStopPrice=None))

    assert (read.stop.extras.trigger_ticks, read.limit.price_ticks) == (5_200_000, 4_900_000)


def test_the_stop_of_a_list_may_trail_and_may_follow_the_mark():
    trailing = pair(changed(NEW, belowStopPrice=None, belowTrailingDelta="100"))
    marked = pair(NEW | {"workingType": "MARK_PRICE"})

    assert trailing.stop.extras.trail_ppm == 10_000
    assert marked.stop.extras.trigger_by == "mark"


@pytest.mark.parametrize(
    ("order", "changes", "number", "text"),
    [
        (OLD, {"quantity": None}, -1102, "'quantity'"),
        (OLD, {"price": None}, -1102, "'price'"),
        (OLD, {"stopPrice": None}, -1102, "'stopPrice' or 'trailingDelta'"),
        (OLD, {"stopLimitPrice": None}, -1106, "'stopLimitTimeInForce' sent when not required"),
        (OLD, {"stopLimitTimeInForce": None}, -1102, "'stopLimitTimeInForce'"),
        (OLD, {"stopLimitTimeInForce": "GTD"}, -1115, "Invalid timeInForce."),
        (OLD, {"stopPrice": "53000"}, -2010, "relationship of the prices"),
        (OLD, {"side": "BUY"}, -2010, "relationship of the prices"),
        (OLD, {"stopIcebergQty": "0.1"}, -2010, "Iceberg orders are not supported"),
        (OLD, {"stopClientOrderId": "a", "limitClientOrderId": "a"}, -2010, "Duplicate order"),
        (OLD, {"type": "LIMIT"}, -1104, "Not all sent parameters were read"),
        (NEW, {"aboveType": None}, -1102, "'aboveType'"),
        (NEW, {"abovePrice": None}, -1102, "'abovePrice'"),
        (NEW, {"abovePrice": "52000.001"}, -1013, "PRICE_FILTER"),
        (NEW, {"abovePrice": "x"}, -1100, "'abovePrice'"),
        (NEW, {"belowStopPrice": None}, -1102, "'belowStopPrice' or 'belowTrailingDelta'"),
        (NEW, {"aboveStopPrice": "1"}, -1106, "'aboveStopPrice' sent when not required"),
        (NEW, {"side": "BUY"}, -2010, "Unsupported order combination."),
        (NEW, {"belowType": "TAKE_PROFIT"}, -2010, "Unsupported order combination."),
        (NEW, {"belowType": "LIMIT_MAKER"}, -2010, "Unsupported order combination."),
        (NEW, {"symbol": "NOUSDT"}, -1121, "Invalid symbol."),
    ],
)
def test_a_list_with_one_mistake_is_told_which(order, changes, number, text):
    refused = refusal(changed(order, **changes))

    assert (refused.number, text in refused.message) == (number, True), refused.message


def test_a_lists_name_gives_its_orders_theirs_and_they_tell_it():
    names = lists.order_names(pair(NEW), "take-or-stop")

    assert names == ("take-or-stop.1", "take-or-stop.2")
    assert lists.name_of(*names) == "take-or-stop"
    assert lists.name_of("mine", "yours") == "mine"


async def test_a_list_goes_out_as_one_command_and_both_orders_are_answered(alice, postbox):
    answer = await alice.asks("POST", "orderList/oco", **NEW, listClientOrderId="both")

    body = answer.json()
    assert answer.status_code == 200, body
    ((worker, kind, command),) = postbox.sent
    assert (worker, kind) == ("risk:0", "commands")
    assert isinstance(command, PlacePair)
    assert (command.first.extras.trigger, command.second.extras.trigger) == ("stop", "")
    assert command.second.order.request == 0
    number = body["orderListId"]
    assert [row["orderId"] for row in body["orders"]] == [number, number + 1024]
    assert [row["clientOrderId"] for row in body["orders"]] == ["both.1", "both.2"]
    assert (body["contingencyType"], body["listOrderStatus"]) == ("OCO", "EXECUTING")
    stop, limit = body["orderReports"]
    assert (stop["type"], stop["workingTime"], stop["stopPrice"]) == ("STOP_LOSS", -1, "49000.00")
    assert (limit["type"], limit["orderListId"], limit["price"]) == (
        "LIMIT_MAKER",
        number,
        "52000.00",
    )
    assert answer["X-MBX-ORDER-COUNT-10S"] == "2"


async def test_the_older_form_goes_out_alike(alice, postbox):
    answer = await alice.asks("POST", "order/oco", **OLD)

    (command,) = postbox.commands
    assert answer.json()["listClientOrderId"] + ".1" == command.first.order.client_id
    assert command.first.order.derived


async def test_the_exact_repeat_of_a_list_names_the_same_orders(alice, postbox):
    query = alice.query(**NEW)

    await alice.send("POST", "orderList/oco", query)
    await alice.send("POST", "orderList/oco", query)

    first, second = postbox.commands
    assert first.first.order.client_id == second.first.order.client_id


async def test_a_list_that_the_book_refuses_is_not_placed(alice, postbox):
    postbox.says[PlacePair] = lambda command: result(
        command.first.order.request, 1024, "x", ended="refused", code="would_trigger"
    )

    answer = await alice.asks("POST", "orderList/oco", **NEW)

    assert answer.json() == {"code": -2010, "msg": "Stop price would trigger immediately."}


async def test_a_list_is_canceled_by_its_number_or_by_its_name(alice, postbox):
    def both(command: CancelOrders) -> CancelDone:
        legs = [(2048, "both.1"), (3072, "both.2")]
        orders = [
            CanceledOrder(number, name, "S", "L", "GTC", False, 5_000_000, 10_000, 0, 0)
            for number, name in legs
        ]
        return CancelDone(command.request, 5, 7_000_000, orders[::-1], 0)

    postbox.says[CancelOrders] = both

    by_number = await alice.asks("DELETE", "orderList", symbol="BTCUSDT", orderListId=2048)
    by_name = await alice.asks("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="both")

    assert [(c.order_id, c.client_id) for c in postbox.commands] == [(2048, ""), (0, "both.1")]
    for answer in (by_number, by_name):
        body = answer.json()
        assert (body["orderListId"], body["listClientOrderId"]) == (2048, "both")
        assert (body["listStatusType"], body["transactionTime"]) == ("ALL_DONE", 7)
        assert [report["status"] for report in body["orderReports"]] == ["CANCELED"] * 2


async def test_each_order_of_a_batch_is_answered_by_itself(alice, postbox):
    orders = [
        LIMIT | {"newClientOrderId": "one"},
        LIMIT | {"price": "0.001"},
        "nonsense",
        LIMIT | {"type": "STOP_LOSS_LIMIT", "stopPrice": "50010"},
    ]

    answer = await alice.asks("POST", "/api/v1/orders/batch", batchOrders=json.dumps(orders))

    assert answer.status_code == 200, answer.content
    one, bad_price, no_order, stop = answer.json()
    assert one["clientOrderId"] == "one"
    assert (bad_price["code"], no_order["code"]) == (-1013, -1130)
    assert "orderId" in stop
    assert [type(command).__name__ for command in postbox.commands] == ["PlaceOrder", "PlaceExtra"]
    assert answer["X-MBX-ORDER-COUNT-10S"] == "4"
    assert answer["X-MBX-USED-WEIGHT-1M"] == "4"


async def test_orders_of_one_batch_without_names_get_different_ones(alice, postbox):
    query = alice.query(batchOrders=json.dumps([LIMIT, LIMIT]))

    await alice.send("POST", "/api/v1/orders/batch", query)
    await alice.send("POST", "/api/v1/orders/batch", query)

    names = [order.client_id for order in postbox.orders]
    assert len(set(names)) == 2
    assert names[:2] == names[2:], "the exact repeat names the same orders"


@pytest.mark.parametrize("orders", ["", "[]", "{}", "[" * 5_000, json.dumps([LIMIT] * 11)])
async def test_a_batch_is_a_list_of_one_to_ten_orders(alice, postbox, orders):
    answer = await alice.asks("POST", "/api/v1/orders/batch", batchOrders=orders)

    assert answer.status_code == 400
    assert postbox.sent == []


async def test_several_orders_are_canceled_at_once(alice, postbox):
    def known(command: CancelOrders) -> CancelDone:
        order = CanceledOrder(2048, "mine", "B", "L", "GTC", False, 5_000_000, 10_000, 0, 0)
        return CancelDone(command.request, 5, 1, [order], 0)

    postbox.says[CancelOrders] = known
    by_number = await alice.asks(
        "DELETE", "/api/v1/orders/batch", symbol="BTCUSDT", orderIdList="[2048,3072]"
    )
    del postbox.says[CancelOrders]
    by_name = await alice.asks(
        "DELETE", "/api/v1/orders/batch", symbol="BTCUSDT", origClientOrderIdList='["gone"]'
    )

    assert [row["status"] for row in by_number.json()] == ["CANCELED", "CANCELED"]
    assert by_name.json() == [{"code": -2011, "msg": "Unknown order sent."}]
    named = [(command.order_id, command.client_id) for command in postbox.commands]
    assert named == [(2048, ""), (3072, ""), (0, "gone")]


def test_a_leg_of_a_list_is_an_extra_order():
    read = pair(NEW).limit
    plain = read.order(request=1, account=1024, client_id="x", derived=False, deadline_ns=1)

    assert PlaceExtra(order=plain, extras=read.extras).extras == OrderExtras()
