"""What an order may look like, and which refusal each mistake earns."""

import pytest

from apps.orders.dialect import endpoints, params, tickets
from apps.orders.dialect.refusals import DialectRefusal
from tests.orders.dialect_cases import CATALOGUE, LIMIT, MARKET, changed, query_of


def ticket(order: dict[str, str]) -> tickets.Ticket:
    read = params.parse(query_of(order), b"")
    read.check_known(endpoints.NEW_ORDER)
    return tickets.ticket_of(read, CATALOGUE)


def refusal(order: dict[str, str]) -> DialectRefusal:
    with pytest.raises(DialectRefusal) as refused:
        ticket(order)
    return refused.value


def test_a_limit_order_is_read_in_ticks_and_lots():
    order = ticket(LIMIT)

    assert (order.kind, order.side, order.time_in_force) == ("L", "B", "GTC")
    assert (order.price_ticks, order.lots, order.quote_budget) == (5_000_001, 50_000, 0)
    assert (order.response, order.post_only, order.client_id) == ("FULL", False, "")


def test_a_post_only_order_answers_ack_unless_asked_otherwise():
    maker = changed(LIMIT, type="LIMIT_MAKER", timeInForce=None)

    assert (ticket(maker).post_only, ticket(maker).response) == (True, "ACK")
    assert ticket(changed(maker, newOrderRespType="RESULT")).response == "RESULT"


def test_a_market_order_names_its_size_or_its_budget():
    by_size = ticket(MARKET)
    by_budget = ticket(changed(MARKET, quantity=None, quoteOrderQty="25.5"))

    assert (by_size.kind, by_size.lots, by_size.quote_budget) == ("M", 12_500, 0)
    assert (by_budget.lots, by_budget.quote_budget) == (0, 2_550_000_000)


@pytest.mark.parametrize("text", ["50000.01", "50000.010", "050000.01", "50000.01000000000000"])
def test_equal_numbers_are_the_same_price(text):
    assert ticket(changed(LIMIT, price=text)).price_ticks == 5_000_001


@pytest.mark.parametrize(
    ("changes", "number", "text"),
    [
        ({"symbol": None}, -1102, "Mandatory parameter 'symbol'"),
        ({"symbol": ""}, -1105, "Parameter 'symbol' was empty."),
        ({"symbol": "BTC-USD"}, -1121, "Invalid symbol."),
        ({"symbol": "btcusdt"}, -1100, "Illegal characters found in parameter 'symbol'"),
        ({"symbol": "BTC USDT"}, -1100, "legal range is '^[A-Z0-9-_.]{1,20}$'"),
        ({"side": None}, -1102, "Mandatory parameter 'side'"),
        ({"side": "HOLD"}, -1117, "Invalid side."),
        ({"side": "buy"}, -1117, "Invalid side."),
        ({"type": None}, -1102, "Mandatory parameter 'type'"),
        ({"type": "STOP"}, -1116, "Invalid orderType."),
        ({"timeInForce": None}, -1102, "Mandatory parameter 'timeInForce'"),
        ({"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
        ({"quantity": None}, -1102, "Mandatory parameter 'quantity'"),
        ({"price": None}, -1102, "Mandatory parameter 'price'"),
        ({"price": "1e5"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"price": "-1"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"price": "NaN"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"price": "٥٠٠٠٠"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"price": "50000\n"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"price": ".5"}, -1100, "Illegal characters found in parameter 'price'"),
        ({"quantity": "1" * 21}, -1100, "Illegal characters found in parameter 'quantity'"),
        ({"price": "50000.000000001"}, -1111, "Parameter 'price' has too much precision."),
        ({"quantity": "0.000000001"}, -1111, "Parameter 'quantity' has too much precision."),
        ({"price": "50000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "0"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"price": "9" * 20}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "0"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.000001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "9000.00001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": "0.00009"}, -1013, "Filter failure: NOTIONAL"),
        ({"quoteOrderQty": "100"}, -1106, "Parameter 'quoteOrderQty' sent when not required."),
        ({"stopPrice": "1"}, -1106, "Parameter 'stopPrice' sent when not required."),
        ({"icebergQty": "1"}, -2010, "Iceberg orders are not supported for this symbol."),
        ({"trailingDelta": "1"}, -1106, "Parameter 'trailingDelta' sent when not required."),
        ({"newClientOrderId": ""}, -1105, "Parameter 'newClientOrderId' was empty."),
        ({"newClientOrderId": "a" * 37}, -1100, "parameter 'newClientOrderId'; legal range"),
        ({"newClientOrderId": "a b"}, -1100, "parameter 'newClientOrderId'; legal range"),
        ({"newOrderRespType": "ALL"}, -1130, "Data sent for parameter 'newOrderRespType'"),
        ({"selfTradePreventionMode": "DECREMENT"}, -1130, "'selfTradePreventionMode'"),
        ({"strategyId": "x"}, -1100, "Illegal characters found in parameter 'strategyId'"),
        ({"leverage": "20"}, -1104, "read '6' parameter(s) but was sent '7'"),
        ({"user_id": "1", "fee_tier": "6"}, -1104, "read '6' parameter(s) but was sent '8'"),
    ],
)
def test_a_limit_order_with_one_mistake_is_told_which(changes, number, text):
    refused = refusal(changed(LIMIT, **changes))

    assert refused.number == number
    assert text in refused.message
    assert refused.http_status == 400


@pytest.mark.parametrize(
    ("changes", "number", "text"),
    [
        ({"quantity": None}, -1102, "Param 'quantity' or 'quoteOrderQty' must be sent"),
        ({"quoteOrderQty": "100"}, -1128, "Combination of optional parameters invalid."),
        ({"timeInForce": "GTC"}, -1106, "Parameter 'timeInForce' sent when not required."),
        ({"price": "3000"}, -1106, "Parameter 'price' sent when not required."),
        ({"quantity": None, "quoteOrderQty": "4.99"}, -1013, "Filter failure: NOTIONAL"),
        ({"quantity": None, "quoteOrderQty": "0.000000001"}, -1111, "'quoteOrderQty'"),
        ({"quantity": "0.00001"}, -1013, "Filter failure: LOT_SIZE"),
        ({"quantity": None, "quoteOrderQty": "50", "side": "SELL"}, -2010, "names its quantity"),
    ],
)
def test_a_market_order_with_one_mistake_is_told_which(changes, number, text):
    refused = refusal(changed(MARKET, **changes))

    assert refused.number == number
    assert text in refused.message


def test_an_order_is_named_by_its_number_or_its_client_id():
    def named(**sent: str) -> tuple[int, str]:
        return tickets.order_named(params.parse(query_of(sent), b""))

    assert named(orderId="77") == (77, "")
    assert named(origClientOrderId="mine-1") == (0, "mine-1")
    for wrong, number in (
        ({}, -1102),
        ({"orderId": "-1"}, -1100),
        ({"orderId": "0"}, -1100),
        ({"orderId": "9" * 20}, -1130),
        ({"origClientOrderId": "'; DROP"}, -1100),
    ):
        with pytest.raises(DialectRefusal) as refused:
            named(**wrong)
        assert refused.value.number == number
