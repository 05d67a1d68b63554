"""A market to be listed, and a lister whose engines, edges and supervisor a test plays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from apps.common import relay
from apps.common.models import OutboxMessage
from apps.journals import directory, keys
from apps.markets import demo, news, selectors, services
from apps.markets.contracts import BookHealth, BookTable
from apps.markets.lister import Lister
from apps.markets.models import Listing
from matching_worker.contracts.market import MarketSpec

SOL = MarketSpec(
    symbol="SOL-USDT",
    base="SOL",
    quote="USDT",
    base_decimals=9,
    quote_decimals=8,
    price_decimals=2,
    size_decimals=3,
    quote_per_tick_lot=1_000,
    base_per_lot=10**6,
    min_lots=1,
    max_lots=10**8,
    min_notional=5 * 10**8,
    reference_ticks=15_000,
)
BOOK = "book:SOL-USDT"


class PlayedProcesses:
    """A supervisor that starts what it is asked for at once."""

    def __init__(self) -> None:
        self.running: set[str] = set()
        self.failure = ""

    def hold_to(self, table: BookTable) -> None:
        self.running &= {market for market, _ in table.books}

    def bring_in(self, table: BookTable, market: str) -> None:
        assert market in {name for name, _ in table.books}
        self.running.add(market)

    def health_of(self, market: str) -> BookHealth:
        is_ready = market in self.running and not self.failure
        return BookHealth(is_ready=is_ready, lacks="", failure=self.failure)


class PlayedBook:
    """A book that obeys: what it was told last is its state, and nothing rests."""

    def __init__(self, state: str, orders: dict[int, Any]) -> None:
        self.state, self.orders, self.first_uncut_ns = state, orders, None
        self.book = self


class LookingLister(Lister):
    """A lister that reads books in a test's world."""

    world: World

    def _book_now(self, worker: str) -> Any:
        told = self.world.sent(worker, "market_state_set.v1")
        return PlayedBook(told[-1][1], self.world.resting)


class World:
    """Everything around a lister. `goes_on` lets engines and edges do what they would do."""

    def __init__(self, journal: Any, cache: Any) -> None:
        self.journal, self.cache = journal, cache
        self.processes = PlayedProcesses()
        self.edges = {"edge-1", "edge-2"}
        self.resting: dict[int, Any] = {}
        self.lister = self.another_lister()

    def another_lister(self) -> Lister:
        """Start a lister, as the supervisor does when one died."""
        self.lister = LookingLister(self.journal, self.cache, self.processes)
        self.lister.world = self
        self.lister.hold()
        return self.lister

    def goes_on(self) -> None:
        """Let the relay send, the book take, the partitions greet, the edges learn."""
        relay.publish_all(self.journal)
        self.book_takes()
        if self.sent("risk:0", "market_add.v1"):
            self.partition_greets("risk:0")
        for edge in self.edges:
            self.edge_learns(edge)

    def book_takes(self) -> None:
        newest = self.journal.xrevrange(keys.commands(BOOK), count=1)
        if newest:
            self.journal.hset(keys.cursor(BOOK), keys.commands(BOOK), newest[0][0])

    def partition_greets(self, worker: str) -> None:
        self.journal.hset(keys.cursor(BOOK), keys.link(worker, BOOK), "1-0")

    def edge_learns(self, edge: str) -> None:
        known = news.knowledge_of(selectors.load(), at=time.time())
        self.cache.hset(news.KNOWN_BY, edge, known)

    def comes_to(self, state: str, *, turns: int = 12) -> Listing:
        """Turn by turn, until the newest listing is in a state."""
        for _ in range(turns):
            self.lister.turn()
            if self.listing.state == state:
                return self.listing
            self.goes_on()
        raise AssertionError(f"it is {self.listing.state}, waiting for {self.listing.waits_for!r}")

    @property
    def listing(self) -> Listing:
        return Listing.objects.latest("pk")

    def sent(self, worker: str, tag: str) -> list[list[Any]]:
        """Return the outbox's commands of a kind to a worker."""
        rows = OutboxMessage.objects.filter(worker=worker).order_by("pk")
        bodies = [msgspec.msgpack.decode(bytes(row.body)) for row in rows]
        return [body for body in bodies if body[0] == tag]


@pytest.fixture
def world(db, journal, cache, monkeypatch, tmp_path) -> Iterator[World]:
    monkeypatch.setenv("FAIRBOOK_ARCHIVE_DIR", str(tmp_path / "archive"))
    monkeypatch.setenv("FAIRBOOK_SNAPSHOT_DIR", str(tmp_path / "snapshots"))
    directory.found(journal, "risk:0", [])
    for spec in demo.MARKETS:
        services.list_market(spec, journal=journal)
        services.open_first(spec.symbol, reason="a test")
    relay.publish_all(journal)
    yield World(journal, cache)
    selectors.forget()
