"""The state machine of one market: orders and cancels in, reports and trades out."""

from collections.abc import Sequence
from typing import assert_never, cast

import msgspec

from apps.common.kernel.ids import PARTITIONS_MAX, StreamId
from apps.common.kernel.invariants import ensure
from apps.journals.contracts import LinkAdd, RulesSet, SkipCommand
from apps.journals.machine import Input, Origin, Outputs
from matching_worker.contracts import from_book
from matching_worker.contracts.from_book import Execution, FirstReport, OrderAdded
from matching_worker.contracts.market import (
    BUY,
    LIMIT,
    EndReason,
    MarketSpec,
    MarketState,
    MarketStateSet,
    ReferenceSet,
)
from matching_worker.contracts.to_book import (
    BookCommand,
    CancelOrders,
    HeldOrder,
    Hello,
    LinkMessage,
    MarketDefine,
)
from matching_worker.engine import codes, state
from matching_worker.engine.admission import amount_of, wrong_terms
from matching_worker.engine.book import ANY_LOTS, ANY_PRICE, Book, HalfBook, Order
from matching_worker.engine.cancels import Cancels
from matching_worker.engine.limits import LIMITS, SECOND_NS, Limits
from matching_worker.engine.matching import Bounds, can_fill_whole, take
from matching_worker.engine.peers import Peer, partition_named
from matching_worker.engine.reference import Reference
from matching_worker.engine.turn import Turn

RULES_NEWEST = 1


