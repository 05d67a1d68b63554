"""A stage whose workers keep logs: every batch as its readers see it, and random days on it."""

from __future__ import annotations

import random
from collections.abc import Callable

import msgspec

from apps.journals import keys
from apps.journals.machine import Outputs
from apps.journals.wire import Header, Take
from apps.risk.contracts.events import RiskEvent
from matching_worker.contracts.from_book import BookEvent
from matching_worker.contracts.market import MarketSpec
from tests.helpers.pure_exchange import PureWorker, through_bytes
from tests.helpers.trading_stage import Stage, Trader

LIVELY_MARKET = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=8,
    quote_decimals=8,
    price_decimals=2,
    size_decimals=5,
    quote_per_tick_lot=10,
    base_per_lot=1_000,
    min_lots=1,
    max_lots=1_000_000_000,
    min_notional=1,
    reference_ticks=100,
    band_ppm=500_000,
)


class LoggedBatch(msgspec.Struct):
    """One batch as `LogReader` gives it."""

    worker: str
    header: Header
    hash: bytes
    outputs: list[msgspec.Struct]

    @property
    def number(self) -> int:
        return self.header.batch

    def events(self, _decoder: object) -> list[msgspec.Struct]:
        return self.outputs


class LoggedStage(Stage):
    """A stage that remembers its logs. `on_batch` hears each batch as it happens."""

    def __init__(self, spec: MarketSpec = LIVELY_MARKET, *, partitions: int = 1) -> None:
        self.logs: list[LoggedBatch] = []
        self.on_batch: Callable[[LoggedBatch], None] = lambda _batch: None
        self._seqs: dict[str, int] = {}
        super().__init__(spec, partitions=partitions)

    def _carry(self, worker: PureWorker, out: Outputs) -> None:
        super()._carry(worker, out)
        first = self._seqs.get(worker.name, 0) + 1
        self._seqs[worker.name] = worker.machine.seq
        takes = [Take(keys.commands(worker.name), worker.passed, worker.passed)]
        header = Header(worker.batches, 1, first, worker.machine.seq, self.now_ns, 1, takes, [], [])
        union = BookEvent if worker is self.book else RiskEvent
        batch = LoggedBatch(worker.name, header, worker.hash, through_bytes(out.events, union))
        self.logs.append(batch)
        self.on_batch(batch)

    def levels(self) -> tuple[dict[int, int], dict[int, int]]:
        """Add up the book's resting orders by hand: bids and asks, price → lots."""
        bids: dict[int, int] = {}
        asks: dict[int, int] = {}
        for order in self.book.machine.book.orders.values():
            side = bids if order.terms.side == "B" else asks
            ticks = order.terms.price_ticks
            side[ticks] = side.get(ticks, 0) + order.open_lots
        return bids, asks


def random_day(
    stage: LoggedStage, *, seed: int, acts: int, names: tuple[str, ...] = ("alice", "bob", "carol")
) -> list[Trader]:
    """Let people place, cancel and wait at random; returns them."""
    dice = random.Random(seed)
    coins = {"usdt": 10**12, "btc": 10**12}
    people = [
        stage.trader(name, partition=number % len(stage.risks), **coins)
        for number, name in enumerate(names)
    ]
    for _ in range(acts):
        trader = dice.choice(people)
        act = dice.random()
        if act < 0.25:
            trader.cancels(f"{trader.name}-{dice.randint(1, max(1, trader.orders))}")
        elif act < 0.28:
            trader.cancels()
        elif act < 0.35:
            stage.pass_time(dice.choice([0.01, 0.5, 3, 40]))
        else:
            _place(trader, dice)
    return people


def _place(trader: Trader, dice: random.Random) -> None:
    side = dice.choice("BS")
    terms = {"side": side, "lots": dice.randint(1, 50), "price_ticks": dice.randint(90, 110)}
    kind = dice.random()
    if kind < 0.1:
        terms |= {"kind": "M", "price_ticks": 0, "time_in_force": "IOC"}
    elif kind < 0.15 and side == "B":
        budget = dice.randint(1_000, 50_000)
        terms |= {"kind": "M", "price_ticks": 0, "lots": 0, "quote_budget": budget}
        terms |= {"time_in_force": "IOC"}
    elif kind < 0.3:
        terms |= {"time_in_force": dice.choice(["IOC", "FOK"])}
    elif kind < 0.4:
        terms |= {"post_only": True}
    trader.places(**terms)
