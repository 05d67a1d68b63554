"""The state machine of one market: orders and cancels in, reports and trades out."""

from collections.abc import Sequence
from typing import assert_never, cast

import msgspec

from apps.common.kernel.ids import PARTITIONS_MAX, StreamId
from apps.common.kernel.invariants import ensure
from apps.journals.contracts import LinkAdd, RulesSet, SkipCommand
from apps.journals.machine import Input, Origin, Outputs
from matching_worker.contracts import from_book
from matching_worker.contracts.market import (
    RULES_NEWEST,
    BreakerSet,
    MarketState,
    MarketStateSet,
    MarkSet,
    ReferenceSet,
)
from matching_worker.contracts.to_book import (
    AmendHeld,
    BookCancel,
    BookCommand,
    CancelAccount,
    CancelAfter,
    CancelOrders,
    ExtraOrder,
    HeldOrder,
    HeldPair,
    Hello,
    LinkMessage,
    MarketDefine,
)
from matching_worker.engine import codes, state
from matching_worker.engine.acting import act, expire, settle
from matching_worker.engine.amends import amend
from matching_worker.engine.auction import uncross
from matching_worker.engine.breaker import NOT_PAUSED
from matching_worker.engine.core import EXTRAS_SINCE, OPEN_STATES, BookCore
from matching_worker.engine.limits import CANCEL_AFTER_NS_MAX, LIMITS, Limits
from matching_worker.engine.peers import Peer
from matching_worker.engine.placing import place, place_pair
from matching_worker.engine.turn import Turn
from matching_worker.engine.ways import PURE, Way

_SILENCE = Outputs()


