"""A book that does what a test says, within the rules of its reports. It matches nothing.

It counts by itself what is filled, at which version, and which order of a pair is left; so a word
that a real book could not say fails here. What is said goes out with its next batch.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from apps.common.kernel.ids import StreamId
from apps.journals.machine import Input, Origin, Outputs
from matching_worker.contracts import from_book as say
from matching_worker.contracts.market import EndReason, MarketSpec, MarketState, MarketStateSet
from matching_worker.contracts.to_book import (
    AmendHeld,
    CancelAccount,
    ExtraOrder,
    HeldOrder,
    HeldPair,
    OrderExtras,
)

PLAIN = OrderExtras()


class Known(msgspec.Struct):
    """An order as the book knows it."""

    peer: str
    order: HeldOrder
    extras: OrderExtras
    version: int
    lots: int
    other: int = 0  # The other order of its pair, while that is open.
    waits: bool = False
    filled: int = 0
    cum_quote: int = 0


class ScriptedBook:
    """The verbs of a machine for the runtime's part, and the verbs of a book for the test."""

    def __init__(self, spec: MarketSpec, partitions: Sequence[str], *, admits: bool = True) -> None:
        self.spec = spec
        self.partitions = partitions
        self.admits = (
            admits  # Let everything rest as it comes. Else the test says what becomes of it.
        )
        self.seq = self.at_ns = self.trades = 0
        self.heard: list[msgspec.Struct] = []
        self.new: list[int] = []  # Came, and had no first report yet.
        self.orders: dict[int, Known] = {}
        self.amends: list[AmendHeld] = []
        self.frozen: list[int] = []
        self.saying: list[tuple[str, msgspec.Struct]] = []

    # ── What the runtime calls ──────────────────────────────────────────────────────────────────

    def begin(self, at_ns: int, out: Outputs) -> None:
        self.at_ns = at_ns

    def apply(
        self, origin: Origin, commands: Sequence[msgspec.Struct], at_ns: int, out: Outputs
    ) -> None:
        for command in commands:
            self.seq += 1
            if isinstance(command, MarketStateSet):
                self.tells(command.state)
            elif origin.kind is Input.LINK:
                self.heard.append(command)
                self._hear(command, origin.peer)

    def end(self, at_ns: int, passed: StreamId, out: Outputs) -> None:
        for peer, message in self.saying:
            out.send(peer, message)
        self.saying.clear()

    def due_ns(self) -> None:
        return None

    def check(self) -> None:
        pass

    def _hear(self, message: msgspec.Struct, peer: str) -> None:
        match message:
            case HeldOrder():
                self._know([ExtraOrder(message, PLAIN)], peer)
            case ExtraOrder():
                self._know([message], peer)
            case HeldPair():
                self._know([message.first, message.second], peer)
            case AmendHeld():
                self.amends.append(message)
            case CancelAccount():
                self.frozen.append(message.account)

    def _know(self, legs: list[ExtraOrder], peer: str) -> None:
        numbers = [leg.order.order_id for leg in legs]
        others = numbers[::-1] if len(legs) == 2 else [0]
        for leg, other in zip(legs, others, strict=True):
            held = leg.order
            waits = leg.extras.trigger != ""
            known = Known(peer, held, leg.extras, held.version, held.lots, other, waits)
            self.orders[held.order_id] = known
        self.new += numbers
        if self.admits:
            for number in numbers:
                self.lets_in(number)

    # ── What a test lets it do ──────────────────────────────────────────────────────────────────

    def tells(self, state: MarketState, ticks: int | None = None) -> None:
        """Publish the market's state and its reference."""
        for peer in self.partitions:
            self._say(peer, say.Reference(ticks or self.spec.reference_ticks, state))

    def lets_in(
        self,
        number: int,
        *fills: tuple[int, int],
        ended: EndReason | None = None,
        code: str = "",
    ) -> None:
        """Give the first report: with fills (lots, price), and an end if it ended."""
        self.new.remove(number)
        known = self.orders[number]
        assert not (known.waits and fills), "what waits does not trade"
        executions = [self._fill(known, lots, price, "T") for lots, price in fills]
        if executions and ended == "filled":
            executions[-1] = msgspec.structs.replace(executions[-1], ended="filled")
        report = say.FirstReport(
            number, known.version, self.seq, self.at_ns, executions, ended, code
        )
        self._say(known.peer, report)
        if ended:
            self.orders.pop(number)
        if executions:
            self._end_other(known)

    def refuses(self, number: int, code: str) -> None:
        """Turn a new order away: a pair both, with the other leg's own code."""
        other = self.orders[number].other
        for each in sorted(filter(None, (number, other))):
            self.lets_in(each, ended="refused", code=code if each == number else "other_leg")

    def fills(self, number: int, *, lots: int, at: int) -> None:
        """Trade a resting order (or one that was set off)."""
        known = self.orders[number]
        assert number not in self.new, "the first report comes first"
        assert not known.waits, "what waits does not trade"
        execution = self._fill(known, lots, at, "M")
        is_whole = known.filled == known.lots
        ended = "filled" if is_whole else None
        self._say(known.peer, msgspec.structs.replace(execution, ended=ended))
        if is_whole:
            self.orders.pop(number)
        self._end_other(known)

    def ends(self, number: int, ended: EndReason = "canceled", code: str = "") -> None:
        """End an order without a fill, and the other one of its pair after it."""
        known = self.orders.pop(number)
        self._say(
            known.peer,
            say.OrderEnd(
                number,
                known.version,
                self.seq,
                self.at_ns,
                ended,
                code,
                known.filled,
                known.cum_quote,
            ),
        )
        self._end_other(known)

    def sets_off(self, number: int, *, at: int) -> None:
        """Let a waiting order act: the other one of its pair ends before."""
        known = self.orders[number]
        self._end_other(known)
        known.waits = False
        report = say.Triggered(number, known.version, self.seq, self.at_ns, at)
        self._say(known.peer, report)

    def answers_amend(self, code: str = "") -> None:
        """Do the oldest amend that waits, or refuse it; what is gone is `unknown_order`."""
        asked = self.amends.pop(0)
        known = self.orders.get(asked.order_id)
        code = "unknown_order" if known is None else code
        if known is not None and not code:
            assert asked.version == known.version + 1
            assert known.filled == asked.expected_filled < asked.lots < known.lots
            known.version, known.lots = asked.version, asked.lots
        peer = self.partitions[asked.account % 1024]
        report = say.Amended(asked.order_id, asked.version, self.seq, self.at_ns, asked.lots, code)
        self._say(peer, report)

    def _fill(self, known: Known, lots: int, price: int, liquidity: str) -> say.Execution:
        held = known.order
        cost = lots * price * self.spec.quote_per_tick_lot
        self.trades += 1
        known.filled += lots
        known.cum_quote += cost
        assert not known.lots or known.filled <= known.lots
        assert held.kind != "M" or held.side != "B" or known.cum_quote <= int(held.budget)
        return say.Execution(
            self.trades,
            held.order_id,
            known.version,
            price,
            lots,
            liquidity,  # type: ignore[arg-type]
            known.filled,
            known.cum_quote,
            None,
            self.seq,
            self.at_ns,
        )

    def _end_other(self, known: Known) -> None:
        number, known.other = known.other, 0
        other = self.orders.get(number)
        if other is None or other.other == 0:
            return
        other.other = 0
        if number in self.new:
            self.lets_in(number, ended="canceled", code="other_leg")
        else:
            self.ends(number, "canceled", "other_leg")

    def _say(self, peer: str, message: msgspec.Struct) -> None:
        self.seq = max(self.seq, 1)
        self.saying.append((peer, message))
