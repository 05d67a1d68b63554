"""Cancels that came before their order: each refuses it when it comes, and may owe an answer.

A tombstone ends once the partition's link has passed its mark: nothing from before can come then.
"""

from collections import OrderedDict

from sortedcontainers import SortedDict

from apps.common.kernel.ids import StreamId, partition_of
from apps.common.kernel.invariants import ensure
from matching_worker.contracts.from_book import CanceledOrder
from matching_worker.contracts.to_book import CancelOrders, HeldOrder
from matching_worker.engine.limits import Limits

Mark = tuple[StreamId, int]


class Tombstone:
    """One cancel that waits. Order id 0 and client id "" mean all of the account's orders."""

    __slots__ = (
        "account",
        "canceled",
        "client_id",
        "expires_ns",
        "number",
        "order_id",
        "request",
        "source",
        "up_to",
    )

    def __init__(self, number: int, command: CancelOrders, source: bytes, expires_ns: int) -> None:
        self.number = number
        self.account = command.account
        self.order_id = command.order_id
        self.client_id = command.client_id
        self.up_to = command.up_to
        self.source = source
        self.request = command.request
        self.expires_ns = expires_ns
        self.canceled: list[CanceledOrder] = []  # What a cancel of all met while it waited.

    @property
    def means_all(self) -> bool:
        """Whether it names no order."""
        return not self.order_id and not self.client_id

    @property
    def mark(self) -> Mark:
        """Return its place among its partition's tombstones."""
        return self.up_to, self.number

    def meets(self, order: HeldOrder) -> bool:
        """Whether it refuses this order of its account."""
        return (
            order.command <= self.up_to
            and self.order_id in (0, order.order_id)
            and self.client_id in ("", order.client_id)
        )


class Tombstones:
    """All tombstones of a book: by account for orders, by mark for links, by age for answers."""

    __slots__ = ("by_account", "by_mark", "count", "last_number", "limits", "owing")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.by_account: dict[int, dict[int, Tombstone]] = {}
        self.by_mark: dict[int, SortedDict[Mark, Tombstone]] = {}  # Per partition.
        self.owing: OrderedDict[int, Tombstone] = OrderedDict()  # Oldest first.
        self.count = 0
        self.last_number = 0

    def has_room_for(self, account: int) -> bool:
        """Whether one more of this account may be set."""
        mine, limits = self.by_account.get(account, ()), self.limits
        return self.count < limits.tombstones and len(mine) < limits.tombstones_per_account

    def set(self, command: CancelOrders, *, source: bytes, at_ns: int, owes: bool) -> None:
        """Refuse what the command names from now on, until the partition passes its mark."""
        self.last_number += 1
        expires_ns = at_ns + self.limits.undecided_ns
        self.put(Tombstone(self.last_number, command, source, expires_ns), owes=owes)

    def put(self, stone: Tombstone, *, owes: bool) -> None:
        """Enter a tombstone in all three orders."""
        self.by_account.setdefault(stone.account, {})[stone.number] = stone
        self.by_mark.setdefault(partition_of(stone.account), SortedDict())[stone.mark] = stone
        self.count += 1
        if owes:
            self.owing[stone.number] = stone

    def meeting(self, order: HeldOrder) -> list[Tombstone]:
        """Return the tombstones that refuse this order, oldest first."""
        mine = self.by_account.get(order.account)
        return [stone for stone in mine.values() if stone.meets(order)] if mine else []

    def settle(self, stone: Tombstone) -> bool:
        """Note that its answer is given now. False if it was given before."""
        return self.owing.pop(stone.number, None) is not None

    def passed(self, partition: int, mark: StreamId) -> list[Tombstone]:
        """Drop and return what a partition has passed, by mark."""
        marks = self.by_mark.get(partition)
        dropped: list[Tombstone] = []
        while marks and marks.peekitem(0)[0][0] <= mark:
            stone = marks.popitem(0)[1]
            mine = self.by_account[stone.account]
            del mine[stone.number]
            if not mine:
                del self.by_account[stone.account]
            dropped.append(stone)
        if marks is not None and not marks:
            del self.by_mark[partition]
        self.count -= len(dropped)
        return dropped

    def overdue(self, at_ns: int) -> list[Tombstone]:
        """Return those whose answer can wait no longer. They go on refusing."""
        late: list[Tombstone] = []
        for stone in self.owing.values():
            if stone.expires_ns > at_ns:
                break
            late.append(stone)
        return late

    def due_ns(self) -> int | None:
        """Return when the oldest answer is overdue, or None."""
        return next(iter(self.owing.values())).expires_ns if self.owing else None

    def check(self) -> None:
        """Claim that the three orders hold the same tombstones."""
        numbers = {number for mine in self.by_account.values() for number in mine}
        marked = [stone.number for marks in self.by_mark.values() for stone in marks.values()]
        ensure(len(numbers) == self.count == len(marked), "a tombstone stands in both, once")
        ensure(numbers == set(marked) and numbers >= set(self.owing), "and what owes is among them")
        drawers = [*self.by_account.values(), *self.by_mark.values()]
        ensure(all(drawers), "no empty drawer is kept")
