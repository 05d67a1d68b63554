"""The same bot with orders that wait, come in pairs, shrink, or are replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.journeys.test_ccxt import SYMBOL, binance, eventually, name

pytestmark = pytest.mark.stack
SIZE = 0.001


@pytest.fixture(scope="module")
def alice(stack) -> Iterator[ccxt.binance]:
    client = binance(stack, "alice")
    client.load_markets()
    yield client
    if client.fetch_open_orders(SYMBOL):
        client.cancel_all_orders(SYMBOL)


@pytest.fixture(scope="module")
def bob(stack) -> ccxt.binance:
    client = binance(stack, "bob")
    client.load_markets()
    return client


@pytest.fixture
def last(alice, bob) -> float:
    """Let alice and bob trade, and return their price: triggers are measured from it."""
    book = alice.fetch_order_book(SYMBOL, limit=5)
    price = 50_000.00
    if book["bids"] and book["asks"]:
        price = round((book["bids"][0][0] + book["asks"][0][0]) / 2, 2)
    trade_at(alice, bob, price)
    return price


def trade_at(alice: ccxt.binance, bob: ccxt.binance, price: float) -> None:
    alice.create_order(SYMBOL, "limit", "sell", SIZE, price, name())
    assert bob.create_order(SYMBOL, "limit", "buy", SIZE, price, name())["status"] == "closed"


def near(last: float, share: float) -> float:
    return round(last * share, 2)


TYPES: dict[str, tuple[str, str, dict[str, float], float | None]] = {
    "STOP_LOSS": ("market", "sell", {"stopLossPrice": 0.97}, None),
    "STOP_LOSS_LIMIT": ("limit", "sell", {"stopLossPrice": 0.97}, 0.96),
    "TAKE_PROFIT": ("market", "sell", {"takeProfitPrice": 1.03}, None),
    "TAKE_PROFIT_LIMIT": ("limit", "sell", {"takeProfitPrice": 1.03}, 1.03),
}


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_with_a_trigger_waits_is_found_and_is_canceled(alice, last, kind):
    order_type, side, triggers, price = TYPES[kind]
    params: dict[str, Any] = {key: near(last, share) for key, share in triggers.items()}
    limit = near(last, price) if price else None

    placed = alice.create_order(SYMBOL, order_type, side, SIZE, limit, name() | params)
    found = alice.fetch_order(placed["id"], SYMBOL)
    ended = alice.cancel_order(placed["id"], SYMBOL)

    assert found["info"]["type"] == kind
    assert found["triggerPrice"] == pytest.approx(next(iter(params.values())))
    assert (found["status"], found["info"]["isWorking"]) == ("open", False)
    assert (ended["status"], ended["info"]["type"]) == ("canceled", kind)


def test_a_trail_is_told_in_percent(alice, last):
    params = name() | {"trailingPercent": "1.5", "stopLossOrTakeProfit": "stopLoss"}

    placed = alice.create_order(SYMBOL, "market", "sell", SIZE, None, params)
    found = alice.fetch_order(placed["id"], SYMBOL)
    alice.cancel_order(placed["id"], SYMBOL)

    assert found["info"]["trailingDelta"] == "150" or found["info"]["trailingDelta"] == 150


def test_a_stop_whose_price_is_reached_already_is_refused(alice, last):
    params = name() | {"stopLossPrice": near(last, 1.02)}

    with pytest.raises(ccxt.OrderImmediatelyFillable):
        alice.create_order(SYMBOL, "limit", "sell", SIZE, near(last, 0.96), params)


def test_a_stop_is_set_off_by_a_trade_and_trades(alice, bob, last):
    stop = alice.create_order(
        SYMBOL,
        "limit",
        "sell",
        SIZE,
        near(last, 0.96),
        name() | {"stopLossPrice": near(last, 0.99)},
    )
    bid = bob.create_order(SYMBOL, "limit", "buy", 3 * SIZE, near(last, 0.985), name())

    alice.create_order(SYMBOL, "limit", "sell", SIZE, near(last, 0.985), name())

    def closed() -> bool:
        return alice.fetch_order(stop["id"], SYMBOL)["status"] == "closed"

    sold = eventually(closed)
    bob.cancel_order(bid["id"], SYMBOL)
    trade_at(alice, bob, last)
    assert sold


def test_one_order_of_a_list_ends_the_other(alice, bob, last):
    placed = alice.private_post_orderlist_oco(
        {
            "symbol": "BTCUSDT",
            "side": "SELL",
            "quantity": str(SIZE),
            "aboveType": "LIMIT_MAKER",
            "abovePrice": str(near(last, 1.02)),
            "belowType": "STOP_LOSS",
            "belowStopPrice": str(near(last, 0.97)),
        }
    )
    stop, limit = placed["orders"]

    listed = alice.private_get_orderlist({"origClientOrderId": placed["listClientOrderId"]})
    open_lists = alice.private_get_openorderlist()
    alice.cancel_order(limit["orderId"], SYMBOL)

    assert listed["orderListId"] == placed["orderListId"]
    assert placed["orderListId"] in [one["orderListId"] for one in open_lists]
    assert eventually(lambda: alice.fetch_order(stop["orderId"], SYMBOL)["status"] == "canceled")
    done = alice.private_get_orderlist({"orderListId": placed["orderListId"]})
    assert done["listOrderStatus"] == "ALL_DONE"


def test_the_older_form_of_a_list_is_canceled_as_a_whole(alice, last):
    placed = alice.private_post_order_oco(
        {
            "symbol": "BTCUSDT",
            "side": "BUY",
            "quantity": str(SIZE),
            "price": str(near(last, 0.97)),
            "stopPrice": str(near(last, 1.03)),
            "stopLimitPrice": str(near(last, 1.04)),
            "stopLimitTimeInForce": "GTC",
        }
    )

    ended = alice.private_delete_orderlist(
        {"symbol": "BTCUSDT", "orderListId": placed["orderListId"]}
    )

    assert ended["listOrderStatus"] == "ALL_DONE"
    types = sorted(report["type"] for report in ended["orderReports"])
    assert types == ["LIMIT_MAKER", "STOP_LOSS_LIMIT"]


def test_an_amend_makes_an_order_smaller(alice, last):
    resting = alice.create_order(SYMBOL, "limit", "buy", 3 * SIZE, near(last, 0.95), name())

    amended = alice.request(
        "order/amend/keepPriority",
        ["private"],
        "PUT",
        {"symbol": "BTCUSDT", "orderId": resting["id"], "newQty": str(SIZE)},
    )
    found = alice.fetch_order(resting["id"], SYMBOL)
    with pytest.raises(ccxt.ExchangeError, match="quantity increase"):
        alice.request(
            "order/amend/keepPriority",
            ["private"],
            "PUT",
            {"symbol": "BTCUSDT", "orderId": resting["id"], "newQty": str(5 * SIZE)},
        )
    alice.cancel_order(resting["id"], SYMBOL)

    assert float(amended["amendedOrder"]["qty"]) == SIZE
    assert found["amount"] == SIZE


def test_an_edit_replaces_an_order(alice, last):
    resting = alice.create_order(SYMBOL, "limit", "buy", SIZE, near(last, 0.95), name())

    edited = alice.edit_order(resting["id"], SYMBOL, "limit", "buy", SIZE, near(last, 0.94))

    assert edited["id"] != resting["id"]
    assert alice.fetch_order(resting["id"], SYMBOL)["status"] == "canceled"
    assert alice.fetch_order(edited["id"], SYMBOL)["price"] == near(last, 0.94)
    alice.cancel_order(edited["id"], SYMBOL)


def test_a_taker_may_have_its_own_resting_order_end(alice, last):
    resting = alice.create_order(SYMBOL, "limit", "sell", SIZE, near(last, 1.001), name())

    taker = alice.create_order(
        SYMBOL,
        "limit",
        "buy",
        SIZE,
        near(last, 1.001),
        name() | {"selfTradePreventionMode": "EXPIRE_MAKER", "timeInForce": "IOC"},
    )

    assert taker["info"]["selfTradePreventionMode"] == "EXPIRE_MAKER"
    assert eventually(lambda: alice.fetch_order(resting["id"], SYMBOL)["status"] != "open")


def test_an_order_that_is_good_until_a_time_is_gone_then(alice, last):
    until_ms = alice.fetch_time() + 1_500
    resting = alice.create_order(
        SYMBOL,
        "limit",
        "buy",
        SIZE,
        near(last, 0.95),
        name() | {"timeInForce": "GTD", "goodTillDate": until_ms},
    )

    gone = eventually(lambda: alice.fetch_order(resting["id"], SYMBOL)["status"] == "expired")

    assert gone
