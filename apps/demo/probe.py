"""Orders before, during and after a fault, and an account of what became of each.

The probe keeps its own record and trusts nobody's: every order has a client id that only this run
uses, every answer is written down, and afterwards each order is looked up by that id.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from apps.demo.client import ApiClient, ApiRefusal

PACE_S = 0.15  # Well inside the published limit of 100 orders in 10 s.
LOOKUP_TRIES = 40
LOOKUP_EVERY_S = 0.25
NO_SUCH_ORDER = -2013
AWAY = Decimal("0.94")  # Far below the market: the orders rest and never trade.


@dataclass
class Sent:
    """One order of the probe, as the probe itself remembers it."""

    client_id: str
    sent_at: float
    answered_at: float | None = None
    outcome: str = "waiting"  # acked, refused or unknown
    order_id: int | None = None
    said: str = ""


@dataclass
class Findings:
    """What became of the orders."""

    placed: int = 0
    acked: int = 0
    refused: int = 0
    unknown: int = 0
    lost: int = 0
    doubled: int = 0
    undecided: int = 0
    details: list[str] = field(default_factory=list)


class Probe:
    """Places a small resting order every 150 ms, without waiting for the answer of the last one."""

    def __init__(self, client: ApiClient, symbol: str, *, run: str) -> None:
        self.client, self.symbol, self.run = client, symbol, run
        self.sent: list[Sent] = []
        self._numbers = itertools.count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._terms: dict[str, str] = {}

    async def prepare(self) -> None:
        """Choose a price far from the market, and the smallest size that the market takes there."""
        info = await self.client.public("/api/v3/exchangeInfo", symbol=self.symbol)
        filters = {one["filterType"]: one for one in info["symbols"][0]["filters"]}
        tick, lot = (
            Decimal(filters[name][step])
            for name, step in (("PRICE_FILTER", "tickSize"), ("LOT_SIZE", "stepSize"))
        )
        notional = filters.get("NOTIONAL") or filters["MIN_NOTIONAL"]
        price = await self.client.going_price(self.symbol) * AWAY // tick * tick
        size = (Decimal(notional["minNotional"]) * 2 / price // lot + 1) * lot
        self._terms = {"price": f"{price:f}", "quantity": f"{size:f}"}

    async def place_until(self, done: asyncio.Event) -> None:
        """Keep placing at the probe's pace."""
        while not done.is_set():
            task = asyncio.create_task(self.place_one())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            await asyncio.sleep(PACE_S)
        await asyncio.gather(*self._tasks)

    async def place_one(self) -> None:
        """Place one order and write down what the exchange said."""
        order = Sent(f"probe-{self.run}-{next(self._numbers)}", time.monotonic())
        self.sent.append(order)
        try:
            answer = await self.client.place(
                symbol=self.symbol,
                side="BUY",
                type="LIMIT_MAKER",
                newClientOrderId=order.client_id,
                newOrderRespType="RESULT",
                **self._terms,
            )
        except ApiRefusal as refusal:
            order.outcome = "unknown" if refusal.is_unknown else "refused"
            order.said = str(refusal)
        else:
            order.outcome, order.order_id = "acked", answer["orderId"]
        order.answered_at = time.monotonic()

    def first_ack_after(self, moment: float) -> float | None:
        """Return when the first order that was sent after `moment` was acknowledged."""
        times = [
            one.answered_at
            for one in self.sent
            if one.sent_at > moment and one.outcome == "acked" and one.answered_at is not None
        ]
        return min(times, default=None)

    async def compare(self) -> Findings:
        """Look every order up by its client id, and all of the account's for twins."""
        found = Findings(placed=len(self.sent))
        for order in self.sent:
            await self._settle(order, found)
        ids: dict[str, set[int]] = {}
        for row in await self._all_rows():
            ids.setdefault(row["clientOrderId"], set()).add(int(row["orderId"]))
        for order in self.sent:
            if len(ids.get(order.client_id, ())) > 1:
                found.doubled += 1
                found.details.append(f"{order.client_id} is {sorted(ids[order.client_id])}")
        return found

    async def _settle(self, order: Sent, found: Findings) -> None:
        match order.outcome:
            case "acked":
                found.acked += 1
            case "refused":
                found.refused += 1
            case _:
                found.unknown += 1
        is_there = await self._look_up(order)
        if is_there is None:
            found.undecided += 1
            found.details.append(f"{order.client_id}: its fate cannot be read")
        elif order.outcome == "acked" and is_there != order.order_id:
            found.lost += 1
            found.details.append(f"{order.client_id} was acknowledged and is gone")
        elif order.outcome == "refused" and is_there:
            found.doubled += 1
            found.details.append(f"{order.client_id} was refused and exists")

    async def _look_up(self, order: Sent) -> int | None:
        """Return the order's number, 0 if there is certainly none, None if nobody can say."""
        for _ in range(LOOKUP_TRIES):
            try:
                row = await self.client.signed(
                    "GET", "/api/v3/order", symbol=self.symbol, origClientOrderId=order.client_id
                )
                return int(row["orderId"])
            except ApiRefusal as refusal:
                if refusal.code == NO_SUCH_ORDER:
                    return 0
            await asyncio.sleep(LOOKUP_EVERY_S)
        return None

    async def _all_rows(self) -> list[dict[str, Any]]:
        first = min((one.order_id for one in self.sent if one.order_id), default=None)
        if first is None:
            return []
        rows = await self.client.signed(
            "GET", "/api/v3/allOrders", symbol=self.symbol, orderId=first, limit=1000
        )
        return list(rows)
