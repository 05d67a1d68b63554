"""Random days of one market: batches of frames, from a seed. The same seed gives the same day.

Orders travel: a partition takes one from its command stream, and the book hears of it some
batches later. Cancels overtake them, so a day has tombstones, and answers that wait or never come.
"""

import random

import msgspec

from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin
from matching_worker.contracts.market import (
    BreakerSet,
    MarketSpec,
    MarketStateSet,
    MarkSet,
    ReferenceSet,
)
from matching_worker.contracts.to_book import CancelAfter, CancelOrders, Hello, MarketDefine
from tests.helpers.random_day_orders import ACCOUNTS, MIDDLE, PARTITIONS, SECOND, RandomOrders

START = 1_700_000_000 * SECOND
SOURCES = (b"edge-one", b"edge-two")

SPEC = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=8,
    quote_decimals=8,
    price_decimals=2,
    size_decimals=5,
    quote_per_tick_lot=7,
    base_per_lot=1_000,
    min_lots=1,
    max_lots=1_000,
    min_notional=7 * 1_000,  # One lot at the opening reference.
    reference_ticks=1_000,
    band_ppm=30_000,
    cut_s=10,
)
GENESIS = [MarketDefine(SPEC), *(LinkAdd(f"risk:{p}") for p in PARTITIONS)]


class Batch(msgspec.Struct):
    """One batch as the runtime would feed it: its time, and runs of commands in order."""

    at_ns: int
    runs: list[tuple[Origin, list[msgspec.Struct]]]


