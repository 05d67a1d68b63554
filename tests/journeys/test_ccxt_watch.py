"""A popular client follows our markets and its own orders with nothing changed but addresses."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import ccxt.pro
import pytest

pytestmark = pytest.mark.stack

SYMBOL = "BTC/USDT"
PATIENCE_S = 10


@asynccontextmanager
async def client(edge, login: str):
    """Point ccxt at an edge as one of its demo users."""
    user, url = edge.demo[login], edge.url
    exchange = ccxt.pro.binance(
        {
            "apiKey": user["api_key"],
            "secret": user["api_secret"],
            "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False},
        }
    )
    for name, address in exchange.urls["api"].items():
        if isinstance(address, str):
            path = "/" + address.split("/", 3)[3]
            exchange.urls["api"][name] = f"{url}{path}"
    sockets = url.replace("http", "ws", 1)
    exchange.urls["api"]["ws"]["spot"] = f"{sockets}/ws"
    exchange.urls["api"]["ws"]["ws-api"]["spot"] = f"{sockets}/ws-api/v3"
    try:
        yield exchange
    finally:
        await exchange.close()


@asynccontextmanager
async def running(awaitable):
    """Begin to wait for something before it happens."""
    task = asyncio.ensure_future(awaitable)
    await asyncio.sleep(1.0)
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def middle_of(exchange) -> float:
    """Return a price inside the bands."""
    ticker = await exchange.fetch_ticker(SYMBOL)
    book = await exchange.fetch_order_book(SYMBOL, 5)
    bid = book["bids"][0][0] if book["bids"] else None
    ask = book["asks"][0][0] if book["asks"] else None
    if bid and ask:
        return float(exchange.price_to_precision(SYMBOL, (bid + ask) / 2))
    return bid or ask or ticker["last"] or 50_000.0


async def test_the_book_that_ccxt_watches_is_the_book_that_it_fetches(edge):
    async with client(edge, "alice") as alice, client(edge, "bob") as bob:
        price = await middle_of(alice)
        async with running(alice.watch_order_book(SYMBOL)) as first:
            order = await bob.create_order(SYMBOL, "limit", "buy", 0.001, round(price * 0.97, 2))
            await asyncio.wait_for(first, PATIENCE_S)

            async with asyncio.timeout(PATIENCE_S):
                while [order["price"], 0.001] not in alice.orderbooks[SYMBOL]["bids"]:
                    await alice.watch_order_book(SYMBOL)
            await bob.cancel_order(order["id"], SYMBOL)
            async with asyncio.timeout(PATIENCE_S):
                while any(bid[0] == order["price"] for bid in alice.orderbooks[SYMBOL]["bids"]):
                    await alice.watch_order_book(SYMBOL)


async def test_ccxt_watches_trades_and_its_own_orders_and_balance(edge):
    async with client(edge, "alice") as alice, client(edge, "bob") as bob:
        price = await middle_of(alice)
        before = (await bob.fetch_balance())["BTC"]["total"]
        async with (
            running(alice.watch_trades(SYMBOL)) as trades,
            running(bob.watch_orders(SYMBOL)) as orders,
            running(bob.watch_balance()) as balance,
        ):
            await alice.create_order(SYMBOL, "limit", "sell", 0.001, price)
            order = await bob.create_order(SYMBOL, "limit", "buy", 0.001, price)

            seen = await asyncio.wait_for(trades, PATIENCE_S)
            mine = await asyncio.wait_for(orders, PATIENCE_S)
            async with asyncio.timeout(PATIENCE_S):
                own = await balance  # An event names what changed: the first one, only the hold.
                while "BTC" not in own or own["BTC"]["total"] <= before:
                    own = await bob.watch_balance()
                while not any(o["id"] == order["id"] and o["status"] == "closed" for o in mine):
                    mine = await bob.watch_orders(SYMBOL)

        assert seen[-1]["price"] <= price
        assert before < own["BTC"]["total"] <= before + 0.001


async def test_ccxt_watches_candles_and_best_prices(edge):
    async with client(edge, "alice") as alice, client(edge, "bob") as bob:
        price = await middle_of(alice)
        async with (
            running(alice.watch_ohlcv(SYMBOL, "1m")) as candles,
            running(alice.watch_ticker(SYMBOL)) as ticker,
        ):
            await alice.create_order(SYMBOL, "limit", "sell", 0.001, price)
            await bob.create_order(SYMBOL, "limit", "buy", 0.001, price)

            newest = (await asyncio.wait_for(candles, PATIENCE_S))[-1]
            last = await asyncio.wait_for(ticker, PATIENCE_S)

        assert newest[5] > 0
        assert last["last"] > 0
