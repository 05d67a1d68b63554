"""From a match to the socket of every client that follows trades, on a running exchange.

A trade says when it matched (`T`, whole milliseconds, cut), so a figure is up to 1 ms too long and
never too short. Clients share one process here: what they cost is in the figures too.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from decimal import Decimal

import httpx
import websockets

from tests.bench.figures import Figures, percentile
from tests.helpers.dialect_client import DialectClient, Keys

CLIENTS = 200
TRADES = 100
PAUSE_S = 0.1
SYMBOL = "BTCUSDT"

Heard = list[tuple[int, str | bytes]]


async def _listen(url: str, ready: asyncio.Semaphore, heard: Heard) -> None:
    address = f"{url.replace('http', 'ws', 1)}/ws/{SYMBOL.lower()}@trade"
    async with websockets.connect(address, compression=None, max_queue=1_000) as socket:
        ready.release()
        with contextlib.suppress(websockets.ConnectionClosed):
            async for text in socket:
                heard.append((time.time_ns(), text))


async def _price(http: httpx.AsyncClient, url: str) -> str:
    book = (await http.get(f"{url}/api/v3/depth", params={"symbol": SYMBOL})).json()
    bid = Decimal(book["bids"][0][0]) if book["bids"] else None
    ask = Decimal(book["asks"][0][0]) if book["asks"] else None
    middle = (bid + ask) / 2 if bid and ask else bid or ask
    if middle is None:
        last = await http.get(f"{url}/api/v3/ticker/price", params={"symbol": SYMBOL})
        middle = Decimal(last.json()["price"]) or Decimal(50_000)
    return str(middle.quantize(Decimal("0.01")))


async def _trade(url: str, seller: Keys, buyer: Keys) -> None:
    """Let two people meet at one price, again and again."""
    async with httpx.AsyncClient(timeout=10.0) as http:
        price = await _price(http, url)
        terms = {"symbol": SYMBOL, "type": "LIMIT", "quantity": "0.00100", "price": price}
        for _ in range(TRADES):
            await DialectClient(seller, http, url).place(side="SELL", timeInForce="GTC", **terms)
            await DialectClient(buyer, http, url).place(side="BUY", timeInForce="IOC", **terms)
            await asyncio.sleep(PAUSE_S)


async def measure(urls: list[str], accounts: list[Keys], *, clients: int = CLIENTS) -> Figures:
    """Connect the clients, make trades, and time each trade at each client."""
    heard: list[Heard] = [[] for _ in range(clients)]
    ready = asyncio.Semaphore(0)
    listeners = [
        asyncio.create_task(_listen(urls[at % len(urls)], ready, mine))
        for at, mine in enumerate(heard)
    ]
    for _ in range(clients):
        await asyncio.wait_for(ready.acquire(), 30)
    await _trade(urls[0], accounts[0], accounts[1])
    await asyncio.sleep(1)
    for listener in listeners:
        listener.cancel()
    await asyncio.gather(*listeners, return_exceptions=True)
    took = [
        (at_ns - json.loads(text)["T"] * 1_000_000) / 1e6 for mine in heard for at_ns, text in mine
    ]
    if not took:
        return {"feed.clients": clients, "feed.p50_ms": None, "feed.p99_ms": None}
    return {
        "feed.clients": clients,
        "feed.p50_ms": percentile(took, 0.5),
        "feed.p99_ms": percentile(took, 0.99),
    }


def run(urls: list[str], accounts: list[Keys], *, quick: bool = False) -> Figures:
    """Measure once; the first trades warm the edges up."""
    return asyncio.run(measure(urls, accounts, clients=20 if quick else CLIENTS))
