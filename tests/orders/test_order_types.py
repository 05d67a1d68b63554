"""Orders with a trigger, an end or a mode: what they become, and which mistake earns what."""

import msgspec
import pytest

from apps.orders.dialect import endpoints, params, render, tickets
from apps.orders.dialect.refusals import DialectRefusal
from apps.risk.contracts.commands import PlaceExtra, PlaceOrder
from apps.risk.contracts.replies import OrderResult
from matching_worker.contracts.to_book import OrderExtras
from tests.orders.dialect_cases import CATALOGUE, LIMIT, MARKET, changed, query_of

STOP_LIMIT = changed(LIMIT, type="STOP_LOSS_LIMIT", stopPrice="50010")
STOP = changed(MARKET, type="STOP_LOSS", stopPrice="2900", side="SELL")
TRAIL = changed(STOP, stopPrice=None, trailingDelta="100")
NOW_NS = 1_800_000_000_000_000_000


def ticket(order: dict[str, str]) -> tickets.Ticket:
    read = params.parse(query_of(order), b"")
    read.check_known(endpoints.NEW_ORDER)
    return tickets.ticket_of(read, CATALOGUE, now_ns=NOW_NS)


def command(order: dict[str, str]) -> PlaceOrder | PlaceExtra:
    read = ticket(order)
    plain = read.order(request=7, account=1024, client_id="mine", derived=False, deadline_ns=1)
    return read.command(plain)


def extras(order: dict[str, str]) -> OrderExtras:
    return ticket(order).extras


def refusal(order: dict[str, str]) -> DialectRefusal:
    with pytest.raises(DialectRefusal) as refused:
        ticket(order)
    return refused.value


def test_a_plain_order_is_asked_for_as_ever():
    assert isinstance(command(LIMIT), PlaceOrder)
    assert isinstance(command(changed(LIMIT, selfTradePreventionMode="EXPIRE_TAKER")), PlaceOrder)


def test_a_stop_limit_order_waits_for_its_price():
    asked = command(STOP_LIMIT)

    assert isinstance(asked, PlaceExtra)
    assert (asked.order.kind, asked.order.price_ticks, asked.order.request) == ("L", 5_000_001, 7)
    assert asked.extras == OrderExtras(trigger="stop", trigger_ticks=5_001_000)


@pytest.mark.parametrize(
    ("kind", "order_kind", "trigger"),
    [
        ("STOP_LOSS", "M", "stop"),
        ("STOP_LOSS_LIMIT", "L", "stop"),
        ("TAKE_PROFIT", "M", "profit"),
        ("TAKE_PROFIT_LIMIT", "L", "profit"),
    ],
)
def test_every_type_with_a_trigger_is_a_market_or_a_limit_order_once_set_off(
    kind, order_kind, trigger
):
    base = STOP_LIMIT if kind.endswith("LIMIT") else STOP
    read = ticket(changed(base, type=kind))

    assert (read.kind, read.extras.trigger, read.response) == (order_kind, trigger, "ACK")


def test_a_trail_is_told_in_hundredths_of_a_percent():
    assert extras(TRAIL) == OrderExtras(trigger="stop", trail_ppm=10_000)


def test_an_order_may_be_set_off_by_the_mark():
    assert extras(changed(STOP, workingType="MARK_PRICE")).trigger_by == "mark"
    assert extras(changed(STOP, workingType="CONTRACT_PRICE")).trigger_by == "last"


@pytest.mark.parametrize(
    ("mode", "ours"),
    [("EXPIRE_TAKER", "T"), ("EXPIRE_MAKER", "M"), ("EXPIRE_BOTH", "B"), ("NONE", "N")],
)
def test_the_taker_says_what_ends_when_it_meets_itself(mode, ours):
    assert extras(changed(LIMIT, selfTradePreventionMode=mode)).self_trade == ours


def test_an_order_may_be_good_until_a_time():
    until_ms = NOW_NS // 1_000_000 + 1
    read = ticket(changed(LIMIT, timeInForce="GTD", goodTillDate=str(until_ms)))

    assert (read.time_in_force, read.extras.expires_ns) == ("GTC", until_ms * 1_000_000)


