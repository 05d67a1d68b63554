"""The publisher's loop: read what is new in any book's log, say it, save the place."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import redis
from prometheus_client import Counter, Gauge

from apps.common.kernel.ids import parse_stream_id
from apps.common.service import Service
from apps.journals import directory, keys
from apps.journals.reader import Batch, LogReader
from matching_worker.publisher.feed import Message
from matching_worker.publisher.fills import (
    WORKER_KIND,
    group_of,
    market_of,
    message_of,
    partitions_of,
    trades_of,
)

CURSOR = "publisher:cursor"
"""On the cache server: hash of book → last batch said. A fresh cache starts at the logs' ends."""

LOOK_S = 2.0  # How often new books are looked for.
AGAIN_S = 0.2
PACE_S = 0.01  # What comes within it is read in one go.

FILLS = Counter("fairbook_publisher_fills", "Fills sent to Channels groups", ["market"])
DROPPED = Counter("fairbook_publisher_dropped", "Messages that Channels did not take", ["market"])
BATCH = Gauge("fairbook_publisher_batch", "The last batch read", ["worker"])


class Sends(Protocol):
    """Where messages go."""

    def send(self, messages: Sequence[Message]) -> bool:
        """Send all, in order; False if they were dropped."""


class Notes(Protocol):
    """Who is told that partitions may have something to settle."""

    def note(self, partitions: set[int]) -> None:
        """Remember them; never waits."""


class Publisher:
    """Follows all books."""

    def __init__(
        self,
        *,
        journal: redis.Redis,
        cache: redis.Redis,
        archive: Path,
        service: Service,
        feed: Sends,
        nudges: Notes,
    ) -> None:
        self._journal, self._cache, self._archive = journal, cache, archive
        self._service, self._feed, self._nudges = service, feed, nudges
        self._places: dict[str, int] = {}  # Book → last batch read.
        self._reader: LogReader | None = None
        self._looked_at = float("-inf")
        service.check("journal", False, "connecting")

    def run(self) -> None:
        """Live until asked to stop."""
        while not self._service.stopping.is_set():
            try:
                if self.turn():
                    self._service.stopping.wait(PACE_S)
            except (redis.ConnectionError, redis.TimeoutError) as error:
                self._service.check("journal", False, type(error).__name__)
                self._reader = None
                self._service.stopping.wait(AGAIN_S)

    def turn(self, *, block_ms: int = 1_000) -> int:
        """Read once and say it; returns how many batches there were."""
        self._look_for_books()
        if self._reader is None:
            self._service.stopping.wait(AGAIN_S)
            return 0
        batches = self._reader.read(block_ms=block_ms)
        self._service.check("journal", True)
        if batches:
            self._say(batches)
            self._save(batches)
        return len(batches)

    # -- which books there are, and where we stand

    def _look_for_books(self) -> None:
        now = time.monotonic()
        if self._reader is not None and now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        names = [name for name in directory.workers(self._journal) if name.startswith(WORKER_KIND)]
        new = [name for name in names if name not in self._places]
        self._move(self._places_of(new) if new else {})
        if new or (names and self._reader is None):
            self._reader = LogReader(self._journal, self._archive, workers=dict(self._places))
        self._service.info(books=len(self._places))

    def _places_of(self, books: list[str]) -> dict[str, int]:
        """Return where to go on: behind what was said last, else at the log's end."""
        saved = self._saved(books)
        ends = {book: self._end_of(book) for book in books}
        return {
            book: saved[book] if 0 <= saved[book] <= ends[book] else ends[book] for book in books
        }

    def _saved(self, books: list[str]) -> dict[str, int]:
        try:
            found: Any = self._cache.hmget(CURSOR, books)
        except (redis.ConnectionError, redis.TimeoutError):
            found = [None] * len(books)
        return {
            book: -1 if place is None else int(place)
            for book, place in zip(books, found, strict=True)
        }

    def _end_of(self, book: str) -> int:
        last: Any = self._journal.xrevrange(keys.log(book), count=1)
        return parse_stream_id(last[0][0])[0] if last else 0

    # -- saying it

    def _say(self, batches: list[Batch]) -> None:
        messages: list[Message] = []
        partitions: set[int] = set()
        for batch in batches:
            trades = trades_of(batch)
            if trades:
                messages.append((group_of(market_of(batch.worker)), message_of(batch, trades)))
                partitions |= partitions_of(trades)
                FILLS.labels(market_of(batch.worker)).inc(len(trades))
        if partitions:
            self._nudges.note(partitions)
        if messages and not self._feed.send(messages):
            for _, message in messages:
                DROPPED.labels(str(message["market"])).inc()

    def _save(self, batches: list[Batch]) -> None:
        """Save the place after the words: said twice is a repeat, said never would be a gap."""
        self._move({batch.worker: batch.number for batch in batches})

    def _move(self, places: dict[str, int]) -> None:
        """Stand at these places, and see whether the cache is there to remember it."""
        self._places |= places
        for worker, number in places.items():
            BATCH.labels(worker).set(number)
        try:
            if places:
                self._cache.hset(CURSOR, mapping=places)  # type: ignore[arg-type]
            else:
                self._cache.ping()
            self._service.check("cache", True)
        except (redis.ConnectionError, redis.TimeoutError) as error:
            self._service.check("cache", False, type(error).__name__)
