"""What the exchange tells of an order afterwards, and where its journals stand."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from typing import Any

import httpx
import pytest

from tests.helpers.dialect_client import DialectClient, Keys

pytestmark = pytest.mark.stack


@pytest.fixture
async def web(stack):
    async with httpx.AsyncClient(timeout=10) as http:
        yield http


def person(stack: Any, web: httpx.AsyncClient, login: str) -> DialectClient:
    entry = stack.demo[login]
    return DialectClient(Keys(entry["api_key"], entry["api_secret"]), web, stack.url)


async def limit(trader: DialectClient, side: str, price: str) -> dict[str, Any]:
    said = await trader.place(
        symbol="ETHUSDT", side=side, type="LIMIT", timeInForce="GTC", quantity="0.01",
        price=price, newClientOrderId=f"life-{uuid.uuid4().hex[:16]}",
    )  # fmt: skip
    assert said.is_ok, said
    return said.body


async def life_of(trader: DialectClient, order_id: int, *, until: str) -> dict[str, Any]:
    """Return an order's life, once it has a station of this kind."""
    ends_at = time.monotonic() + 10
    while True:
        said = await trader.signed("GET", f"/api/v1/orders/{order_id}/life")
        assert said.is_ok, said
        if until in {stage["stage"] for stage in said.body["stages"]}:
            return said.body
        assert time.monotonic() < ends_at, said.body
        await asyncio.sleep(0.1)


async def test_an_orders_life_names_every_station_and_the_time_between(stack, web):
    alice, bob = person(stack, web, "alice"), person(stack, web, "bob")
    price = await _middle(stack, web)
    await limit(alice, "SELL", price)
    bought = await limit(bob, "BUY", price)

    await life_of(bob, bought["orderId"], until="edge_received")
    life = await life_of(bob, bought["orderId"], until="ledger")

    stations = [stage["stage"] for stage in life["stages"]]
    for station in ("edge_received", "edge_sent", "journals", "risk", "book", "feed", "ledger"):
        assert station in stations
    times = [int(stage["at_ns"]) for stage in life["stages"]]
    assert times == sorted(times)
    gaps = [stage["gap_ns"] for stage in life["stages"][1:]]
    assert gaps == [later - sooner for sooner, later in itertools.pairwise(times)]
    book = next(stage for stage in life["stages"] if stage["stage"] == "book")
    assert book["facts"]["journal_hash"] == bought["journalHash"]
    entry = next(stage for stage in life["stages"] if stage["stage"] == "ledger")
    assert len(entry["facts"]["legs"]) >= 2
    journals = next(stage for stage in life["stages"] if stage["stage"] == "journals")
    assert journals["facts"]["stream"] == "{risk:0}:commands"
    assert journals["facts"]["book_hash"] == bought["journalHash"]


async def test_an_order_that_rested_tells_its_rest_before_its_trade(stack, web):
    alice, bob = person(stack, web, "alice"), person(stack, web, "bob")
    price = await _middle(stack, web)
    rested = await limit(alice, "SELL", price)
    await life_of(alice, rested["orderId"], until="feed")
    await limit(bob, "BUY", price)

    await life_of(alice, rested["orderId"], until="edge_received")
    life = await life_of(alice, rested["orderId"], until="ledger")

    told = [(stage["title"], stage["what"]) for stage in life["stages"]]
    titles = [title for title, _ in told]
    assert titles[:5] == [
        "Edge received it",
        "Sent to the journal",
        "Journal made it durable",
        "Risk engine held its cost",
        "Book took it",
    ]
    assert titles.index("Book took it") < told.index(("Told its owner", "NEW"))
    assert told.index(("Told its owner", "NEW")) < titles.index("Book traded it")
    assert titles.index("Book traded it") < told.index(("Told its owner", "TRADE"))
    assert titles.index("Book traded it") < titles.index("Ledger booked it")
    assert all(stage["gap_ns"] >= 0 for stage in life["stages"][1:])


async def _middle(stack: Any, web: httpx.AsyncClient) -> str:
    depth = (await web.get(f"{stack.url}/api/v3/depth?symbol=ETHUSDT&limit=5")).json()
    if depth["bids"] and depth["asks"]:
        return f"{(float(depth['bids'][0][0]) + float(depth['asks'][0][0])) / 2:.2f}"
    return "3000.00"


async def test_another_persons_order_has_no_life_here(stack, web):
    alice, bob = person(stack, web, "alice"), person(stack, web, "bob")
    resting = await limit(alice, "BUY", "2800.00")

    stolen = await bob.signed("GET", f"/api/v1/orders/{resting['orderId']}/life")
    missing = await bob.signed("GET", "/api/v1/orders/1/life")

    assert (stolen.status, missing.status) == (404, 404)
    assert stolen.body["code"] == missing.body["code"] == "no_such_order"
    await alice.signed("DELETE", "/api/v3/order", symbol="ETHUSDT", orderId=resting["orderId"])


async def test_the_heads_of_all_journals_are_public_and_grow(stack, web):
    async def heads() -> dict[str, dict[str, Any]]:
        listed = (await web.get(f"{stack.url}/api/v1/proofs/heads")).json()["heads"]
        return {head["engine"]: head for head in listed}

    before = await heads()
    alice = person(stack, web, "alice")
    resting = await limit(alice, "BUY", "2801.00")
    after = await heads()

    assert set(before) == {"risk:0", "book:BTC-USDT", "book:ETH-USDT"}
    assert after["book:ETH-USDT"]["seq"] >= resting["engineSeq"] > before["book:ETH-USDT"]["seq"]
    assert all(len(head["hash"]) == 64 for head in after.values())
    await alice.signed("DELETE", "/api/v3/order", symbol="ETHUSDT", orderId=resting["orderId"])


async def test_a_read_sees_what_was_answered_before_it(stack, web):
    """Twenty orders in a row: each is found by its client id as soon as it is answered."""
    alice = person(stack, web, "alice")
    for _ in range(20):
        placed = await limit(alice, "BUY", "2802.00")
        found = await alice.find("ETHUSDT", placed["clientOrderId"])
        assert found.body["orderId"] == placed["orderId"], found
        ended = await alice.cancel("ETHUSDT", placed["clientOrderId"])
        assert ended.body["status"] == "CANCELED", ended
        again = await alice.find("ETHUSDT", placed["clientOrderId"])
        assert again.body["status"] == "CANCELED", again


async def test_a_public_key_stream_belongs_to_its_account(stack, web):
    async def streams(method: str, login: str, **params: str) -> httpx.Response:
        return await web.request(
            method, f"{stack.url}/api/v3/userDataStream", params=params,
            headers={"X-MBX-APIKEY": stack.demo[login]["api_key"]},
        )  # fmt: skip

    key = (await streams("POST", "alice")).json()["listenKey"]

    assert (await streams("PUT", "alice", listenKey=key)).status_code == 200
    stolen = await streams("DELETE", "bob", listenKey=key)
    assert stolen.json() == {"code": -1125, "msg": "This listenKey does not exist."}
    assert (await streams("DELETE", "alice", listenKey=key)).status_code == 200
    assert (await streams("PUT", "alice", listenKey=key)).status_code == 400
