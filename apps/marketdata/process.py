"""The process of market data: follows all books' logs, writes `cache`, sends the feeds.

One reader, three paces: with every read, each 100 ms, each second. Candles go to PostgreSQL through
a door that is given (a thread of its own), so that a database that is away never stalls a feed.
"""

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

import msgspec
import redis

from apps.common.kernel.invariants import InvariantBroken
from apps.common.service import Service
from apps.journals import directory
from apps.journals.contracts import FrameRefused
from apps.journals.reader import Batch, LogReader
from apps.marketdata import checkpoint, intervals, places, store
from apps.marketdata.candles import Candle
from apps.marketdata.dialect import as_json
from apps.marketdata.groups import ALL_MARKETS, MARKET_EVENT, channel_of, market_group, message
from apps.marketdata.streams import Event, MarketStreams
from apps.marketdata.view import MarketView
from matching_worker.contracts.from_book import BookEvent
from matching_worker.contracts.market import MarketSpec
from matching_worker.contracts.to_book import MarketDefine

READ_AT_ONCE = 512
TENTH_S, SECOND_S, CHECKPOINT_S, AGAIN_S = 0.1, 1.0, 60.0, 0.2
PACE_S = 0.01  # What comes within it is read and said in one go.
TIME_STREAM = "time"

_events = msgspec.msgpack.Decoder(list[BookEvent | FrameRefused])
_raw_commands = msgspec.msgpack.Decoder(list[msgspec.Raw])
_define = msgspec.msgpack.Decoder(MarketDefine)


class CandleSink(Protocol):
    """Where candles go to stay."""

    def put(self, market: str, minutes: list[Candle], hours: list[Candle]) -> None:
        """Take candles as they are now; never blocks, never fails."""


class CacheLost(Exception):
    """The cache server has forgotten us: write everything again."""


class Market:
    """One market in this process: its view, what its streams have said, what its keys hold."""

    def __init__(self, worker: str, view: MarketView) -> None:
        self.worker, self.view = worker, view
        self.streams = MarketStreams(view)
        self.writer = store.MarketWriter(view)
        self.target = 0  # The log's end when we started: before it, nothing is sent.
        self.is_open = False  # Its keys are written, and its feeds speak.

    @property
    def caught_up(self) -> bool:
        """Whether we follow, or still read history."""
        return self.view.batch >= self.target

    def open(self, pipe: "redis.client.Pipeline", now_ms: int) -> None:
        """Write everything, and take what was folded so far as said: nobody listens to history."""
        self.view.fresh = []
        self.streams = MarketStreams(self.view)
        self.writer.everything(pipe, self.view.day(now_ms))