@pytest.mark.parametrize(
    ("order", "changes", "number", "text"),
    [
        (STOP, {"stopPrice": None}, -1102, "Param 'stopPrice' or 'trailingDelta' must be sent"),
        (STOP, {"trailingDelta": "100"}, -1128, "Activation prices are not offered"),
        (STOP, {"price": "3000"}, -1106, "Parameter 'price' sent when not required."),
        (STOP, {"quantity": None}, -1102, "Mandatory parameter 'quantity'"),
        (STOP, {"quoteOrderQty": "50"}, -1106, "Parameter 'quoteOrderQty' sent"),
        (STOP, {"stopPrice": "2900.001"}, -1013, "Filter failure: PRICE_FILTER"),
        (STOP, {"stopPrice": "0"}, -1013, "Filter failure: PRICE_FILTER"),
        (STOP, {"stopPrice": "-5"}, -1100, "Illegal characters found in parameter 'stopPrice'"),
        (STOP, {"workingType": "INDEX_PRICE"}, -1130, "'workingType'"),
        (TRAIL, {"trailingDelta": "9"}, -1013, "Filter failure: TRAILING_DELTA"),
        (TRAIL, {"trailingDelta": "5001"}, -1013, "Filter failure: TRAILING_DELTA"),
        (TRAIL, {"trailingDelta": "1.5"}, -1100, "'trailingDelta'"),
        (TRAIL, {"type": "TAKE_PROFIT"}, -1106, "Parameter 'trailingDelta' sent"),
        (STOP_LIMIT, {"timeInForce": None}, -1102, "Mandatory parameter 'timeInForce'"),
        (STOP_LIMIT, {"price": None}, -1102, "Mandatory parameter 'price'"),
        (STOP_LIMIT, {"icebergQty": "0.1"}, -2010, "Iceberg orders are not supported"),
        (LIMIT, {"workingType": "MARK_PRICE"}, -1106, "Parameter 'workingType' sent"),
        (LIMIT, {"timeInForce": "GTD"}, -1102, "Mandatory parameter 'goodTillDate'"),
        (LIMIT, {"goodTillDate": "1900000000000"}, -1106, "Parameter 'goodTillDate' sent"),
        (LIMIT, {"timeInForce": "GTD", "goodTillDate": "1700000000000"}, -1130, "'goodTillDate'"),
        (LIMIT, {"timeInForce": "GTD", "goodTillDate": "9" * 16}, -1130, "'goodTillDate'"),
    ],
)
def test_an_order_with_one_mistake_is_told_which(order, changes, number, text):
    refused = refusal(changed(order, **changes))

    assert refused.number == number
    assert text in refused.message


def shown(order: dict[str, str]) -> dict[str, object]:
    reply = OrderResult(1, 1024, "mine", 1, 5_000_000, 0, 0, None, "", [], "book:X", 1, bytes(32))
    return render.result(msgspec.structs.replace(ticket(order), response="RESULT"), reply)


def test_the_answer_to_a_waiting_order_says_that_it_does_not_work_yet():
    answer = shown(STOP_LIMIT)

    assert (answer["type"], answer["status"]) == ("STOP_LOSS_LIMIT", "NEW")
    assert (answer["stopPrice"], answer["workingTime"]) == ("50010.00", -1)
    assert (answer["workingType"], answer["timeInForce"]) == ("CONTRACT_PRICE", "GTC")


def test_the_answer_to_a_trail_tells_its_delta_and_no_stop_price():
    answer = shown(TRAIL)

    assert (answer["trailingDelta"], answer["trailingTime"]) == (100, 5)
    assert "stopPrice" not in answer


def test_the_answer_to_a_plain_order_names_no_trigger():
    answer = shown(changed(LIMIT, selfTradePreventionMode="NONE"))

    assert answer["selfTradePreventionMode"] == "NONE"
    assert not {"stopPrice", "trailingDelta", "workingType", "goodTillDate"} & set(answer)


def test_the_answer_names_the_time_that_an_order_is_good_till():
    answer = shown(changed(LIMIT, timeInForce="GTD", goodTillDate="1900000000000"))

    assert (answer["timeInForce"], answer["goodTillDate"]) == ("GTD", 1_900_000_000_000)