class BookMachine:
    """One market's book. Same headers and frames in: same outputs, on any machine, any day."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.limits = limits
        self.seq = 0
        self.at_ns = 0
        self.rules = RULES_NEWEST
        self.spec = cast(MarketSpec, None)  # `configure` or `load` comes before all else.
        self.reference = cast(Reference, None)
        self.orders_per_account = limits.orders_per_account
        self.cut_ns = 0
        self.state: MarketState = "pre_open"
        self.peers: dict[str, Peer] = {}
        self.book = Book()
        self.cancels = Cancels(self.book, self.peers, limits)
        self.tombstones = self.cancels.tombstones.by_account
        self.cuts = 0
        self.first_uncut_ns: int | None = None  # When the first trade since the last cut was made.
        self._turn = Turn()

    # ── What the runtime calls ──────────────────────────────────────────────────────────────────

    def configure(self, commands: Sequence[msgspec.Struct]) -> None:
        """Become the market that the genesis names, linked with its partitions."""
        for command in commands:
            if isinstance(command, MarketDefine):
                self.define(command.spec)
            elif isinstance(command, LinkAdd):
                ensure(self._link(command.peer) is not None, "a book's peers are partitions")
        ensure(self.spec is not None, "a book's genesis defines its market")

    def define(self, spec: MarketSpec) -> None:
        """Take on a market's numbers."""
        ensure(self.spec is None, "a book is one market for ever")
        self.spec = spec
        self.reference = Reference(spec, self.limits)
        self.orders_per_account = min(spec.orders_per_account_max, self.limits.orders_per_account)
        self.cut_ns = spec.cut_s * SECOND_NS

    def begin(self, at_ns: int, out: Outputs) -> None:
        """Fire what became due by `at_ns`."""
        ensure(at_ns >= self.at_ns, "header time never goes back")
        turn = self._turn
        turn.start(self.seq, at_ns, out)
        self.at_ns = at_ns
        self.reference.age(at_ns)
        self.cancels.start_batch(turn)
        if self.first_uncut_ns is not None and at_ns >= self.first_uncut_ns + self.cut_ns:
            self._cut(out)

    def apply(
        self, origin: Origin, commands: Sequence[msgspec.Struct], at_ns: int, out: Outputs
    ) -> None:
        """Move the book by these commands, in order. A caller's fault is answered, never raised."""
        turn = self._turn
        turn.start(self.seq, at_ns, out)
        if origin.kind is Input.LINK:
            self._hear(origin, cast("Sequence[LinkMessage]", commands), turn)
        elif origin.kind is Input.CANCELS:
            for cancel in cast("Sequence[CancelOrders]", commands):
                self.seq = turn.seq = self.seq + 1
                self.cancels.cancel(cancel, origin.source, turn)
        else:
            for command in commands:
                self.seq = turn.seq = self.seq + 1
                self._operate(cast("BookCommand | LinkAdd | RulesSet | SkipCommand", command), turn)

    def end(self, at_ns: int, passed: StreamId, out: Outputs) -> None:
        """Settle with the partitions that were heard, and publish the reference if it is time."""
        turn = self._turn
        turn.start(self.seq, at_ns, out)
        for peer in self.peers.values():
            self.cancels.passed(peer, turn)
        if self.reference.publish_due(at_ns):
            self._publish(turn)

    def due_ns(self) -> int | None:
        """Return when the next timer is due by header time, or None."""
        cut = None if self.first_uncut_ns is None else self.first_uncut_ns + self.cut_ns
        timers = (cut, self.cancels.due_ns(self.at_ns), self.reference.due_ns())
        return min((timer for timer in timers if timer is not None), default=None)

    def set_rules(self, number: int) -> None:
        """Behave by this rules version from now on."""
        ensure(0 < number <= RULES_NEWEST, "this build knows the rules it is told to follow")
        self.rules = number

    def dump(self) -> object:
        """Return the state as plain lists, maps, strings and 64-bit integers."""
        return state.dump(self)

    def load(self, state_dumped: object) -> None:
        """Take the place of the machine whose `dump` this was, whatever this one was before."""
        self.__init__(self.limits)  # type: ignore[misc]
        state.load(self, state_dumped)

    def check(self) -> None:
        """Claim what must hold between two batches."""
        self.book.check()
        self.reference.check()
        self.cancels.tombstones.check()
        ensure(len(self.book.orders) <= self.limits.orders_per_book, "a book has an end")
        ensure(
            all(len(mine) <= self.orders_per_account for mine in self.book.accounts.values()),
            "an account rests no more orders than it may",
        )

    @property
    def ready(self) -> bool:
        """Whether every linked partition has said hello."""
        return bool(self.peers) and all(peer.greeted for peer in self.peers.values())

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────

    def _hear(self, origin: Origin, messages: Sequence[LinkMessage], turn: Turn) -> None:
        peer = self.peers.get(origin.peer) or self._link(origin.peer)
        for message in messages:
            self.seq = turn.seq = self.seq + 1
            if peer is None:
                self._refuse_command(codes.BAD_LINK, turn)
            elif type(message) is HeldOrder:
                self._place(message, peer, turn)
            else:
                self._greet(cast(Hello, message), peer, turn)
        if peer is not None and origin.passed > peer.passed:
            peer.passed = origin.passed

    def _place(self, order: HeldOrder, peer: Peer, turn: Turn) -> None:
        """Admit an order, let it take what it may, and let the rest of it stand or expire."""
        if order.account % PARTITIONS_MAX != peer.partition:
            turn.turn_away(order, "refused", codes.WRONG_PARTITION, peer=peer.name)
            return
        if order.account in self.tombstones and self.cancels.refuses(order, turn):
            turn.turn_away(order, "canceled", codes.TOMBSTONED, peer=peer.name)
            return
        if code := self._refusal(order, turn.at_ns):
            turn.turn_away(order, "refused", code, peer=peer.name)
            return
        taker = Order(order, order.lots or ANY_LOTS)
        far = self.book.asks if order.side == BUY else self.book.bids
        key = far.sign * order.price_ticks if order.kind == LIMIT else ANY_PRICE
        crosses = far.best <= key
        if crosses and order.post_only:
            turn.turn_away(order, "refused", codes.WOULD_TAKE, peer=peer.name)
        elif not crosses and order.kind == LIMIT and order.time_in_force == "GTC":
            turn.send(peer.name, _first_report(order, [], None, "", turn))
            self._rest(taker, turn)
        else:
            self._take(taker, far, key, peer, turn)

    def _take(self, taker: Order, far: HalfBook, key: int, peer: Peer, turn: Turn) -> None:
        """Trade, and report at once what became of the order."""
        order = taker.terms
        budget = amount_of(order.budget) if order.kind != LIMIT and order.side == BUY else None
        fills, unit = self.limits.fills_per_taker, self.spec.quote_per_tick_lot
        bounds = Bounds(far=far, key=key, budget=budget, fills=fills, unit=unit)
        if order.time_in_force == "FOK" and not can_fill_whole(taker, bounds):
            turn.turn_away(order, "expired", codes.NOT_FILLABLE, peer=peer.name)
            return
        executions, code = take(self.book, taker, bounds, turn)
        if executions:
            self._note_trades(executions, turn.at_ns)
        if not code:
            turn.send(peer.name, _first_report(order, executions, "filled", "", turn))
        elif code == codes.NO_LIQUIDITY and order.kind == LIMIT and order.time_in_force == "GTC":
            turn.send(peer.name, _first_report(order, executions, None, "", turn))
            self._rest(taker, turn)
        else:
            turn.send(peer.name, _first_report(order, executions, "expired", code, turn))
            turn.note_turned_away(order, "expired", code)

    def _refusal(self, order: HeldOrder, at_ns: int) -> str:
        """Return why the order may not come in, or ""."""
        if at_ns > order.deadline_ns:
            return codes.TOO_LATE
        if self.state != "trading":
            return codes.MARKET_NOT_OPEN
        return wrong_terms(order, self.spec) or self._no_place_for(order)

    def _no_place_for(self, order: HeldOrder) -> str:
        """Return why the book has no place for an order that makes sense by itself, or ""."""
        book = self.book
        mine = book.accounts.get(order.account, ())
        code = ""
        if order.order_id in book.orders or order.client_id in mine:
            code = codes.ORDER_EXISTS
        elif order.kind != LIMIT:
            pass  # It has no price, and never rests.
        elif not self.reference.low <= order.price_ticks <= self.reference.high:
            code = codes.PRICE_OUT_OF_BAND
        elif order.time_in_force != "GTC":
            pass  # It never rests.
        elif len(mine) >= self.orders_per_account:
            code = codes.TOO_MANY_ORDERS
        elif len(book.orders) >= self.limits.orders_per_book:
            code = codes.BOOK_FULL
        return code

    def _rest(self, order: Order, turn: Turn) -> None:
        terms = order.terms
        self.book.add(order)
        place = (terms.side, terms.price_ticks, order.open_lots)
        turn.events.append(OrderAdded(turn.seq, terms.order_id, terms.account, *place))

    def _note_trades(self, executions: list[Execution], at_ns: int) -> None:
        self.reference.note(executions, at_ns)
        if self.first_uncut_ns is None:
            self.first_uncut_ns = at_ns

    # ── Configuration, partitions and timers ────────────────────────────────────────────────────

    def _operate(self, command: BookCommand | LinkAdd | RulesSet | SkipCommand, turn: Turn) -> None:
        match command:
            case MarketStateSet():
                self.state = command.state
                turn.events.append(from_book.StateChanged(turn.seq, command.state, command.reason))
                self._publish(turn)
            case ReferenceSet():
                self.reference.fallback = command.ticks
            case LinkAdd():
                if self._link(command.peer) is None:
                    self._refuse_command(codes.BAD_LINK, turn)
            case MarketDefine():
                self._refuse_command(codes.ALREADY_DEFINED, turn)
            case RulesSet() | SkipCommand():
                pass  # The runtime's own; they count as commands all the same.
            case _:
                assert_never(command)

    def _greet(self, hello: Hello, peer: Peer, turn: Turn) -> None:
        """Note that a partition is there, and tell it how the market stands."""
        if hello.partition != peer.partition:
            self._refuse_command(codes.BAD_LINK, turn)
            return
        peer.greeted = True
        turn.send(peer.name, from_book.Reference(self.reference.published, self.state))

    def _link(self, name: str) -> Peer | None:
        """Know a partition from now on, once. None if the name is no partition's."""
        partition = partition_named(name)
        if partition is None:
            return None
        return self.peers.setdefault(name, Peer(name, partition))

    def _publish(self, turn: Turn) -> None:
        self.reference.publish(turn.at_ns)
        for name in self.peers:
            turn.send(name, from_book.Reference(self.reference.published, self.state))

    def _cut(self, out: Outputs) -> None:
        """Mark one point of the book's order in all links: trades before it are in cut n."""
        self.cuts += 1
        self.first_uncut_ns = None
        for name in self.peers:
            out.send(name, from_book.CutMark(self.cuts))
        out.events.append(from_book.CutTaken(self.cuts, self.book.trades))

    def _refuse_command(self, code: str, turn: Turn) -> None:
        turn.events.append(from_book.CommandRefused(turn.seq, code))


def _first_report(
    order: HeldOrder, executions: list[Execution], ended: EndReason | None, code: str, turn: Turn
) -> FirstReport:
    return FirstReport(order.order_id, order.version, turn.seq, turn.at_ns, executions, ended, code)
