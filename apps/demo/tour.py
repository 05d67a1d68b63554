"""The tour: deposit, trade, kill, recover, verify, each with the figure that was measured."""

from __future__ import annotations

import asyncio
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.common.config import ROOT, config
from apps.common.errors import Refusal
from apps.demo.client import ApiClient, ApiRefusal, local_url
from apps.demo.experiment import Experiment

BUYER, SELLER = "alice", "bob"
AMOUNT = "250"
QUOTED_EVERY_S = 0.25
WAIT_S = 15.0
VERIFY_S = 25.0  # Of a journal too long for this tour, the watch tells what it found.


class TourFailed(Refusal):
    """A step did not come to its end. The message says which, and why."""

    code = "tour_failed"


class Tour:
    """The steps, in the order they are told."""

    def __init__(self, say: Callable[[str, str], None], deposit: Callable[..., None]) -> None:
        """Tell lines by `say(step, sentence)`; pay in by `deposit(login, asset, amount, ref)`."""
        self.say, self.deposit = say, deposit
        self.run = secrets.token_hex(3)
        self.market = config.words("FAIRBOOK_MARKETS")[0]
        self.symbol = self.market.replace("-", "")
        self.base, _, self.quote = self.market.partition("-")

    async def perform(self) -> None:
        """Walk through all steps; raise `TourFailed` at the first that fails."""
        try:
            async with ApiClient.of_user(BUYER) as buyer, ApiClient.of_user(SELLER) as seller:
                await self._deposit(buyer)
                order = await self._trade(buyer, seller)
                await self._ledger(order)
            await self._kill_and_recover()
            await self._verify()
        except (ApiRefusal, KeyError, OSError) as error:
            raise TourFailed(f"the exchange did not go along: {error!r}. Is it up?") from error

    async def _deposit(self, buyer: ApiClient) -> None:
        before = await self._total(buyer)
        began = time.monotonic()
        reference = f"tour:{self.run}"
        await asyncio.to_thread(self.deposit, BUYER, self.quote, AMOUNT, reference)
        await self._until(lambda: self._grew(buyer, before), "the deposit was not credited")
        took = _ms(began)
        self.say("deposit", f"{AMOUNT} {self.quote} for {BUYER}, from database to balance: {took}")

    async def _grew(self, buyer: ApiClient, before: Decimal) -> bool:
        return await self._total(buyer) >= before + Decimal(AMOUNT)

    async def _total(self, client: ApiClient) -> Decimal:
        account = await client.signed("GET", "/api/v3/account")
        rows = {row["asset"]: row for row in account["balances"]}
        row = rows.get(self.quote, {"free": "0", "locked": "0"})
        return Decimal(row["free"]) + Decimal(row["locked"])

    async def _trade(self, buyer: ApiClient, seller: ApiClient) -> dict[str, Any]:
        info = await buyer.public("/api/v3/exchangeInfo", symbol=self.symbol)
        filters = {one["filterType"]: one for one in info["symbols"][0]["filters"]}
        tick = Decimal(filters["PRICE_FILTER"]["tickSize"])
        lot = Decimal(filters["LOT_SIZE"]["stepSize"])
        await self._until(
            lambda: self._is_quoted(buyer), "nobody has quoted a price", pace_s=QUOTED_EVERY_S
        )
        price = await buyer.going_price(self.symbol) * Decimal("1.001") // tick * tick
        size = (Decimal(100) / price // lot) * lot
        terms = {"symbol": self.symbol, "type": "LIMIT", "timeInForce": "GTC"}
        terms |= {"price": f"{price:f}", "quantity": f"{size:f}"}
        resting = await seller.place(**terms, side="SELL", newOrderRespType="RESULT")
        began = time.monotonic()
        bought = await buyer.place(**terms, side="BUY", newOrderRespType="FULL")
        took = _ms(began)
        if resting["status"] == "NEW":
            await self._tidy(seller, resting["orderId"])
        average = Decimal(bought["cummulativeQuoteQty"]) / (Decimal(bought["executedQty"]) or 1)
        self.say(
            "trade",
            f"{BUYER} bought {bought['executedQty']} {self.base} at {average:.2f}: {took}"
            f" · receipt {bought['engine']} #{bought['engineSeq']} {bought['journalHash'][:12]}…",
        )
        return dict(bought)

    async def _is_quoted(self, client: ApiClient) -> bool:
        return bool(await client.going_price(self.symbol))

    async def _tidy(self, seller: ApiClient, order_id: int) -> None:
        """Take away what was not needed because the market had a better price."""
        try:
            await seller.cancel(symbol=self.symbol, orderId=order_id)
        except ApiRefusal as refusal:
            if refusal.code != -2011:  # Traded after all.
                raise

    async def _ledger(self, order: dict[str, Any]) -> None:
        from apps.ledger import selectors as ledger

        began = time.monotonic()
        number = int(order["orderId"])

        async def is_booked() -> bool:
            return bool(await asyncio.to_thread(ledger.entries_for_order, number))

        await self._until(is_booked, "the trade was not settled")
        entries = await asyncio.to_thread(ledger.entries_for_order, number)
        legs = sum(len(entry.postings) for entry in entries)
        word = "entry" if len(entries) == 1 else "entries"
        text = f"{len(entries)} {word}, {legs} legs, each asset sums to zero: {_ms(began)} later"
        self.say("settle", text)

    async def _kill_and_recover(self) -> None:
        told: set[str] = set()

        def hear(record: dict[str, Any]) -> None:
            if record["phase"] == "killed" and "kill" not in told:
                told.add("kill")
                pid = record["pid"]
                self.say("kill", f"kill -9 {pid} ({record['service']}), orders keep coming")

        found = await Experiment("matching", self.run, say=hear, verify=False).perform()
        if found["phase"] == "failed":
            raise TourFailed(str(found["reason"]))
        self.say(
            "recover",
            f"trading again after {found['recovered_s']:.2f} s"
            f" · {found['placed']} orders, {found['lost']} lost, {found['doubled']} doubled",
        )
        if found["lost"] or found["doubled"] or found["undecided"]:
            raise TourFailed(f"orders do not add up: {found['details']}")

    async def _verify(self) -> None:
        began = time.monotonic()
        command = [sys.executable, str(ROOT / "manage.py"), "verify", "--json"]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
        )
        try:
            out, err = await asyncio.wait_for(process.communicate(), timeout=VERIFY_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            await self._ask_the_watch()
            return
        try:
            document = json.loads(out)
        except ValueError:
            raise TourFailed(f"verify said nothing: {err.decode()[-300:]}") from None
        held = sum(1 for one in document["invariants"] if one["ok"])
        broken = [one["id"] for one in document["invariants"] if one["ok"] is False]
        seconds = time.monotonic() - began
        if not document["ok"]:
            raise TourFailed(f"verify found {broken} broken")
        off = {asset: minor for asset, minor in document["imbalance_minor"].items() if minor != "0"}
        text = (
            f"journals replayed, {held} invariants hold, ledger off by {off or 0}: {seconds:.1f} s"
        )
        self.say("verify", text)

    async def _ask_the_watch(self) -> None:
        """Tell the last word of the verifier that never stops: it goes on where it stood."""
        async with ApiClient(local_url()) as client:
            trust = await client.public("/api/v1/trust")
        if not trust["ok"]:
            raise TourFailed("the verifier has not said that the books tie")
        seq = max(trust["seqs"].values(), default=0)
        age_s = (trust["now_ms"] - trust["at_ms"]) / 1000
        off = {asset: minor for asset, minor in trust["imbalance"].items() if minor != "0"}
        self.say("verify", f"ledger off by {off or 0}, verified to #{seq}, {age_s:.0f} s ago")

    async def _until(
        self, holds: Callable[[], Any], otherwise: str, *, pace_s: float = 0.01
    ) -> None:
        ends_at = time.monotonic() + WAIT_S
        while not await holds():
            if time.monotonic() > ends_at:
                raise TourFailed(f"{otherwise} within {WAIT_S:.0f} s")
            await asyncio.sleep(pace_s)


def where() -> str:
    """Return the address to look at after the tour."""
    return local_url().replace("127.0.0.1", "localhost")


def _ms(began: float) -> str:
    return f"{(time.monotonic() - began) * 1000:.1f} ms"
