"""A market is listed and delisted while everything runs, and nobody else so much as blinks."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.helpers.dialect_client import Keys, key_header, signed_path
from tests.helpers.stack import Stack
from tests.helpers.staff import Staff

pytestmark = [pytest.mark.stack, pytest.mark.timeout(180)]

FIRST_ORDER_S = 10.0
STATE_SET_S = 1.0


class Person:
    """A trader of the demo with a program."""

    def __init__(self, stack: Stack, login: str) -> None:
        entry = stack.demo[login]
        self._keys, self._urls = Keys(entry["api_key"], entry["api_secret"]), edges(stack)

    def asks(self, method: str, path: str, *, edge: int = 0, **params: Any) -> httpx.Response:
        path = signed_path(self._keys, path, params)
        url = self._urls[edge] + path
        return httpx.request(method, url, headers=key_header(self._keys), timeout=10)

    def order(self, side: str, price: str, *, symbol: str, edge: int = 0) -> httpx.Response:
        return self.asks(
            "POST", "/api/v3/order", edge=edge, symbol=symbol, side=side, type="LIMIT",
            timeInForce="GTC", quantity="1", price=price, newClientOrderId=uuid.uuid4().hex,
        )  # fmt: skip


def edges(stack: Stack) -> list[str]:
    return [stack.edge_url(1), stack.edge_url(2)]


def lives(stack: Stack, *, without: str) -> dict[str, tuple[int, int]]:
    """Return each process's pid and restarts, but for those of one market."""
    return {
        name: (row["pid"], row["restarts"])
        for name, row in stack.services().items()
        if row["shard"] != without
    }


def until(claim: Callable[[], Any], *, seconds: float = 30) -> Any:
    """Ask again and again until the answer is yes; return it."""
    ends_at = time.monotonic() + seconds
    while not (found := claim()):
        assert time.monotonic() < ends_at, f"not so within {seconds} s"
        time.sleep(0.05)
    return found


def state_of(stack: Stack, market: str) -> str | None:
    found = httpx.get(f"{stack.url}/api/v3/exchangeInfo").json()["symbols"]
    return {row["symbol"]: row["status"] for row in found}.get(market.replace("-", ""))


@contextlib.contextmanager
def operator(stack: Stack) -> Iterator[Staff]:
    with Staff(stack.url, stack.demo["operator"]) as staff:
        yield staff


@pytest.fixture(scope="module")
def verified(victim: Stack) -> Callable[[], dict[str, Any]]:
    """Return what checks everything, once settlement has caught up."""

    def verify() -> dict[str, Any]:
        return until(lambda: _whole(victim.manage("verify", "--json").stdout))

    return verify


def _whole(said: str) -> dict[str, Any] | None:
    document = json.loads(said)
    return document if document["ok"] else None


def test_a_market_is_listed_traded_and_delisted_and_nothing_else_restarts(victim, verified):
    before = lives(victim, without="SOL-USDT")
    alice, bob = Person(victim, "alice"), Person(victim, "bob")
    with operator(victim) as staff:
        page = staff.list_market()
        asked_at = time.monotonic()
        assert page.status_code == 200
        assert "asked for by many" in page.text

        until(lambda: alice.order("BUY", "149.50", symbol="SOLUSDT").is_success)
        took = time.monotonic() - asked_at
        print(f"first order acknowledged {took:.2f} s after the listing was asked for")
        assert took < FIRST_ORDER_S

        victim.wait_ready("book-SOL-USDT-a", "book-SOL-USDT-b")
        rows = victim.services()
        roles = {rows[f"book-SOL-USDT-{member}"]["role"] for member in "ab"}
        assert roles == {"owner", "standby"}
        assert lives(victim, without="SOL-USDT") == before
        everyone_noticed(victim, alice, bob)
        assert verified()["hashes"]["book:SOL-USDT"]["live"]

        staff.delist("SOL-USDT", reason="nobody traded it")
        asked_at = time.monotonic()
        until(lambda: "book-SOL-USDT-a" not in victim.services(), seconds=60)
        print(f"its processes were gone {time.monotonic() - asked_at:.2f} s after that was asked")

    assert lives(victim, without="SOL-USDT") == before
    what_is_left_of_it(victim, alice)
    left = verified()
    assert left["hashes"]["book:SOL-USDT"]["live"] is None
    assert left["hashes"]["book:SOL-USDT"]["genesis"] == left["hashes"]["book:SOL-USDT"]["snapshot"]


def everyone_noticed(stack: Stack, alice: Person, bob: Person) -> None:
    """Both edges, the partition, market data, settlement, the pages: without a restart."""
    assert alice.order("BUY", "149.40", symbol="SOLUSDT", edge=1).is_success
    assert state_of(stack, "SOL-USDT") == "TRADING"
    for url in edges(stack):
        assert httpx.get(f"{url}/trade/SOL-USDT").status_code == 200
        assert "SOL-USDT" in httpx.get(url).text
        depth = until(lambda url=url: depth_of(url))
        assert [price for price, _ in depth["bids"]] == ["149.50", "149.40"]
    refused = bob.order("SELL", "149.50", symbol="SOLUSDT")
    assert refused.json()["code"] == -2010, "he owns none yet"
    stack.give("bob", "SOL", 10 * 10**9)
    sold = until(lambda: filled(bob.order("SELL", "149.50", symbol="SOLUSDT")))
    assert sold["fills"][0]["commissionAsset"] == "USDT"
    until(lambda: alice.asks("GET", "/api/v3/myTrades", symbol="SOLUSDT").json())
    heads = httpx.get(f"{stack.url}/api/v1/proofs/heads").json()["heads"]
    assert "book:SOL-USDT" in {head["engine"] for head in heads}
    opened = alice.asks("GET", "/api/v3/openOrders", symbol="SOLUSDT").json()
    assert [order["price"] for order in opened] == ["149.40"]


