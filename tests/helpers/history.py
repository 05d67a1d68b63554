"""The client's own history of a run: what was asked, what was answered, and whether it still holds.

It believes nothing but its own records: an order that was acknowledged must be found with the same
number; an order refused must not exist; an order of unknown fate must be found or not found, the
same way every time; and each account's balances must be what its fills make of its first balances.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from tests.helpers.dialect_client import DialectClient, Keys, Said


@dataclass
class Asked:
    """One order that the client sent, and what it knows of it."""

    account: int
    symbol: str
    client_id: str
    at: float
    said: Said | None = None

    @property
    def fate(self) -> str:
        if self.said is None or self.said.status == 0 or self.said.status >= 500:
            return "unknown"
        return "acked" if self.said.is_ok else "refused"


@dataclass
class History:
    """Everything a run asked."""

    asked: list[Asked] = field(default_factory=list)
    faults: list[tuple[float, str]] = field(default_factory=list)

    def acks(self, symbol: str | None = None, *, after: float = 0.0) -> list[float]:
        """Return when acknowledgements arrived, oldest first."""
        moments = [
            ask.at + ask.said.took_s
            for ask in self.asked
            if ask.fate == "acked" and ask.said is not None and symbol in (None, ask.symbol)
        ]
        return sorted(moment for moment in moments if moment >= after)

    def answers(self) -> Counter[str]:
        """Count the answers by status and code, to see at a glance what a run was like."""
        return Counter(
            f"{ask.said.status} {ask.said.code or ask.said.body.get('trouble', '')}"
            if ask.said
            else "none"
            for ask in self.asked
        )

    def longest_gap(self, symbol: str, *, start: float, end: float) -> float:
        """Return the longest time without an acknowledgement on one market inside a window."""
        inside = [start, *(at for at in self.acks(symbol) if start <= at <= end), end]
        return max(after - before for before, after in itertools.pairwise(inside))

    def recovery_s(self, fault_at: float, symbol: str | None = None) -> float:
        """Return how long after a fault an order sent after it was acknowledged."""
        moments = [
            ask.at + ask.said.took_s
            for ask in self.asked
            if ask.at > fault_at
            and ask.fate == "acked"
            and ask.said is not None
            and symbol in (None, ask.symbol)
        ]
        return min(moments) - fault_at if moments else float("inf")


class Load:
    """Sends a steady stream of orders, open loop: a slow answer delays no other order."""

    def __init__(
        self, urls: list[str], accounts: list[Keys], *, seed: int, symbols: tuple[str, ...]
    ) -> None:
        self.history = History()
        self._dice = random.Random(seed)
        self._symbols = symbols
        self._prefix = f"h{seed % 10**6}-{int(time.time() * 1000) % 10**9}-"
        self._http = httpx.AsyncClient(
            timeout=8.0, limits=httpx.Limits(max_connections=64, max_keepalive_connections=16)
        )
        self.clients = [
            DialectClient(keys, self._http, *urls[at % 2 :], *urls[: at % 2])
            for at, keys in enumerate(accounts)
        ]
        self._few = asyncio.Semaphore(12)
        self._first: list[dict[str, tuple[str, str]]] = []
        self._prices: dict[str, Decimal] = {}

    async def __aenter__(self) -> Load:
        self._first = [await client.balances() for client in self.clients]
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._http.aclose()

    def at_prices(self, prices: dict[str, str]) -> None:
        """Trade around these prices."""
        self._prices = {symbol: Decimal(price) for symbol, price in prices.items()}

    async def run(
        self, *, rate: float, seconds: float, enough: Callable[[], bool] = lambda: False
    ) -> None:
        """Send `rate` orders a second for `seconds`, or until it is enough; wait for answers."""
        started = time.monotonic()
        flying: set[asyncio.Task[None]] = set()
        for number in range(int(rate * seconds)):
            delay = started + number / rate - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            if enough():
                break
            flying.add(asyncio.create_task(self._send(number)))
        await asyncio.gather(*flying)

    async def _send(self, number: int) -> None:
        account = number % len(self.clients)
        symbol = self._symbols[(number // len(self.clients)) % len(self._symbols)]
        ask = Asked(account, symbol, f"{self._prefix}{number}", time.time())
        self.history.asked.append(ask)
        ask.said = await self.clients[account].place(
            symbol=symbol, newClientOrderId=ask.client_id, **self._terms(symbol)
        )

    def _terms(self, symbol: str) -> dict[str, Any]:
        middle = self._prices[symbol]
        side = self._dice.choice(["BUY", "SELL"])
        price = (middle * (1 + Decimal(self._dice.randint(-20, 20)) / 10_000)).quantize(
            Decimal("0.01")
        )
        return {
            "side": side,
            "type": "LIMIT",
            "timeInForce": "IOC" if self._dice.random() < 0.7 else "GTC",
            "price": str(price),
            "quantity": "0.0010" if symbol == "BTCUSDT" else "0.0100",
            "newOrderRespType": "RESULT",
        }

    # ── Afterwards ──────────────────────────────────────────────────────────────────────────

    async def settle_unknowns(self, *, within_s: float = 5.0) -> int:
        """Read every order of unknown fate by its client id; return how many stay unknown."""
        pending = [ask for ask in self.history.asked if ask.fate == "unknown"]
        until = time.monotonic() + within_s
        while pending and time.monotonic() < until:
            found = await asyncio.gather(*(self._find(ask) for ask in pending))
            pending = [
                ask
                for ask, said in zip(pending, found, strict=True)
                if not (said.is_ok or said.code == -2013)
            ]
            if pending:
                await asyncio.sleep(0.2)
        return len(pending)

    async def _find(self, ask: Asked) -> Said:
        async with self._few:  # A client that asks for hundreds at once waits for itself.
            return await self.clients[ask.account].find(ask.symbol, ask.client_id)

    async def wrongs(self) -> list[str]:
        """Return in words what does not hold any more; nothing lost and nothing doubled is []."""
        wrongs: list[str] = []
        for account, client in enumerate(self.clients):
            mine = [ask for ask in self.history.asked if ask.account == account]
            wrongs += await self._wrong_orders(client, mine)
            wrongs += await self._wrong_balances(account, client)
        return wrongs

    async def _wrong_orders(self, client: DialectClient, mine: list[Asked]) -> list[str]:
        wrongs: list[str] = []
        for ask in mine:
            said = await self._find(ask)
            if ask.fate == "acked":
                assert ask.said is not None
                if not said.is_ok:
                    wrongs.append(f"lost: {ask.client_id} {said}")
                elif said.body["orderId"] != ask.said.body["orderId"]:
                    wrongs.append(f"doubled: {ask.client_id} {said.body} {ask.said.body}")
            elif ask.fate == "refused" and said.is_ok and said.body["status"] != "REJECTED":
                wrongs.append(f"refused but there: {ask.client_id} {ask.said} {said.body}")
        for symbol in self._symbols:
            said = await client.signed("GET", "/api/v3/allOrders", symbol=symbol, limit=1000)
            assert said.is_ok, said
            names = [row["clientOrderId"] for row in said.body]
            wrongs += [f"doubled: {name}" for name in set(names) if names.count(name) > 1]
        return wrongs

    async def _wrong_balances(self, account: int, client: DialectClient) -> list[str]:
        """Compare the balances now with the first ones moved by each fill of this run."""
        expected = {
            asset: Decimal(free) + Decimal(locked)
            for asset, (free, locked) in self._first[account].items()
        }
        for symbol in self._symbols:
            base, quote = symbol.removesuffix("USDT"), "USDT"
            said = await client.signed("GET", "/api/v3/myTrades", symbol=symbol, limit=1000)
            assert said.is_ok, said
            for fill in said.body:
                sign = 1 if fill["isBuyer"] else -1
                expected[base] = expected.get(base, Decimal()) + sign * Decimal(fill["qty"])
                expected[quote] = expected.get(quote, Decimal()) - sign * Decimal(fill["quoteQty"])
                expected[fill["commissionAsset"]] -= Decimal(fill["commission"])
        now = {
            asset: Decimal(free) + Decimal(locked)
            for asset, (free, locked) in (await client.balances()).items()
        }
        return [
            f"account {account}: {asset} is {now.get(asset)}, its fills make {value}"
            for asset, value in expected.items()
            if now.get(asset, Decimal()) != value
        ]
