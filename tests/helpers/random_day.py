"""Random days of one market: batches of frames, from a seed. The same seed gives the same day.

Orders travel: a partition takes one from its command stream, and the book hears of it some
batches later. Cancels overtake them, so a day has tombstones, and answers that wait or never come.
"""

import random

import msgspec

from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin
from matching_worker.contracts.market import MarketSpec, MarketStateSet, ReferenceSet
from matching_worker.contracts.to_book import CancelOrders, HeldOrder, Hello, MarketDefine

SECOND = 10**9
START = 1_700_000_000 * SECOND
PARTITIONS = (0, 1)
ACCOUNTS = tuple(number * 1024 + partition for number in (1, 2, 3, 4) for partition in PARTITIONS)
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


class RandomDay:
    """Makes the batches of one day, one after the other, from nothing but its seed."""

    def __init__(self, seed):
        self.dice = random.Random(seed)
        self.at_ns = START
        self.orders = 0
        self.on_their_way = {partition: [] for partition in PARTITIONS}
        self.taken = dict.fromkeys(PARTITIONS, (1, 0))  # How far partitions read their streams.
        self.frames = dict.fromkeys(PARTITIONS, 0)
        self.recent = []  # (account, order id, client id) to cancel, amongst others.
        self.requests = 0

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
        runs.append((self._origin(Input.COMMANDS), [MarketStateSet("trading", "the day begins")]))
        return Batch(self.at_ns, runs)

    def _batch(self):
        self._let_time_pass()
        for _ in range(self.dice.randrange(8)):
            partition, order = self._order()
            self.on_their_way[partition].append(order)
        runs = [self._arrivals(p) for p in PARTITIONS if self.dice.random() < 0.8]
        for _ in range(self.dice.choice((0, 0, 1, 1, 2))):
            cancels = [self._cancel() for _ in range(self.dice.randrange(1, 4))]
            runs.append((self._origin(Input.CANCELS), cancels))
        if self.dice.random() < 0.05:
            runs.append((self._origin(Input.COMMANDS), [self._operator()]))
        return Batch(self.at_ns, runs)

    def _let_time_pass(self):
        step = self.dice.random()
        if step < 0.02:
            self.at_ns += self.dice.randrange(400) * SECOND
        elif step < 0.1:
            self.at_ns += self.dice.randrange(12 * SECOND)
        elif step < 0.9:
            self.at_ns += self.dice.randrange(SECOND // 10)

    def _arrivals(self, partition):
        """Deliver the oldest orders on their way, or all and how far the partition has read."""
        waiting = self.on_their_way[partition]
        count = len(waiting) if self.dice.random() < 0.5 else self.dice.randrange(len(waiting) + 1)
        arriving, self.on_their_way[partition] = waiting[:count], waiting[count:]
        run = self._frame(partition, arriving)
        if self.dice.random() < 0.03:
            run[1].append(Hello(self.dice.choice((partition, 7))))
        return run

    def _frame(self, partition, messages):
        self.frames[partition] += 1
        left = self.on_their_way[partition]
        passed = (left[0].command[0] - 1, 0) if left else self.taken[partition]
        entry, peer = (self.frames[partition], 0), f"risk:{partition}"
        return Origin(Input.LINK, entry, b"", peer, passed, bytes(32)), messages

    def _origin(self, kind):
        return Origin(kind, (1, 0), self.dice.choice(SOURCES), "", (0, 0), b"")

    # -- orders

    def _order(self):
        account = self.dice.choice(ACCOUNTS)
        self.orders += 1
        partition = account % 1024
        order_id = self.orders * 1024 + partition
        client_id = f"order-{self.orders}"
        self.taken[partition] = (self.taken[partition][0] + self.dice.randrange(1, 3), 0)
        self.recent = [*self.recent[-25:], (account, order_id, client_id)]
        side = self.dice.choice("BS")
        order = HeldOrder(
            order_id=order_id,
            version=1,
            account=account,
            client_id=client_id,
            side=side,
            kind="L",
            time_in_force=self.dice.choices(("GTC", "IOC", "FOK"), (10, 1, 1))[0],
            post_only=False,
            price_ticks=round(self.dice.gauss(995 if side == "B" else 1_005, 9)),
            lots=self.dice.choice((1, 2, 3, 5, 8, 13, 40)),
            budget=0,
            deadline_ns=self.at_ns + 5 * SECOND,
            command=self.taken[partition],
        )
        return partition, self._variation(order)

    def _variation(self, order):
        """Leave most orders as they are; make some post-only or market orders, and spoil a few."""
        luck = self.dice.random()
        if luck < 0.65:
            return order
        if luck < 0.75:
            return msgspec.structs.replace(order, post_only=True)
        if luck < 0.92:
            return self._market(order)
        return msgspec.structs.replace(order, **self._fault(order))

    def _market(self, order):
        lots, budget = order.lots, 0
        if order.side == "B":
            cost = 7 * 1_000 * self.dice.randrange(1, 60) + self.dice.randrange(7_000)
            budget = self.dice.choice((cost, cost, cost, str(2**70)))
            lots = self.dice.choice((0, order.lots))
        tif = self.dice.choice(("GTC", "IOC", "FOK"))
        return msgspec.structs.replace(
            order, kind="M", price_ticks=0, lots=lots, budget=budget, time_in_force=tif
        )

    def _fault(self, order):
        resting = self.dice.choice(self.recent)
        return self.dice.choice(
            (
                {"deadline_ns": self.at_ns - SECOND},
                {"price_ticks": 0},
                {"price_ticks": self.dice.choice((1, 100, 969, 971, 1_029, 1_031, 5_000))},
                {"lots": self.dice.choice((0, 1_001, 2**50))},
                {"budget": self.dice.choice((5, "12x", "-3", str(2**65)))},
                {"client_id": self.dice.choice(("", "x" * 37, resting[2]))},
                {"order_id": order.order_id + 1},
                {"account": order.account + 1},
                {"kind": "M"},
                {
                    "kind": "M",
                    "price_ticks": 0,
                    "budget": self.dice.choice((0, 6_999, "", "9" * 41)),
                },
                {"post_only": True, "time_in_force": "IOC"},
                {"post_only": True, "kind": "M", "price_ticks": 0, "budget": 70_000},
            )
        )

    # -- cancels and operators

    def _cancel(self):
        self.requests += 1
        account, order_id, client_id = (
            self.dice.choice(self.recent)
            if self.recent
            else (self.dice.choice(ACCOUNTS), 5 * 1024, "none")
        )
        named = self.dice.choices(
            ((order_id, ""), (0, client_id), (order_id, client_id), (0, ""), (order_id, "other")),
            (6, 5, 1, 3, 1),
        )[0]
        if self.dice.random() < 0.04:
            account = self.dice.choice((*ACCOUNTS, 9 * 1024 + 5))
        read = self.taken.get(account % 1024, (9, 0))
        late = self.dice.random() < 0.03
        return CancelOrders(
            request=self.requests,
            account=account,
            order_id=named[0],
            client_id=named[1],
            up_to=self.dice.choice((read, read, read, (max(0, read[0] - 9), 0))),
            deadline_ns=self.at_ns + (-SECOND if late else 5 * SECOND),
        )

    def _operator(self):
        return self.dice.choice(
            (
                MarketStateSet("halted", "a random halt"),
                MarketStateSet("cancel_only", "a random pause"),
                *[MarketStateSet("trading", "and on we go")] * 5,
                ReferenceSet(self.dice.randrange(980, 1_020)),
                MarketDefine(SPEC),
                LinkAdd("risk:1"),
            )
        )