def filled(said: httpx.Response) -> dict[str, Any] | None:
    return said.json() if said.is_success and said.json()["status"] == "FILLED" else None


def depth_of(url: str) -> dict[str, Any] | None:
    said = httpx.get(f"{url}/api/v3/depth?symbol=SOLUSDT&limit=5")
    return said.json() if said.is_success and len(said.json()["bids"]) == 2 else None


def what_is_left_of_it(stack: Stack, alice: Person) -> None:
    """No order is taken and none is open; what was, can be read."""
    assert state_of(stack, "SOL-USDT") is None
    refused = alice.order("BUY", "149.50", symbol="SOLUSDT")
    assert refused.status_code == 400, refused.text
    missing = alice.asks("DELETE", "/api/v3/openOrders", symbol="SOLUSDT")
    assert missing.json()["code"] == -2011, missing.text
    assert alice.asks("GET", "/api/v3/openOrders", symbol="SOLUSDT").json() == []
    past = until(lambda: alice.asks("GET", "/api/v3/allOrders", symbol="SOLUSDT").json())
    assert sorted(order["status"] for order in past) == ["CANCELED", "FILLED"]
    assert len(alice.asks("GET", "/api/v3/myTrades", symbol="SOLUSDT").json()) == 1
    assert httpx.get(f"{stack.url}/trade/SOL-USDT").status_code == 404
    assert httpx.get(f"{stack.url}/api/v1/trust").json()["ok"] is True


@pytest.mark.parametrize("state", ["post_only", "cancel_only", "halted"])
def test_an_operators_word_is_felt_by_the_next_order_within_a_second(victim, state):
    """Of post-only the edges know nothing: there it is the book itself that refuses."""
    alice, bob = Person(victim, "alice"), Person(victim, "bob")

    def is_taken(edge: int) -> bool:
        return alice.order("BUY", "2900", symbol="ETHUSDT", edge=edge).is_success

    def felt_s(claim: Callable[[], bool]) -> float:
        asked_at = time.monotonic()
        until(claim, seconds=STATE_SET_S)
        return time.monotonic() - asked_at

    assert is_taken(0)
    with operator(victim) as staff:
        staff.set_state("ETH-USDT", state, reason="a test stops it")
        stopped_s = felt_s(lambda: not is_taken(0) and not is_taken(1))
        assert bob.order("BUY", "46000", symbol="BTCUSDT").is_success, "its neighbour trades on"
        assert bob.asks("DELETE", "/api/v3/openOrders", symbol="BTCUSDT").is_success
        assert alice.asks("DELETE", "/api/v3/openOrders", symbol="ETHUSDT").is_success
        staff.set_state("ETH-USDT", "trading", reason="the test is over")
        opened_s = felt_s(lambda: is_taken(0) and is_taken(1))
    print(f"{state}: felt after {stopped_s:.2f} s, open again after {opened_s:.2f} s")
    assert alice.asks("DELETE", "/api/v3/openOrders", symbol="ETHUSDT").is_success


def test_a_lister_that_is_killed_in_the_middle_goes_on(victim, verified):
    before = lives(victim, without="DOT-USDT")
    with operator(victim) as staff:
        staff.list_market(symbol="DOT-USDT", base="DOT", reference_price="7", tick_size="0.001")
        until(lambda: "book-DOT-USDT-a" in victim.services())
        victim.kill("lister")

        until(lambda: state_of(victim, "DOT-USDT") == "TRADING")
        assert Person(victim, "alice").order("BUY", "6.9", symbol="DOTUSDT").is_success

        staff.delist("DOT-USDT", reason="that was all")
        until(lambda: "book-DOT-USDT-a" not in victim.services(), seconds=60)
    after = lives(victim, without="DOT-USDT")
    assert {name for name in after if after[name] != before[name]} == {"lister"}
    verified()


def test_what_was_listed_comes_up_again_with_the_exchange(victim, verified):
    with operator(victim) as staff:
        staff.list_market(symbol="ADA-USDT", base="ADA", reference_price="1", tick_size="0.0001")
    until(lambda: state_of(victim, "ADA-USDT") == "TRADING")
    alice = Person(victim, "alice")
    placed = alice.order("BUY", "0.95", symbol="ADAUSDT")
    assert placed.status_code == 400, "below the least notional"
    rested = alice.asks(
        "POST", "/api/v3/order", symbol="ADAUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
        quantity="10", price="0.95",
    )  # fmt: skip
    assert rested.is_success, rested.text

    victim.down(keep=True)
    (victim.var / "books.json").unlink()  # The database knows.
    victim.up()

    rows = victim.services()
    assert rows["book-ADA-USDT-a"]["state"] == rows["book-ADA-USDT-b"]["state"] == "ready"
    assert "book-SOL-USDT-a" not in rows
    alice = Person(victim, "alice")
    opened = alice.asks("GET", "/api/v3/openOrders", symbol="ADAUSDT").json()
    assert [order["orderId"] for order in opened] == [rested.json()["orderId"]]
    verified()
    with operator(victim) as staff:
        staff.delist("ADA-USDT", reason="that was all")
    until(lambda: "book-ADA-USDT-a" not in victim.services(), seconds=60)
