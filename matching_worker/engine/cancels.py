"""Cancels: what rests ends now, what is on its way is refused when it comes."""

from collections import deque

from matching_worker.contracts.from_book import CanceledOrder, PassedAsk
from matching_worker.contracts.to_book import CancelOrders, HeldOrder
from matching_worker.engine import codes
from matching_worker.engine.book import Book
from matching_worker.engine.ends import end
from matching_worker.engine.limits import CLIENT_ID_LENGTH_MAX, Limits
from matching_worker.engine.orders import Order
from matching_worker.engine.peers import Peer
from matching_worker.engine.tombstones import Tombstone, Tombstones
from matching_worker.engine.turn import Turn, as_canceled, peer_of


class MassCancel:
    """A cancel of all that goes on: the orders that rested when it came, and those it ended."""

    __slots__ = ("canceled", "code", "is_unsure", "left", "request", "source")

    def __init__(
        self, source: bytes, request: int, left: deque[int], canceled: list[CanceledOrder]
    ) -> None:
        self.source = source  # Empty: nobody waits for an answer.
        self.request = request
        self.left = left
        self.canceled = canceled
        self.code = ""  # What the ended orders' owners are told.
        self.is_unsure = False  # An order on its way may come to rest: there was no tombstone.


class Cancels:
    """Every cancel of a book, from its arrival to its one answer."""

    __slots__ = (
        "book",
        "limits",
        "peers",
        "says_when_unsure",
        "steps_left",
        "tombstones",
        "work",
    )

    def __init__(self, book: Book, peers: dict[str, Peer], limits: Limits) -> None:
        self.book = book
        self.peers = peers
        self.limits = limits
        self.tombstones = Tombstones(limits)
        self.work: deque[MassCancel] = deque()
        self.says_when_unsure = False  # From rules version 2 on.
        self.steps_left = 0  # Of this batch; `start_batch` gives new ones.

    def start_batch(self, turn: Turn) -> None:
        """Answer what has waited too long. `go_on` then works on the list."""
        for stone in self.tombstones.overdue(turn.at_ns):
            self._answer(stone, turn, otherwise=codes.UNDECIDED)
        self.steps_left = self.limits.mass_cancel_steps

    def add_silent(self, left: list[int], code: str) -> None:
        """Put orders on the work list that nobody waits for: they must end, room or not."""
        job = MassCancel(b"", 0, deque(left), [])
        job.code = code
        self.work.append(job)

    def cancel(self, command: CancelOrders, source: bytes, turn: Turn) -> None:
        """End what the command names, or wait for it while it may still come."""
        if turn.at_ns > command.deadline_ns:
            turn.cancel_refused(source, command.request, codes.TOO_LATE)
        elif command.order_id or command.client_id:
            order = self.book.named(command.account, command.order_id, command.client_id)
            if order is not None:
                turn.cancel_done(source, command.request, self._end(order, "", turn))
            else:
                self._wait_to_come(command, source, turn)
        else:
            self._cancel_all(command, source, turn)

    def refuses(self, order: HeldOrder, turn: Turn) -> bool:
        """Say whether a tombstone refuses the order, and give the answers that waited for it."""
        stones = self.tombstones.meeting(order)
        for stone in stones:
            if not stone.means_all:
                if self.tombstones.settle(stone):
                    turn.cancel_done(stone.source, stone.request, [as_canceled(order, 0, 0)])
            elif stone.number in self.tombstones.owing:
                stone.canceled.append(as_canceled(order, 0, 0))
                if len(stone.canceled) == self.limits.orders_per_account:
                    self._answer(stone, turn, otherwise=codes.UNDECIDED)  # A list, too, has an end.
        return bool(stones)

    def passed(self, peer: Peer, turn: Turn) -> None:
        """Drop the tombstones that a partition has passed: what they wait for cannot come now."""
        for stone in self.tombstones.passed(peer.partition, peer.passed):
            self._answer(stone, turn, otherwise=codes.UNKNOWN_ORDER)

    def due_ns(self, at_ns: int) -> int | None:
        """Return when there is something to do without a command: at once while work is left."""
        return at_ns if self.work else self.tombstones.due_ns()

    def _wait_to_come(self, command: CancelOrders, source: bytes, turn: Turn) -> None:
        peer = self._peer_to_wait_for(command)
        if peer is None:
            turn.cancel_refused(source, command.request, codes.UNKNOWN_ORDER)
        elif self.tombstones.has_room_for(command.account):
            self._wait(command, source, peer, turn, owes=True)
        else:
            turn.cancel_refused(source, command.request, codes.UNDECIDED)

    def _cancel_all(self, command: CancelOrders, source: bytes, turn: Turn) -> None:
        """End all that rests. With nothing there, the answer waits for what is on its way."""
        resting = self.book.resting_of(command.account)
        if not resting:
            self._wait_to_come(command, source, turn)
            return
        peer = self._peer_to_wait_for(command)
        has_room = self.tombstones.has_room_for(command.account)
        if peer is not None and has_room:
            self._wait(command, source, peer, turn, owes=False)
        if self._has_work_room_for(len(resting)):
            left = deque(order.terms.order_id for order in resting)
            job = MassCancel(source, command.request, left, [])
            job.is_unsure = self.says_when_unsure and peer is not None and not has_room
            self.work.append(job)
            self.go_on(turn)
        else:
            turn.cancel_refused(source, command.request, codes.UNDECIDED)

    def _peer_to_wait_for(self, command: CancelOrders) -> Peer | None:
        """Return the partition from which an order from before the mark may still come, if any."""
        if len(command.client_id) > CLIENT_ID_LENGTH_MAX:
            return None  # No order has such a name, and nobody fills our memory with it.
        peer = self.peers.get(peer_of(command.account))
        return peer if peer is not None and peer.passed < command.up_to else None

    def _wait(
        self, command: CancelOrders, source: bytes, peer: Peer, turn: Turn, *, owes: bool
    ) -> None:
        """Set a tombstone, and ask the partition to say when it has passed the mark."""
        self.tombstones.set(command, source=source, at_ns=turn.at_ns, owes=owes)
        if command.up_to > peer.asked:
            peer.asked = command.up_to
            turn.send(peer.name, PassedAsk(command.up_to))

    def _has_work_room_for(self, orders: int) -> bool:
        named = sum(len(job.left) for job in self.work)
        return (
            len(self.work) < self.limits.mass_cancels
            and named + orders <= self.limits.mass_cancel_orders
        )

    def go_on(self, turn: Turn) -> None:
        """End orders of mass cancels, first come first served, while this batch has steps left."""
        while self.work and self.steps_left > 0:
            job = self.work[0]
            while job.left and self.steps_left > 0:
                self.steps_left -= 1
                order = self.book.orders.get(job.left.popleft())
                if order is not None:  # It may have traded, or been canceled, while it waited here.
                    ended = self._end(order, job.code, turn)
                    if job.source:
                        job.canceled += ended
            if not job.left:
                self.work.popleft()
                self._answer_mass(job, turn)

    def _answer_mass(self, job: MassCancel, turn: Turn) -> None:
        if not job.source:
            return
        if job.is_unsure:
            turn.cancel_refused(job.source, job.request, codes.UNDECIDED)
        elif job.canceled:
            turn.cancel_done(job.source, job.request, job.canceled)
        else:
            turn.cancel_refused(job.source, job.request, codes.UNKNOWN_ORDER)

    def _answer(self, stone: Tombstone, turn: Turn, *, otherwise: str) -> None:
        """Give a waiting cancel its answer, if it still owes one."""
        if not self.tombstones.settle(stone):
            return
        if stone.canceled:
            turn.cancel_done(stone.source, stone.request, stone.canceled)
            stone.canceled = []
        else:
            turn.cancel_refused(stone.source, stone.request, otherwise)

    def _end(self, order: Order, code: str, turn: Turn) -> list[CanceledOrder]:
        return [
            as_canceled(ended.terms, ended.filled_lots, ended.cum_quote)
            for ended in end(self.book, order, "canceled", code, turn)
        ]
