"""The demo's market makers and takers: ordinary clients that quote around the oracle's price.

Each market has one loop. A turn either replaces the quote that is furthest from where it should
stand, or takes: together about 2.5 new orders a second and market. The maker lays several levels
on both sides; takers cross the spread, more often in the direction that brings what they own back
to what they started with.
"""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import structlog

from apps.common.config import config
from apps.demo import oracle
from apps.demo.client import ApiClient, ApiRefusal

log = structlog.get_logger("fairbook.bots")

TURN_S = 0.4
TAKER_SHARE = 0.3
LEVELS = 10
HALF_SPREAD = 0.00015
LEVEL_GAP = 0.00012
STALE_SHARE = 0.00010  # A quote this far from its place is replaced.
WAIT_FIRST_S, WAIT_MOST_S = 0.5, 8.0
LOOK_AT_BALANCES_S = 20.0
NOTHING_TO_CANCEL, WOULD_TRADE = -2011, -2010
TAKERS = ("bot1", "bot2", "bot3")
MAKER = "maker"
VALUE = {"quote": (400.0, 9_000.0), "take": (60.0, 2_500.0)}  # Orders' sizes, in quote units.


@dataclass
class Market:
    """A market as its filters describe it. Bots may round; the exchange does not."""

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    center: float

    @classmethod
    def read(cls, entry: dict[str, Any], center: float) -> Market:
        """Read one entry of `exchangeInfo`."""
        filters = {one["filterType"]: one for one in entry["filters"]}
        return cls(
            symbol=entry["symbol"],
            base=entry["baseAsset"],
            quote=entry["quoteAsset"],
            tick=Decimal(filters["PRICE_FILTER"]["tickSize"]),
            lot=Decimal(filters["LOT_SIZE"]["stepSize"]),
            center=center,
        )

    def price(self, value: float) -> str:
        """Write a price on the market's grid."""
        return f"{round(Decimal(value) / self.tick) * self.tick:f}"

    def size(self, value: float, price: float) -> str:
        """Write a size that is worth `value`."""
        lots = max(1, round(Decimal(value / price) / self.lot))
        return f"{lots * self.lot:f}"


@dataclass
class Quote:
    """One order of the maker that should stand at a place in the book."""

    side: str
    level: int
    order_id: int | None = None
    price: float = 0.0

    def wanted(self, fair: float) -> float:
        """Return where it should stand now."""
        away = HALF_SPREAD + LEVEL_GAP * self.level
        return fair * (1 - away if self.side == "BUY" else 1 + away)

    def blocks(self, price: float) -> bool:
        """Say whether an order of the other side at `price` would trade with this one."""
        if self.order_id is None:
            return False
        return self.price >= price if self.side == "BUY" else self.price <= price

    def error(self, fair: float) -> float:
        """Return how far it is from its place; a missing one is further than any other."""
        if self.order_id is None:
            return 1.0 - self.level / 100
        return abs(self.price - self.wanted(fair)) / fair


@dataclass
class Trader:
    """A taker and what it owned when it began."""

    client: ApiClient
    start: dict[str, float] = field(default_factory=dict)
    leaning: float = 0.0  # Above 0: it owns more of the base than it began with.
    looked_at: float = float("-inf")


