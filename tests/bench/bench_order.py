"""The order path as a client sees it: REST POST → final report, open loop, keep-alive.

Each order is sent at its own moment whatever became of those before it, and timed from that
moment, so that a stall counts for every order that waited. Limits at their defaults: 64 accounts
share the load. The client shares the cores, so it is aiohttp on uvloop: httpx costs 2 ms more per
request, and asyncio's own clock wakes a sender up to a millisecond late.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from decimal import Decimal

import aiohttp
import uvloop
from yarl import URL

from tests.bench.figures import Figures, percentile
from tests.helpers.dialect_client import Keys, key_header, signed_path

CONNECTIONS = 8
TARGET_MS = 15.0
SECONDS = 20.0
TERMS = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "IOC",
    "quantity": "0.00100",
    "newOrderRespType": "RESULT",
}


@dataclass
class Run:
    """What one rate gave."""

    took_ms: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def p50_ms(self) -> float:
        return percentile(self.took_ms, 0.5)

    @property
    def p99_ms(self) -> float:
        return percentile(self.took_ms, 0.99)

    @property
    def holds(self) -> bool:
        return self.failed == 0 and self.p99_ms < TARGET_MS


async def offer(urls: list[str], accounts: list[Keys], *, rate: float, seconds: float) -> Run:
    """Offer `rate` orders a second for a while: far bids that expire at once."""
    run = Run()
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as http:
        order = {**TERMS, "price": await _far_bid(http, urls[0])}
        started = time.perf_counter() + 0.2
        tasks = [
            asyncio.create_task(
                _one(
                    run,
                    http,
                    urls[number % len(urls)],
                    accounts[number % len(accounts)],
                    order,
                    started + number / rate,
                )
            )
            for number in range(int(rate * seconds))
        ]
        await asyncio.gather(*tasks)
    return run


async def _far_bid(http: aiohttp.ClientSession, url: str) -> str:
    """Return a price some way under the market, so that every order expires at once as an IOC."""
    async with http.get(f"{url}/api/v3/depth", params={"symbol": "BTCUSDT"}) as answer:
        bids = (await answer.json())["bids"]
    top = Decimal(bids[0][0] if bids else "50000")
    return str((top * Decimal("0.98")).quantize(Decimal("0.01")))


async def _one(
    run: Run,
    http: aiohttp.ClientSession,
    url: str,
    keys: Keys,
    order: dict[str, str],
    moment: float,
) -> None:
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))
    address = URL(url + signed_path(keys, "/api/v3/order", order), encoded=True)
    try:
        async with http.post(address, headers=key_header(keys)) as answer:
            await answer.read()
    except (aiohttp.ClientError, TimeoutError):
        run.failed += 1
        return
    if answer.ok:
        run.took_ms.append((time.perf_counter() - moment) * 1e3)
    else:
        run.failed += 1


def run(urls: list[str], accounts: list[Keys], *, quick: bool = False) -> Figures:
    """Measure at 50 orders/s, then find the highest rate at which p99 stays under 15 ms."""
    uvloop.run(offer(urls, accounts, rate=20, seconds=3))  # Warm-up: connections, keys.
    at_50 = uvloop.run(offer(urls, accounts, rate=50, seconds=4 if quick else SECONDS))
    best = 50.0 if at_50.holds else 0.0
    rate = 75.0
    while best and rate <= 600:
        if not uvloop.run(offer(urls, accounts, rate=rate, seconds=2 if quick else 8)).holds:
            break
        best, rate = rate, rate * 1.25
    return {
        "order.offered_per_s": 50,
        "order.p50_ms": at_50.p50_ms,
        "order.p99_ms": at_50.p99_ms,
        "order.max_per_s_at_15ms": best,
    }
