"""A small stage for stories about one market: people, whole numbers, one act a batch.

A tick is one dollar, a lot is one bitcoin, and a lot at one tick costs one dollar. The reference
is 100 and the band 10 %, so prices from 90 to 110 are taken. The book checks itself after each act.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from apps.common.kernel.ids import numbered_in, partition_of
from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin, Outputs
from matching_worker.contracts import from_book, to_book
from matching_worker.contracts.market import MarketSpec, MarketState, MarketStateSet, ReferenceSet
from matching_worker.engine import BookMachine
from matching_worker.engine.limits import LIMITS, Limits
from matching_worker.engine.ways import PURE, Way

SECOND = 10**9
MORNING = 1_700_000_000 * SECOND
EDGE = b"the-edge"
Run = tuple[Origin, list]  # Commands of one frame, and where they came from.

SMALL_SPEC = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=0,
    quote_decimals=0,
    price_decimals=0,
    size_decimals=0,
    quote_per_tick_lot=1,
    base_per_lot=1,
    min_lots=1,
    max_lots=1_000_000,
    min_notional=50,
    reference_ticks=100,
)


@dataclass
class Placed:
    """An order somebody sent, and what the market said of it since."""

    terms: to_book.HeldOrder
    report: from_book.FirstReport | None = None
    end: from_book.OrderEnd | None = None
    executions: list[from_book.Execution] = field(default_factory=list)

    @property
    def ended(self) -> str | None:
        """How it ended, or None while it rests."""
        ends = [self.report.ended if self.report else None]
        ends += [execution.ended for execution in self.executions]
        ends += [self.end.ended if self.end else None]
        return next((ended for ended in ends if ended), None)

    @property
    def code(self) -> str:
        """Why it was refused or expired."""
        return self.report.code if self.report else ""

    @property
    def filled(self) -> int:
        """How many lots of it traded."""
        return sum(execution.lots for execution in self.executions)

    @property
    def paid(self) -> int:
        """What its fills cost, or brought."""
        return sum(execution.lots * execution.price_ticks for execution in self.executions)


class Trader:
    """Somebody with a name and an account."""

    def __init__(self, exchange: Exchange, name: str, account: int) -> None:
        self.exchange = exchange
        self.name = name
        self.account = account

    def buys(self, lots: int = 0, *, at: int = 0, **terms) -> Placed:
        """Place a buy order that arrives at once. Without a price it is a market order."""
        return self.exchange.arrives(self.sends("B", lots, at=at, **terms))

    def sells(self, lots: int, *, at: int = 0, **terms) -> Placed:
        """Place a sell order that arrives at once."""
        return self.exchange.arrives(self.sends("S", lots, at=at, **terms))

    def sends(self, side: str, lots: int, *, at: int = 0, **terms) -> Placed:
        """Send an order to the partition. It is on its way until `exchange.arrives(it)`."""
        return self.exchange.send(self, side, lots, at, terms)

    def cancels(self, order: Placed, *, valid_s: int = 5):
        """Cancel an order by its number; return the answer, or None while it waits."""
        return self.exchange.cancel(self, order_id=order.terms.order_id, valid_s=valid_s)

    def cancels_by_client_id(self, client_id: str):
        """Cancel an order by the name its owner gave it."""
        return self.exchange.cancel(self, client_id=client_id)

    def cancels_all(self):
        """Cancel all orders of the account."""
        return self.exchange.cancel(self)

    def cancel_of_all(self) -> Run:
        """Return what `cancels_all` would send, for a batch that holds more than that."""
        return self.exchange.cancel_run(self)


class Exchange:
    """One book on a stage: everyone's acts are batches of one command."""

    def __init__(
        self, spec: MarketSpec = SMALL_SPEC, limits: Limits = LIMITS, way: Way = PURE
    ) -> None:
        self.book = BookMachine(limits, way)
        self.at_ns = MORNING
        self.names: dict[int, str] = {}
        self.orders: dict[int, Placed] = {}
        self.partitions = (0, 1)
        self.taken = dict.fromkeys(self.partitions, 0)  # Commands each partition has taken.
        self.told = dict.fromkeys(self.partitions, 0)  # How far it told the book so.
        self.seen: list[tuple[Outputs, int]] = []
        self.requests = 0
        links = [LinkAdd(f"risk:{partition}") for partition in self.partitions]
        self.book.configure([to_book.MarketDefine(spec), *links])

    def opened(self) -> Exchange:
        """Greet from all partitions, then open."""
        for partition in self.partitions:
            self.hears(partition, [to_book.Hello(partition)])
        self.becomes("trading")
        return self

    # -- people

    def traders(self, *names: str) -> list[Trader]:
        """Return people; every second one lives in the other partition."""
        return [self.trader(name, partition=n % 2) for n, name in enumerate(names)]

    def trader(self, name: str, *, partition: int = 0) -> Trader:
        """Return somebody new."""
        account = numbered_in(partition, counter=len(self.names) + 1)
        self.names[account] = name
        return Trader(self, name, account)

    def send(self, trader: Trader, side: str, lots: int, at: int, terms: dict) -> Placed:
        """Let the trader's partition take an order; the book has not heard of it yet."""
        partition = partition_of(trader.account)
        self.taken[partition] += 1
        number = terms.pop("number", numbered_in(partition, counter=len(self.orders) + 1))
        changed = terms.pop("changed", {})
        order = to_book.HeldOrder(
            order_id=number,
            version=1,
            account=trader.account,
            client_id=terms.pop("client_id", f"{trader.name}-{len(self.orders) + 1}"),
            side=side,
            kind="L" if at else "M",
            time_in_force=terms.pop("tif", "GTC"),
            post_only=terms.pop("post_only", False),
            price_ticks=at,
            lots=lots,
            budget=terms.pop("budget", 0),
            deadline_ns=self.at_ns + 5 * SECOND,
            command=(self.taken[partition], 0),
        )
        assert not terms, f"nobody knows what {terms} means"
        placed = Placed(msgspec.structs.replace(order, **changed))
        self.orders.setdefault(order.order_id, placed)
        return placed

    # -- acts: each is one batch

    def arrives(self, placed: Placed) -> Placed:
        """Let an order reach the book."""
        partition = partition_of(placed.terms.account)
        self.told[partition] = max(self.told[partition], placed.terms.command[0])
        out = self.hears(partition, [placed.terms])
        reports = self.sent(out, from_book.FirstReport)
        assert len(reports) == 1, "each order gets one first report"
        placed.report, placed.executions = reports[0], list(reports[0].executions)
        return placed

    def arrival(self, placed: Placed) -> Run:
        """Return an order's link frame, for a batch that holds more than that."""
        return self._frame(partition_of(placed.terms.account), [placed.terms])

    def hears(self, partition: int, messages: list) -> Outputs:
        """Let a link frame of a partition arrive."""
        return self.turn_of([self._frame(partition, messages)])

    def _frame(self, partition: int, messages: list) -> Run:
        passed = (self.told.get(partition, 0), 0)
        return Origin(Input.LINK, (1, 0), b"", f"risk:{partition}", passed, bytes(32)), messages

    def partition_passes_all(self, partition: int = 0) -> Outputs:
        """Let a partition tell that it has read its commands to their end."""
        self.told[partition] = self.taken[partition]
        return self.hears(partition, [])

    def cancel(self, trader: Trader, **named):
        """Send a cancel; return its answer, or None while it waits."""
        out = self.turn_of([self.cancel_run(trader, **named)])
        return next(iter(answers(out)), None)

    def cancel_run(
        self, trader: Trader, *, order_id: int = 0, client_id: str = "", valid_s: int = 5
    ) -> Run:
        """Make a cancel whose edge has just read how far the partition's commands go."""
        self.requests += 1
        command = to_book.CancelOrders(
            request=self.requests,
            account=trader.account,
            order_id=order_id,
            client_id=client_id,
            up_to=(self.taken[partition_of(trader.account)], 0),
            deadline_ns=self.at_ns + valid_s * SECOND,
        )
        return Origin(Input.CANCELS, (1, 0), EDGE, "", (0, 0), b""), [command]

    def becomes(self, state: MarketState, *, reason: str = "a story") -> Outputs:
        """Set the market's state, as an operator does."""
        return self.operated(MarketStateSet(state, reason))

    def oracle_says(self, ticks: int) -> Outputs:
        """Tell the book the oracle's price."""
        return self.operated(ReferenceSet(ticks))

    def operated(self, command: msgspec.Struct) -> Outputs:
        """Give the book a command of its own stream."""
        return self.turn_of([(Origin(Input.COMMANDS, (1, 0), EDGE, "", (0, 0), b""), [command])])

    def later(self, *, seconds: float) -> Outputs:
        """Let time pass, then cut a batch without commands, as an owner does for a timer."""
        self.at_ns += int(seconds * SECOND)
        return self.turn_of([])

    def turn_of(self, runs: list[Run]) -> Outputs:
        """Take one batch, check the book, and tell everyone what concerns them."""
        out = Outputs()
        self.book.begin(self.at_ns, out)
        for origin, commands in runs:
            self.book.apply(origin, commands, self.at_ns, out)
        self.book.end(self.at_ns, (0, 0), out)
        self.book.check()
        for execution in self.sent(out, from_book.Execution):
            self.orders[execution.order_id].executions.append(execution)
        for end in self.sent(out, from_book.OrderEnd):
            self.orders[end.order_id].end = end
        self.seen.append((out, self.at_ns))
        return out

    # -- what can be seen

    @staticmethod
    def sent(out: Outputs, kind: type) -> list:
        """Return the messages of one kind to all partitions."""
        return [m for messages in out.links.values() for m in messages if isinstance(m, kind)]

    def events(self, kind: type) -> list:
        """Return all public events of one kind so far."""
        return [event for out, _ in self.seen for event in out.events if isinstance(event, kind)]

    def trades(self) -> list[str]:
        """Tell all trades so far."""
        return [self._told(trade) for trade in self.events(from_book.Trade)]

    def asks(self) -> dict[int, int]:
        """Return price → lots, best first."""
        return dict(self.book.book.asks.depth())

    def bids(self) -> dict[int, int]:
        """Return price → lots, best first."""
        return dict(self.book.book.bids.depth())

    def _told(self, trade: from_book.Trade) -> str:
        taker, maker = self.names[trade.taker_account], self.names[trade.maker_account]
        deed = "bought {} from" if trade.taker_side == "B" else "sold {} to"
        return f"{taker} {deed.format(trade.lots)} {maker} at {trade.price_ticks}"


def answers(out: Outputs) -> list:
    """Return what the edge was answered in a batch."""
    return out.replies.get(EDGE, [])
