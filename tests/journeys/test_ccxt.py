"""A bot that was written for another exchange trades here after changing one URL."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import ccxt
import pytest

pytestmark = pytest.mark.stack
SYMBOL = "BTC/USDT"


def binance(edge: Any, login: str) -> ccxt.binance:
    """Return ccxt's `binance` with the demo user's keys; only its urls are changed."""
    keys = edge.demo[login]
    client = ccxt.binance(
        {"apiKey": keys["api_key"], "secret": keys["api_secret"], "enableRateLimit": False}
    )
    for name, url in client.urls["api"].items():
        if isinstance(url, str):
            client.urls["api"][name] = re.sub(r"^https://[^/]+", edge.url, url)
    return client


def eventually(look: Callable[[], Any], *, seconds: float = 5.0) -> Any:
    """Return the first answer that is something, within some seconds."""
    ends_at = time.monotonic() + seconds
    while not (found := look()) and time.monotonic() < ends_at:
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def alice(edge) -> Iterator[ccxt.binance]:
    client = binance(edge, "alice")
    client.load_markets()
    yield client
    if client.fetch_open_orders(SYMBOL):
        client.cancel_all_orders(SYMBOL)


@pytest.fixture(scope="module")
def bob(edge) -> ccxt.binance:
    client = binance(edge, "bob")
    client.load_markets()
    return client


@pytest.fixture
def price(alice) -> float:
    """Return a price near the reference that no resting order of the demo crosses."""
    book = alice.fetch_order_book(SYMBOL, limit=5)
    if book["bids"] and book["asks"]:
        return round((book["bids"][0][0] + book["asks"][0][0]) / 2, 2)
    return 50_000.00


def name() -> dict[str, str]:
    return {"newClientOrderId": f"t-{uuid.uuid4().hex[:20]}"}


def test_the_markets_load_with_their_steps(alice):
    market = alice.market(SYMBOL)

    assert market["precision"] == {**market["precision"], "price": 0.01, "amount": 0.00001}
    assert market["limits"]["cost"]["min"] == 5
    assert alice.market("ETH/USDT")["precision"]["amount"] == 0.0001


def test_the_clock_and_the_state_of_the_exchange_are_told(alice):
    assert abs(alice.fetch_time() - time.time() * 1000) < 5_000
    assert alice.fetch_status()["status"] == "ok"


def test_an_order_rests_is_found_and_is_canceled(alice, price):
    resting = alice.create_order(SYMBOL, "limit", "buy", 0.001, round(price * 0.95, 2), name())

    found = alice.fetch_order(resting["id"], SYMBOL)
    listed = [order["id"] for order in alice.fetch_open_orders(SYMBOL)]
    ended = alice.cancel_order(resting["id"], SYMBOL)

    assert (found["status"], found["amount"], found["filled"]) == ("open", 0.001, 0)
    assert resting["id"] in listed
    assert ended["status"] == "canceled"
    assert alice.fetch_order(resting["id"], SYMBOL)["status"] == "canceled"


def test_two_people_trade_and_both_see_it(alice, bob, price):
    before = bob.fetch_balance()["BTC"]["total"]
    resting = alice.create_order(SYMBOL, "limit", "sell", 0.002, price, name())
    taking = bob.create_order(SYMBOL, "limit", "buy", 0.002, price, name())

    assert taking["status"] == "closed"
    assert taking["filled"] == 0.002
    assert taking["info"]["engine"] == "book:BTC-USDT"
    assert len(taking["info"]["journalHash"]) == 64
    mine = eventually(
        lambda: [fill for fill in bob.fetch_my_trades(SYMBOL) if fill["order"] == taking["id"]]
    )
    assert sum(fill["amount"] for fill in mine) == pytest.approx(0.002)
    assert mine[0]["fee"]["currency"] == "BTC"
    assert bob.fetch_balance()["BTC"]["total"] > before
    assert alice.fetch_order(resting["id"], SYMBOL)["status"] in ("closed", "open")
    assert eventually(lambda: alice.fetch_trades(SYMBOL))
    assert eventually(lambda: alice.fetch_ohlcv(SYMBOL, "1m"))


def test_a_market_order_takes_what_there_is(alice, bob, price):
    alice.create_order(SYMBOL, "limit", "sell", 0.001, price, name())

    bought = bob.create_order(SYMBOL, "market", "buy", 0.001, None, name())

    assert bought["filled"] == 0.001


def test_the_same_order_sent_again_is_the_same_order(alice, price):
    named = name()
    once = alice.create_order(SYMBOL, "limit", "buy", 0.001, round(price * 0.95, 2), named)
    again = alice.create_order(SYMBOL, "limit", "buy", 0.001, round(price * 0.95, 2), named)

    assert once["id"] == again["id"]
    with pytest.raises(ccxt.InvalidOrder):
        alice.create_order(SYMBOL, "limit", "buy", 0.002, round(price * 0.95, 2), named)
    alice.cancel_order(once["id"], SYMBOL)


def test_what_cannot_be_paid_is_refused(alice, price):
    with pytest.raises(ccxt.InsufficientFunds):
        alice.create_order(SYMBOL, "limit", "buy", 1_000, round(price * 0.95, 2), name())


def test_an_order_that_is_not_there_is_not_found(alice):
    with pytest.raises(ccxt.OrderNotFound):
        alice.fetch_order("1", SYMBOL)
    with pytest.raises(ccxt.OrderNotFound):
        alice.cancel_order("1", SYMBOL)


def test_who_is_not_verified_does_not_trade(edge, price):
    dave = binance(edge, "dave")
    with pytest.raises(ccxt.ExchangeError, match="disabled on this account"):
        dave.create_order(SYMBOL, "limit", "buy", 0.001, round(price * 0.95, 2), name())
