"""One market's price levels, and what changed in them since each pace last spoke. Pure."""

import zlib
from itertools import islice, zip_longest

from sortedcontainers import SortedDict

from apps.common.kernel.invariants import ensure
from apps.marketdata.dialect import Numbers
from matching_worker.contracts.market import BUY, SELL, Side

CHECKSUM_LEVELS = 10
Levels = list[tuple[int, int]]


class Depth:
    """Open lots per price, both sides."""

    def __init__(self) -> None:
        self.bids: SortedDict = SortedDict()
        self.asks: SortedDict = SortedDict()
        self.diffs: list[Diff] = []

    def change(self, side: Side, ticks: int, lots: int) -> None:
        """Grow (or shrink) the level at this price."""
        levels = self.bids if side == BUY else self.asks
        open_lots = levels.get(ticks, 0) + lots
        ensure(open_lots >= 0, "a level never holds less than nothing")
        if open_lots:
            levels[ticks] = open_lots
        else:
            del levels[ticks]
        for diff in self.diffs:
            (diff.bids if side == BUY else diff.asks).add(ticks)

    @property
    def is_crossed(self) -> bool:
        """Whether a bid reaches an ask: so only before an auction's trades are done."""
        if not self.bids or not self.asks:
            return False
        return bool(self.bids.peekitem(-1)[0] >= self.asks.peekitem(0)[0])

    def trade_best(self, lots: int) -> None:
        """Shrink the best level of both sides: where an auction's trades take from."""
        self.change(BUY, self.bids.peekitem(-1)[0], -lots)
        self.change(SELL, self.asks.peekitem(0)[0], -lots)

    def best_bids(self, count: int) -> Levels:
        """Return the highest bids, best first."""
        return [(ticks, self.bids[ticks]) for ticks in islice(reversed(self.bids), count)]

    def best_asks(self, count: int) -> Levels:
        """Return the lowest asks, best first."""
        return list(islice(self.asks.items(), count))

    def size(self) -> int:
        """Return how many levels there are."""
        return len(self.bids) + len(self.asks)

    def check(self) -> None:
        """Claim what must hold between two batches."""
        ensure(not self.is_crossed, "a book is never crossed, but in an auction")


class Diff:
    """What changed since this pace last spoke, and up to which update it has spoken."""

    def __init__(self, update_id: int) -> None:
        self.update_id = update_id
        self.bids: set[int] = set()
        self.asks: set[int] = set()

    def has_news(self, update_id: int) -> bool:
        """Whether there is something to say, with a number to say it under."""
        return bool(self.bids or self.asks) and update_id > self.update_id

    def take(self, depth: Depth, update_id: int) -> tuple[int, Levels, Levels]:
        """Return the first update id of the event and the changed levels; 0 lots means gone."""
        first = self.update_id + 1
        bids = [(ticks, depth.bids.get(ticks, 0)) for ticks in sorted(self.bids, reverse=True)]
        asks = [(ticks, depth.asks.get(ticks, 0)) for ticks in sorted(self.asks)]
        self.update_id, self.bids, self.asks = update_id, set(), set()
        return first, bids, asks


def checksum(depth: Depth, numbers: Numbers) -> int:
    """CRC-32 of the ten best levels, "bid:size:ask:size:…" in the dialect's numbers."""
    bids = numbers.levels(depth.best_bids(CHECKSUM_LEVELS))
    asks = numbers.levels(depth.best_asks(CHECKSUM_LEVELS))
    words = [
        word for pair in zip_longest(bids, asks, fillvalue=()) for side in pair for word in side
    ]
    return zlib.crc32(":".join(words).encode())