class MarketData:
    """Follows all books."""

    def __init__(
        self,
        journal: "redis.Redis",
        cache: "redis.Redis",
        folders: tuple[Path, Path],  # Archive, checkpoints.
        service: Service,
        sink: CandleSink | None = None,
    ) -> None:
        self._journal, self._cache, self._service, self._sink = journal, cache, service, sink
        self._archive, self._checkpoints = folders
        self.markets: dict[str, Market] = {}
        self._reader: LogReader | None = None
        self._tenth = self._second = self._saved = 0.0

    def run(self) -> None:
        """Live until asked to stop."""
        while not self._service.stopping.is_set():
            try:
                self.look()
                while not self._service.stopping.is_set():
                    if self.turn():
                        self._service.stopping.wait(PACE_S)
            except (redis.ConnectionError, redis.TimeoutError, redis.ReadOnlyError) as error:
                self._service.check("marketdata", False, type(error).__name__)
                self._reader = None
                self._close()
                self._service.stopping.wait(AGAIN_S)
            except CacheLost:
                self._close()
        self.save()

    def _close(self) -> None:
        """We do not know what the cache holds: fill it afresh before we speak again."""
        for market in self.markets.values():
            market.is_open = False

    @property
    def ready(self) -> bool:
        """Whether every market is open."""
        return bool(self.markets) and all(market.is_open for market in self.markets.values())

    # -- which books there are

    def look(self) -> None:
        """Take up books that are new. Their numbers come from their genesis."""
        names = directory.workers(self._journal)
        books = [name for name in names if name.startswith("book:")]
        new = [name for name in books if name not in self.markets]
        for worker in new:
            market = Market(worker, self._view_of(worker))
            market.target = places.last_batch(self._journal, worker)
            self.markets[worker] = market
        if new or (books and self._reader is None):
            after = {name: market.view.batch for name, market in self.markets.items()}
            self._reader = LogReader(self._journal, self._archive, workers=after)
        if not books:
            self._service.check("marketdata", False, "no book yet")

    def _view_of(self, worker: str) -> MarketView:
        genesis = directory.genesis_of(self._journal, worker)
        spec: MarketSpec = _define.decode(_raw_commands.decode(genesis)[0]).spec
        saved = checkpoint.load(self._checkpoints, worker)
        if saved is None or saved.spec != spec:
            return MarketView(spec)
        is_ours = places.is_in_log(self._journal, worker, saved.batch, saved.hash)
        return saved if is_ours else MarketView(spec)

    # -- the turn

    def turn(self, block_ms: int | None = None) -> int:
        """Read once, fold, write and send what is due; returns how many batches there were."""
        if self._reader is None:
            self._service.stopping.wait(SECOND_S)
            self.look()
            return 0
        wait = self._wait_ms() if block_ms is None else block_ms
        batches = self._reader.read(block_ms=wait, count=READ_AT_ONCE)
        for batch in batches:
            self._fold(batch)
        changed = [self.markets[worker] for worker in {batch.worker for batch in batches}]
        if any(market.caught_up and not market.is_open for market in self.markets.values()):
            self._open()
        self._say(changed)
        return len(batches)

    def _wait_ms(self) -> int:
        if not self.ready:
            return 1
        now = time.monotonic()
        due = self._second + SECOND_S
        if any(market.streams.has_news for market in self.markets.values()):
            due = min(due, self._tenth + TENTH_S)
        return max(1, min(1_000, int((due - now) * 1_000)))

    def _fold(self, batch: Batch) -> None:
        view = self.markets[batch.worker].view
        try:
            view.apply(batch.header, batch.hash, batch.events(_events))
        except InvariantBroken:
            checkpoint.path_of(self._checkpoints, batch.worker).unlink(missing_ok=True)
            raise  # The next start reads the whole log; if it still says so, the log is at fault.

    def _open(self) -> None:
        """History is read: fill the cache, and begin to speak."""
        now_ms = time.time_ns() // 1_000_000
        pipe = self._cache.pipeline(transaction=True)
        for market in self.markets.values():
            if market.caught_up and not market.is_open:
                market.open(pipe, now_ms)
        pipe.set(store.READY, b"1")
        pipe.execute()
        for market in self.markets.values():
            market.is_open = market.is_open or market.caught_up
        self._tenth = self._second = time.monotonic()
        self._service.check("marketdata", self.ready, "reading history")

    def _say(self, changed: Iterable[Market]) -> None:
        now, now_ms = time.monotonic(), time.time_ns() // 1_000_000
        pipe = self._cache.pipeline(transaction=False)
        pipe.exists(store.READY)
        for market in changed:
            touched = market.view.candles.take_touched()
            self._store_candles(market, touched)
            if market.is_open:
                market.writer.at_once(pipe, market.view.fresh, touched)
                _publish(pipe, market.writer.symbol, market.streams.at_once())
        if now - self._tenth >= TENTH_S:
            self._tenth = now
            for market in self.markets.values():
                if market.is_open and market.streams.has_news:
                    market.writer.depth(pipe)
                    _publish(pipe, market.writer.symbol, market.streams.each_tenth())
        if now - self._second >= SECOND_S:
            self._second = now
            self._each_second(pipe, now_ms)
        known, *_ = pipe.execute()
        if not known and self.ready:
            raise CacheLost

    def _each_second(self, pipe: "redis.client.Pipeline", now_ms: int) -> None:
        minis: list[str] = []
        tickers: list[str] = []
        for market in self.markets.values():
            if not market.is_open:
                continue
            market.writer.depth(pipe)
            events = list(market.streams.each_second(now_ms))
            market.writer.ticker(pipe, market.streams.day)
            _publish(pipe, market.writer.symbol, events)
            minis += [text for name, text in events if name == "miniTicker"]
            tickers += [text for name, text in events if name == "ticker"]
        for name, texts in (("miniTicker", minis), ("ticker", tickers)):
            if texts:
                _publish(pipe, ALL_MARKETS, [(name, f"[{','.join(texts)}]")])
        _publish(pipe, ALL_MARKETS, [(TIME_STREAM, as_json({"e": "time", "E": now_ms}))])
        if time.monotonic() - self._saved >= CHECKPOINT_S:
            self.save()
        self.look()

    # -- what stays

    def _store_candles(self, market: Market, touched: list[int]) -> None:
        if self._sink is None or not touched:
            return
        candles = market.view.candles
        hours = sorted({intervals.opening("1h", minute) for minute in touched})
        self._sink.put(
            market.view.spec.symbol,
            [candles.minutes[minute] for minute in touched if minute in candles.minutes],
            [candles.hours[hour] for hour in hours if hour in candles.hours],
        )

    def save(self) -> None:
        """Write the checkpoints."""
        self._saved = time.monotonic()
        for worker, market in self.markets.items():
            if market.caught_up and market.view.batch:
                checkpoint.save(self._checkpoints, worker, market.view)


def _publish(pipe: "redis.client.Pipeline", symbol: str, events: Iterable[Event]) -> None:
    for stream, text in events:
        group = market_group(symbol, stream)
        pipe.publish(channel_of(group), message(MARKET_EVENT, group, text))
