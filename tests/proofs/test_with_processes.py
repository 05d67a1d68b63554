"""The whole exchange trades, its own prover publishes, and a trader's receipts are checked."""

from __future__ import annotations

import asyncio
import gzip
import time
import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.proofs import shelf
from tests.helpers.dialect_client import DialectClient, Keys
from tests.proofs.stage import VERIFIER, Day, verify

pytestmark = pytest.mark.stack
MARKET = "ETH-USDT"


async def limit(trader: DialectClient, side: str, price: str) -> dict[str, Any]:
    said = await trader.place(
        symbol="ETHUSDT", side=side, type="LIMIT", timeInForce="GTC", quantity="0.01",
        price=price, newClientOrderId=f"proof-{uuid.uuid4().hex[:16]}", newOrderRespType="FULL",
    )  # fmt: skip
    assert said.is_ok, said
    return said.body


def published_lines(folder: Path) -> list[bytes]:
    """Return what the prover has written by now, closed or not."""
    lines: list[bytes] = []
    for segment in shelf.segments(folder, MARKET):
        raw = shelf.path_of(folder, MARKET, segment.name).read_bytes()
        lines += gzip.decompress(raw).splitlines()
    raw = (shelf.folder_of(folder, MARKET) / shelf.OPEN).read_bytes()
    return [*lines, *raw[: raw.rfind(b"\n") + 1].splitlines()]


async def test_receipts_of_a_running_exchange_are_found_in_its_published_record(stack, tmp_path):
    async with httpx.AsyncClient(timeout=10) as web:
        people = [
            DialectClient(Keys(entry["api_key"], entry["api_secret"]), web, stack.url)
            for entry in (stack.demo["alice"], stack.demo["bob"])
        ]
        depth = (await web.get(f"{stack.url}/api/v3/depth?symbol=ETHUSDT&limit=5")).json()
        price = "3000.00"
        if depth["bids"] and depth["asks"]:
            price = f"{(float(depth['bids'][0][0]) + float(depth['asks'][0][0])) / 2:.2f}"
        sold = await limit(people[0], "SELL", price)
        bought = await limit(people[1], "BUY", price)
        program = await web.get(f"{stack.url}/static/proofs/{VERIFIER.name}")
        listed = (await web.get(f"{stack.url}/api/v1/proofs/segments")).json()
        heads = (await web.get(f"{stack.url}/api/v1/proofs/heads")).json()
    assert heads["outside"] is not None
    assert program.content == VERIFIER.read_bytes()
    assert MARKET in listed["markets"]
    assert bought["fills"]

    ends_at = time.monotonic() + 20
    while not any(bought["journalHash"].encode() in line for line in published_lines(_at(stack))):
        assert time.monotonic() < ends_at, stack.log("prover")
        await asyncio.sleep(0.25)
    done = verify(
        tmp_path, Day(published_lines(_at(stack))), heads=[heads], receipts=[sold, bought]
    )

    assert done.returncode == 0, done.stdout + done.stderr
    trade = bought["fills"][0]["tradeId"]
    assert f"trade {trade}: " in done.stdout
    assert f"with order {sold['orderId']}" in done.stdout
    assert stack.services()["prover"]["state"] == "ready"


def _at(stack: Any) -> Path:
    return Path(stack.var) / "proofs"