class MarketBots:
    """All bots of one market, in one loop."""

    def __init__(self, market: Market, maker: ApiClient, takers: list[ApiClient]) -> None:
        self.market, self.maker = market, maker
        self.takers = [Trader(taker) for taker in takers]
        self.chance = random.Random(f"{config.integer('FAIRBOOK_SEED')}:{market.symbol}")  # noqa: S311 - no secret # nosec B311
        self.quotes = [Quote(side, level) for level in range(LEVELS) for side in ("BUY", "SELL")]
        self.placed = 0

    def fair(self) -> float:
        """Return the oracle's price now."""
        seed = config.integer("FAIRBOOK_SEED")
        name = self.market.symbol
        return oracle.price(self.market.center, seed=seed, market=name, at_s=time.time())

    async def start(self) -> None:
        """Take away what an earlier life of these bots left in the book."""
        await self.maker.cancel_all(self.market.symbol)
        for taker in self.takers:
            await taker.client.cancel_all(self.market.symbol)

    async def turn(self) -> None:
        """Do one thing."""
        fair = self.fair()
        worst = max(self.quotes, key=lambda quote: quote.error(fair))
        is_laid = all(quote.order_id is not None for quote in self.quotes)
        if is_laid and self.chance.random() < TAKER_SHARE:
            await self.take(fair)
        elif worst.error(fair) > STALE_SHARE:
            await self.replace(worst, fair)
        else:
            await self.replace(self.chance.choice(self.quotes), fair)

    async def replace(self, quote: Quote, fair: float) -> None:
        """Put a quote where it belongs: cancel, then place."""
        price = quote.wanted(fair)
        in_the_way = [one for one in self.quotes if one.side != quote.side and one.blocks(price)]
        for one in (quote, *in_the_way):
            await self.withdraw(one)
        worth = self.chance.uniform(*VALUE["quote"]) * (1 + quote.level / 3)
        answer = await self.maker.place(
            symbol=self.market.symbol,
            side=quote.side,
            type="LIMIT_MAKER",
            price=self.market.price(price),
            quantity=self.market.size(worth, price),
            newOrderRespType="RESULT",
        )
        self.placed += 1
        quote.price = float(answer["price"])
        quote.order_id = answer["orderId"] if answer["status"] == "NEW" else None

    async def withdraw(self, quote: Quote) -> None:
        """Cancel a quote, if it rests."""
        if quote.order_id is None:
            return
        order_id, quote.order_id = quote.order_id, None
        try:
            await self.maker.cancel(symbol=self.market.symbol, orderId=order_id)
        except ApiRefusal as refusal:
            if refusal.code != NOTHING_TO_CANCEL:  # Filled or gone: as good as canceled.
                quote.order_id = order_id
                raise

    async def take(self, fair: float) -> None:
        """Cross the spread with a small order that never rests."""
        trader = self.chance.choice(self.takers)
        await self.look_at_balances(trader)
        buys = self.chance.random() < 0.5 - trader.leaning
        reach = fair * (1 + 0.002 if buys else 1 - 0.002)
        worth = min(VALUE["take"][1], self.chance.expovariate(1 / 420) + VALUE["take"][0])
        await trader.client.place(
            symbol=self.market.symbol,
            side="BUY" if buys else "SELL",
            type="LIMIT",
            timeInForce="IOC",
            price=self.market.price(reach),
            quantity=self.market.size(worth, fair),
            newOrderRespType="ACK",
        )
        self.placed += 1

    async def look_at_balances(self, trader: Trader) -> None:
        """See, now and then, whether a taker drifts away from what it began with."""
        now = time.monotonic()
        if now - trader.looked_at < LOOK_AT_BALANCES_S:
            return
        trader.looked_at = now
        account = await trader.client.signed("GET", "/api/v3/account")
        owned = {
            row["asset"]: float(row["free"]) + float(row["locked"]) for row in account["balances"]
        }
        trader.start = trader.start or owned
        began = trader.start.get(self.market.base, 0.0) or 1.0
        drift = (owned.get(self.market.base, 0.0) - began) / began
        trader.leaning = max(-0.35, min(0.35, drift * 10))

    def forget(self) -> None:
        """After a fault nothing is known of what rests: start from an empty book of our own."""
        for quote in self.quotes:
            quote.order_id = None


async def run_market(bots: MarketBots, *, stopping: asyncio.Event, ready: Any) -> None:
    """Turn for ever; wait longer after each refusal in a row, and start over after faults."""
    wait_s, must_start, told = WAIT_FIRST_S, True, ""
    while not stopping.is_set():
        try:
            if must_start:
                await bots.start()
                bots.forget()
                must_start = False
            began = time.monotonic()
            await bots.turn()
            ready(bots.market.symbol)
            wait_s, told = WAIT_FIRST_S, ""
            pause_s = TURN_S - (time.monotonic() - began)
        except ApiRefusal as refusal:
            must_start = refusal.status == 0 or refusal.status >= 500
            if refusal.code == WOULD_TRADE:  # Somebody else's order stands there: go on.
                await _sleep(stopping, TURN_S)
                continue
            pause_s = max(wait_s, min(refusal.retry_after_s, WAIT_MOST_S))
            wait_s = min(wait_s * 2, WAIT_MOST_S)
            if str(refusal) != told:  # Once per reason: a long outage is one line.
                told = str(refusal)
                log.info("bots.wait", market=bots.market.symbol, reason=told)
        await _sleep(stopping, max(0.0, pause_s))


async def _sleep(stopping: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), timeout=seconds)
    except TimeoutError:
        return
