"""The command being applied: its number, its time, and where its outputs go."""

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.common.kernel.money import wide
from apps.journals.keys import worker_of_partition
from apps.journals.machine import Outputs
from matching_worker.contracts.from_book import (
    AfterSet,
    CancelDone,
    CanceledOrder,
    CancelRefused,
    FirstReport,
    OrderEnd,
    OrderRemoved,
    OrderTurnedAway,
    StopEnded,
)
from matching_worker.contracts.market import EndReason
from matching_worker.contracts.to_book import HeldOrder
from matching_worker.engine.orders import Order

PEERS = tuple(worker_of_partition(partition) for partition in range(PARTITIONS_MAX))


def peer_of(account: int) -> str:
    """Name the risk partition that owns an account."""
    return PEERS[account % PARTITIONS_MAX]


class Turn:
    """What every part of the book needs to speak: one object, moved on by the machine."""

    __slots__ = ("at_ns", "events", "links", "out", "replies", "send", "seq")

    def __init__(self) -> None:
        self.start(0, 0, Outputs())

    def start(self, seq: int, at_ns: int, out: Outputs) -> None:
        """Speak into these outputs from now on."""
        self.seq = seq
        self.at_ns = at_ns
        self.out = out
        self.events = out.events
        self.links = out.links  # To append to, where `send` would be felt: a call more.
        self.replies = out.replies
        self.send = out.send

    def tell_owner(self, order: Order, ended: EndReason, code: str) -> None:
        """Give an order that stood here its terminal report, and the market the news."""
        terms = order.terms
        if order.number:
            event: StopEnded | OrderRemoved = StopEnded(
                self.seq, terms.order_id, terms.account, ended
            )
        else:
            event = OrderRemoved(
                self.seq,
                terms.order_id,
                terms.account,
                terms.side,
                terms.price_ticks,
                order.open_lots,
                ended,
            )
        self.events.append(event)
        self.end(order, ended, code)

    def end(self, order: Order, ended: EndReason, code: str) -> None:
        """Give an order its terminal report."""
        terms = order.terms
        self.links[PEERS[terms.account % PARTITIONS_MAX]].append(
            OrderEnd(
                terms.order_id,
                terms.version,
                self.seq,
                self.at_ns,
                ended,
                code,
                order.filled_lots,
                wide(order.cum_quote),
            )
        )

    def turn_away(self, order: HeldOrder, ended: EndReason, code: str, *, peer: str) -> None:
        """Answer an order that never met the book."""
        self.send(
            peer, FirstReport(order.order_id, order.version, self.seq, self.at_ns, [], ended, code)
        )
        self.note_turned_away(order, ended, code)

    def note_turned_away(self, order: HeldOrder, ended: EndReason, code: str) -> None:
        """Tell the market that an order, or the rest of it, never rested."""
        self.events.append(OrderTurnedAway(self.seq, order.order_id, order.account, ended, code))

    def cancel_done(self, source: bytes, request: int, orders: list[CanceledOrder]) -> None:
        """Answer a cancel with what it ended."""
        # A frame's number is the runtime's to give; who waits for it follows the reply's batch.
        self.replies[source].append(CancelDone(request, self.seq, self.at_ns, orders, 0))

    def cancel_refused(self, source: bytes, request: int, code: str) -> None:
        """Answer a cancel that ended nothing."""
        self.out.reply(source, CancelRefused(request, self.seq, code))

    def after_set(self, source: bytes, request: int, due_ns: int) -> None:
        """Answer that a dead man's switch stands so."""
        self.out.reply(source, AfterSet(request, self.seq, due_ns))


def as_canceled(terms: HeldOrder, filled_lots: int, cum_quote: int) -> CanceledOrder:
    """Describe an order that a cancel ended, perhaps before it came to rest."""
    return CanceledOrder(
        terms.order_id,
        terms.client_id,
        terms.side,
        terms.kind,
        terms.time_in_force,
        terms.post_only,
        terms.price_ticks,
        terms.lots,
        filled_lots,
        wide(cum_quote),
    )
