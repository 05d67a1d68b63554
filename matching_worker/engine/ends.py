"""How orders that stand here end otherwise than by their last fill, and pairs part."""

from matching_worker.contracts.market import EndReason
from matching_worker.engine import codes
from matching_worker.engine.book import Book
from matching_worker.engine.orders import Order
from matching_worker.engine.turn import Turn


def end(book: Book, order: Order, ended: EndReason, code: str, turn: Turn) -> list[Order]:
    """Take an order out and tell its owner. Returns it, and the other leg that ended with it."""
    book.remove(order)
    turn.tell_owner(order, ended, code)
    other = part(book, order, turn) if order.other else None
    return [order] if other is None else [order, other]


def part(book: Book, order: Order, turn: Turn) -> Order | None:
    """End the other order of a pair, because this one traded, was set off, or ended."""
    other = book.orders.get(order.other)
    order.other = 0
    if other is None:
        return None
    other.other = 0
    book.remove(other)
    turn.tell_owner(other, "canceled", codes.OTHER_LEG)
    return other