class BookMachine(BookCore):
    """One market's book. Same headers and frames in: same outputs, on any machine, any day."""

    def __init__(self, limits: Limits = LIMITS, way: Way = PURE) -> None:
        super().__init__(limits)
        self._turn = Turn()
        self._way = way

    # ── What the runtime calls ──────────────────────────────────────────────────────────────────

    def configure(self, commands: Sequence[msgspec.Struct]) -> None:
        """Become the market that the genesis names, linked with its partitions."""
        for command in commands:
            if isinstance(command, MarketDefine):
                self.define(command.spec)
            elif isinstance(command, LinkAdd):
                ensure(self.link(command.peer) is not None, "a book's peers are partitions")
        ensure(self.is_defined, "a book's genesis defines its market")

    def begin(self, at_ns: int, out: Outputs) -> None:
        """Fire what became due by `at_ns`."""
        ensure(at_ns >= self.at_ns, "header time never goes back")
        turn = self._turn
        turn.start(self.seq, at_ns, out)
        self.at_ns = at_ns
        self.reference.age(at_ns)
        self.cancels.start_batch(turn)
        for account in self.switches.fire(at_ns):
            self.end_all(account, codes.CANCEL_AFTER)
        self.cancels.go_on(turn)
        expire(self, turn)
        if NOT_PAUSED < self.breaker.due_ns <= at_ns:
            self.set_state(*self.breaker.go_on(at_ns), turn)
        self.actions_left = self.limits.actions
        if self.actions and self.state == "trading":
            act(self, turn)
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
            cancels = cast("Sequence[BookCancel]", commands)
            self._way.cancel_frame(self, cancels, origin.source, turn, self._cancel)
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
            self.publish(turn)
        turn.start(self.seq, at_ns, _SILENCE)  # The batch is the runtime's to keep or free.

    def due_ns(self) -> int | None:
        """Return when the next timer is due by header time, or None."""
        if self.state == "trading" and any(self.is_here(order) for order in self.actions):
            return self.at_ns
        pause_ns = self.breaker.due_ns
        timers = (
            None if self.first_uncut_ns is None else self.first_uncut_ns + self.cut_ns,
            self.cancels.due_ns(self.at_ns),
            self.reference.due_ns(),
            self.switches.due_ns(),
            self.book.expiries.peekitem(0)[0][0] if self.book.expiries else None,
            None if pause_ns == NOT_PAUSED else pause_ns,
        )
        return min((timer for timer in timers if timer is not None), default=None)

    def set_rules(self, number: int) -> None:
        """Behave by this rules version from now on."""
        ensure(0 < number <= RULES_NEWEST, "this build knows the rules it is told to follow")
        self.rules = number
        self.cancels.says_when_unsure = number >= EXTRAS_SINCE

    def dump(self) -> object:
        """Return the state as plain lists, maps, strings and 64-bit integers."""
        return state.dump(self)

    def load(self, state_dumped: object) -> None:
        """Take the place of the machine whose `dump` this was, whatever this one was before."""
        self.__init__(self.limits, self._way)  # type: ignore[misc]
        state.load(self, state_dumped)
        self.set_rules(self.rules)

    @property
    def ready(self) -> bool:
        """Whether every linked partition has said hello."""
        return bool(self.peers) and all(peer.greeted for peer in self.peers.values())

    # ── From partitions ─────────────────────────────────────────────────────────────────────────

    def _hear(self, origin: Origin, messages: Sequence[LinkMessage], turn: Turn) -> None:
        peer = self.peers.get(origin.peer) or self.link(origin.peer)
        if peer is not None and HeldOrder in map(type, messages):
            self._way.place_frame(self, messages, peer, turn, self._hear_one)
        else:
            for message in messages:
                self.seq = turn.seq = self.seq + 1
                self._hear_one(message, peer, turn)
        if peer is not None and origin.passed > peer.passed:
            peer.passed = origin.passed

    def _hear_one(self, message: LinkMessage, peer: Peer | None, turn: Turn) -> None:
        if peer is None:
            self.refuse_command(codes.BAD_LINK, turn)
            return
        self._heed(message, peer, turn)
        if self.has_tripped or self.actions:
            settle(self, turn)

    def _heed(self, message: LinkMessage, peer: Peer, turn: Turn) -> None:
        match message:
            case HeldOrder():
                place(self, message, None, peer, turn)
            case ExtraOrder():
                place(self, message.order, message.extras, peer, turn)
            case HeldPair():
                place_pair(self, message, peer, turn)
            case AmendHeld():
                amend(self, message, peer, turn)
            case CancelAccount():
                self._end_account(message, peer, turn)
            case Hello():
                self._greet(message, peer, turn)
            case _:
                assert_never(message)

    def _end_account(self, told: CancelAccount, peer: Peer, turn: Turn) -> None:
        if told.account % PARTITIONS_MAX != peer.partition:
            self.refuse_command(codes.WRONG_PARTITION, turn)
            return
        self.end_all(told.account, told.code)
        self.cancels.go_on(turn)

    def _greet(self, hello: Hello, peer: Peer, turn: Turn) -> None:
        """Note that a partition is there, and tell it how the market stands."""
        if hello.partition != peer.partition:
            self.refuse_command(codes.BAD_LINK, turn)
            return
        peer.greeted = True
        turn.send(peer.name, from_book.Reference(self.reference.published, self.state))

    # ── From edges and operators ────────────────────────────────────────────────────────────────

    def _cancel(self, command: BookCancel, source: bytes, turn: Turn) -> None:
        if isinstance(command, CancelOrders):
            self.cancels.cancel(command, source, turn)
        else:
            self._set_switch(command, source, turn)

    def _set_switch(self, asked: CancelAfter, source: bytes, turn: Turn) -> None:
        """Set a dead man's switch, or take it back."""
        is_new = asked.account not in self.switches.due
        if turn.at_ns > asked.deadline_ns:
            turn.cancel_refused(source, asked.request, codes.TOO_LATE)
        elif asked.delay_ns > CANCEL_AFTER_NS_MAX:
            turn.cancel_refused(source, asked.request, codes.BAD_TERMS)
        elif not asked.delay_ns:
            self.switches.take_back(asked.account)
            turn.after_set(source, asked.request, 0)
        elif is_new and len(self.switches.due) >= self.limits.switches:
            turn.cancel_refused(source, asked.request, codes.UNDECIDED)
        else:
            due_ns = turn.at_ns + asked.delay_ns
            self.switches.set(asked.account, due_ns)
            turn.after_set(source, asked.request, due_ns)

    def _operate(self, command: BookCommand | LinkAdd | RulesSet | SkipCommand, turn: Turn) -> None:
        match command:
            case MarketStateSet():
                self._be_told_state(command.state, command.reason, turn)
            case ReferenceSet():
                self.reference.fallback = command.ticks
            case BreakerSet():
                self.breaker.terms = command
            case MarkSet():
                if command.number > self.mark_number:
                    self.mark_number = command.number
                    self.see("mark", (command.ticks,))
            case LinkAdd():
                if self.link(command.peer) is None:
                    self.refuse_command(codes.BAD_LINK, turn)
            case MarketDefine():
                self.refuse_command(codes.ALREADY_DEFINED, turn)
            case RulesSet() | SkipCommand():
                pass  # The runtime's own; they count as commands all the same.
            case _:
                assert_never(command)
        if self.actions:
            settle(self, turn)

    def _be_told_state(self, told: MarketState, reason: str, turn: Turn) -> None:
        """Enter the state that an operator wants: it ends a pause, and an auction."""
        if self.state == "delisted":
            self.refuse_command(codes.DELISTED, turn)
            return
        self.breaker.forget()
        if told in OPEN_STATES and (self.state == "auction" or self.book.is_crossed):
            uncross(self, turn)
        self.set_state(told, reason, turn)
        if told == "delisted":
            self.end_everything()
            self.cancels.go_on(turn)

    def _cut(self, out: Outputs) -> None:
        """Mark one point of the book's order in all links: trades before it are in cut n."""
        self.cuts += 1
        self.first_uncut_ns = None
        for name in self.peers:
            out.send(name, from_book.CutMark(self.cuts))
        out.events.append(from_book.CutTaken(self.cuts, self.book.trades))