class RandomDay(RandomOrders):
    """Makes the batches of one day, one after the other, from nothing but its seed."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.at_ns = START
        self.orders = 0
        self.on_their_way = {partition: [] for partition in PARTITIONS}
        self.taken = dict.fromkeys(PARTITIONS, (1, 0))  # How far partitions read their streams.
        self.frames = dict.fromkeys(PARTITIONS, 0)
        self.recent = []  # Orders to cancel, to amend, and to be mistaken for, amongst others.
        self.versions = {}  # Order id → the version that was asked for last.
        self.requests = 0
        self.marks = 0
        self.moments = []  # When something that was asked for is due.
        self.is_away = False  # Operators have stopped trading.

    def batches(self, commands):
        """Yield the opening, then batches of so many commands together."""
        yield self._opening()
        given = 0
        while given < commands:
            batch = self._batch()
            given += sum(len(run) for _, run in batch.runs)
            yield batch

    # -- batches

    def _opening(self):
        runs = [self._frame(partition, [Hello(partition)]) for partition in PARTITIONS]
        ppm = self.dice.choice((0, 0, 0, 8_000, 12_000))
        commands = [MarketStateSet("trading", "the day begins"), BreakerSet(ppm, 1, 1)]
        runs.append((self._origin(Input.COMMANDS), commands))
        return Batch(self.at_ns, runs)

    def _batch(self):
        self._let_time_pass()
        for _ in range(self.dice.randrange(8)):
            partition, entry, message = self._message()
            self.on_their_way[partition].append((entry, message))
        runs = [self._arrivals(p) for p in PARTITIONS if self.dice.random() < 0.8]
        for _ in range(self.dice.choice((0, 0, 1, 1, 2))):
            cancels = [
                self._switch() if self.dice.random() < 0.08 else self._cancel()
                for _ in range(self.dice.randrange(1, 4))
            ]
            runs.append((self._origin(Input.CANCELS), cancels))
        if commands := self._commands():
            runs.append((self._origin(Input.COMMANDS), commands))
        return Batch(self.at_ns, runs)

    def _let_time_pass(self):
        step = self.dice.random()
        self.moments = [moment for moment in self.moments if moment > self.at_ns]
        if self.moments and step > 0.95:
            self.at_ns = min(self.moments)  # Not a moment later: when somebody's time has come.
        elif step < 0.02:
            self.at_ns += self.dice.randrange(400) * SECOND
        elif step < 0.06:
            self.at_ns += self.dice.randrange(12 * SECOND)
        elif step < 0.26:
            self.at_ns += self.dice.randrange(SECOND)
        elif step < 0.9:
            self.at_ns += self.dice.randrange(SECOND // 10)

    def _arrivals(self, partition):
        """Deliver the oldest orders on their way, or all and how far the partition has read."""
        waiting = self.on_their_way[partition]
        count = len(waiting) if self.dice.random() < 0.5 else self.dice.randrange(len(waiting) + 1)
        arriving, self.on_their_way[partition] = waiting[:count], waiting[count:]
        run = self._frame(partition, [message for _, message in arriving])
        if self.dice.random() < 0.03:
            run[1].append(Hello(self.dice.choice((partition, 7))))
        return run

    def _frame(self, partition, messages):
        self.frames[partition] += 1
        left = self.on_their_way[partition]
        passed = (left[0][0][0] - 1, 0) if left else self.taken[partition]
        entry, peer = (self.frames[partition], 0), f"risk:{partition}"
        return Origin(Input.LINK, entry, b"", peer, passed, bytes(32)), messages

    def _origin(self, kind):
        return Origin(kind, (1, 0), self.dice.choice(SOURCES), "", (0, 0), b"")

    # -- cancels

    def _cancel(self):
        self.requests += 1
        account, order_id, client_id = self.dice.choice(ACCOUNTS), 5 * 1024, "none"
        if self.recent:
            order = self.dice.choice(self.recent)
            account, order_id, client_id = order.account, order.order_id, order.client_id
        named = self.dice.choices(
            ((order_id, ""), (0, client_id), (order_id, client_id), (0, ""), (order_id, "other")),
            (6, 5, 1, 3, 1),
        )[0]
        if self.dice.random() < 0.04:
            account = self.dice.choice((*ACCOUNTS, 9 * 1024 + 5))
        read = self.taken.get(account % 1024, (9, 0))
        return CancelOrders(
            request=self.requests,
            account=account,
            order_id=named[0],
            client_id=named[1],
            up_to=self.dice.choice((read, read, read, (max(0, read[0] - 9), 0))),
            deadline_ns=self._deadline_ns(),
        )

    def _switch(self):
        self.requests += 1
        delays = (0, SECOND // 5, SECOND, 3 * SECOND, 24 * 3_600 * SECOND + 1)
        delay_ns = self.dice.choices(delays, (3, 6, 6, 6, 1))[0]
        self.moments.append(self.at_ns + delay_ns)
        return CancelAfter(
            request=self.requests,
            account=self.dice.choice((*ACCOUNTS, 9 * 1024 + 5)),
            delay_ns=delay_ns,
            deadline_ns=self._deadline_ns(),
        )

    def _deadline_ns(self):
        late = self.dice.random() < 0.03
        return self.at_ns + (-SECOND if late else 5 * SECOND)

    # -- operators

    def _commands(self):
        """Return what operators say in this batch: a day away from trading is soon over."""
        commands = []
        if self.dice.random() < 0.08:
            self.marks += self.dice.choice((0, 1, 1, 1, 2))
            commands.append(MarkSet(max(1, self.marks), round(self.dice.gauss(MIDDLE, 8))))
        if self.dice.random() < 0.06:
            commands.append(self._odd_command())
        if self.dice.random() < (0.25 if self.is_away else 0.03):
            commands.append(self._state())
        return commands

    def _state(self):
        """Go on, or pause in some way; to delist a market is rare, because it ends the day."""
        self.is_away = not self.is_away or self.dice.random() < 0.15
        if not self.is_away:
            return MarketStateSet("trading", "and on we go")
        states = ("auction", "post_only", "halted", "cancel_only", "pre_open", "delisted")
        state = self.dice.choices(states, (9, 4, 2, 2, 1, 3 if self.orders > 200 else 0))[0]
        return MarketStateSet(state, "for a while")

    def _odd_command(self):
        ppm = self.dice.choice((0, 0, 12_000, 16_000, 20_000))
        return self.dice.choice(
            (
                *[BreakerSet(ppm, self.dice.randrange(1, 3), 1)] * 4,
                MarketStateSet("trading", "and on we go"),
                ReferenceSet(self.dice.randrange(980, 1_020)),
                MarketDefine(SPEC),
                LinkAdd("risk:1"),
            )
        )
