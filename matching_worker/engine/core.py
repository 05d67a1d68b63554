"""What a market is made of, and what every part of its engine does to it."""

from apps.common.kernel.invariants import ensure
from matching_worker.contracts import from_book
from matching_worker.contracts.from_book import Execution, OrderAdded
from matching_worker.contracts.market import MarketSpec, MarketState, TriggerBy
from matching_worker.engine import codes
from matching_worker.engine.book import Book
from matching_worker.engine.breaker import Breaker
from matching_worker.engine.cancels import Cancels
from matching_worker.engine.gate import Gate
from matching_worker.engine.limits import LIMITS, SECOND_NS, Limits
from matching_worker.engine.orders import Order
from matching_worker.engine.peers import Peer, partition_named
from matching_worker.engine.reference import Reference
from matching_worker.engine.switches import Switches
from matching_worker.engine.turn import Turn

RULES_OLDEST = 1
EXTRAS_SINCE = 2  # The rules version from which the last price is kept, and triggers with it.
OPEN_STATES = ("trading", "post_only")


class BookCore:
    """The state of one market."""

    spec: MarketSpec  # Both by `define`, which comes before all else.
    reference: Reference

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.seq = 0
        self.at_ns = 0
        self.rules = RULES_OLDEST
        self.is_defined = False
        self.orders_per_account = limits.orders_per_account
        self.cut_ns = 0
        self.state: MarketState = "pre_open"
        self.peers: dict[str, Peer] = {}
        self.book = Book()
        self.gate = Gate()
        self.cancels = Cancels(self.book, self.peers, limits)
        self.tombstones = self.cancels.tombstones.by_account
        self.breaker = Breaker()
        self.switches = Switches()
        self.actions: list[Order] = []  # Set off, in turn; some may have ended meanwhile.
        self.actions_left = 0  # Of this batch.
        self.has_tripped = False  # The breaker, by the command that is being applied.
        self.mark_number = 0
        self.cuts = 0
        self.first_uncut_ns: int | None = None  # When the first trade since the last cut was made.

    def define(self, spec: MarketSpec) -> None:
        """Take on a market's numbers."""
        ensure(not self.is_defined, "a book is one market for ever")
        self.is_defined = True
        self.spec = spec
        self.reference = Reference(spec, self.limits)
        self.orders_per_account = min(spec.orders_per_account_max, self.limits.orders_per_account)
        self.cut_ns = spec.cut_s * SECOND_NS
        self.gate.orders_per_account = self.orders_per_account
        self.gate.orders_per_book = self.limits.orders_per_book

    def check(self) -> None:
        """Claim what must hold between two batches."""
        self.book.check()
        self.reference.check()
        self.cancels.tombstones.check()
        self.switches.check()
        is_open = self.state in OPEN_STATES
        ensure(not (is_open and self.book.is_crossed), "an open book is never crossed")
        ensure(len(self.book.orders) <= self.limits.orders_per_book, "a book has an end")
        ensure(
            all(len(mine) <= self.orders_per_account for mine in self.book.accounts.values()),
            "an account rests no more orders than it may",
        )
        ensure(
            self.book.triggers.trailing <= self.limits.trailing_per_book, "so do those that trail"
        )

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────

    def rest(self, order: Order, turn: Turn) -> None:
        """Let an order, or what is left of it, stand in the book."""
        terms = order.terms
        self.book.add(order)
        place = (terms.side, terms.price_ticks, order.open_lots)
        turn.events.append(OrderAdded(turn.seq, terms.order_id, terms.account, *place))

    def is_here(self, order: Order) -> bool:
        """Say whether an order rests or waits here still."""
        return self.book.orders.get(order.terms.order_id) is order

    def note_trades(self, executions: list[Execution], turn: Turn) -> None:
        """Count one command's trades: for the reference, triggers, the breaker and the next cut."""
        reference = self.reference.published
        self.reference.note(executions, turn.at_ns)
        if self.first_uncut_ns is None:
            self.first_uncut_ns = turn.at_ns
        if self.rules < EXTRAS_SINCE:
            return
        first, last = executions[0].price_ticks, executions[-1].price_ticks
        if self.book.triggers.waiting:
            self.see("last", (first,) if last == first else (first, last))
        else:
            self.book.triggers.last.price = last
        breaker = self.breaker
        if breaker.terms.ppm and self.state == "trading":
            trips = breaker.is_tripped_by
            if trips(first, reference) or trips(last, reference):
                self.has_tripped = True

    def note_auction(self, executions: list[Execution], turn: Turn) -> None:
        """Count an auction's trades: for the reference and the next cut. They set nothing off."""
        self.reference.note(executions, turn.at_ns)
        if self.first_uncut_ns is None:
            self.first_uncut_ns = turn.at_ns
        self.book.triggers.sources["last"].price = executions[-1].price_ticks

    def see(self, source: TriggerBy, prices: tuple[int, ...]) -> None:
        """Note prices, and which orders they set off: those act in the order they were placed."""
        triggers = self.book.triggers
        if self.state != "trading":
            triggers.sources[source].price = prices[-1]
            return
        fired = [order for price in prices for order in triggers.see(source, price)]
        if fired:
            self.actions += sorted(fired, key=lambda order: order.number)

    # ── The market's state, and who is told of it ───────────────────────────────────────────────

    def set_state(self, state: MarketState, reason: str, turn: Turn) -> None:
        """Enter a state, and tell market and partitions."""
        self.state = state
        turn.events.append(from_book.StateChanged(turn.seq, state, reason))
        self.publish(turn)

    def publish(self, turn: Turn) -> None:
        """Tell all partitions the reference and the state."""
        self.reference.publish(turn.at_ns)
        self.gate.move(self.spec, self.reference, self.state)
        for name in self.peers:
            turn.send(name, from_book.Reference(self.reference.published, self.state))

    def link(self, name: str) -> Peer | None:
        """Know a partition from now on, once. None if the name is no partition's."""
        partition = partition_named(name)
        if partition is None:
            return None
        return self.peers.setdefault(name, Peer(name, partition))

    def refuse_command(self, code: str, turn: Turn) -> None:
        """Note a command that makes no sense here; nothing changed."""
        turn.events.append(from_book.CommandRefused(turn.seq, code))

    def end_all(self, account: int, code: str) -> None:
        """Put all that an account has here on the work list, without an answer."""
        left = [order.terms.order_id for order in self.book.resting_of(account)]
        if left:
            self.cancels.add_silent(left, code)

    def end_everything(self) -> None:
        """Put all orders on the work list: the market is no more."""
        if self.book.orders:
            self.cancels.add_silent(list(self.book.orders), codes.DELISTED)
