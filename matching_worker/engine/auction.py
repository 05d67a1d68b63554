"""The opening auction: orders that cross trade at the one price at which most can."""

from collections.abc import Iterator

from matching_worker.contracts.from_book import AuctionDone, Execution
from matching_worker.engine.core import BookCore
from matching_worker.engine.ends import part
from matching_worker.engine.matching import execution_of, trade_of
from matching_worker.engine.turn import Turn, peer_of


def uncross(core: BookCore, turn: Turn) -> None:
    """Trade what crosses, and say at which price and how much."""
    price, lots = _best_price(core)
    book, left = core.book, lots
    arrival = {order_id: place for place, order_id in enumerate(book.orders)} if lots else {}
    executions: list[Execution] = []
    while left:
        bid = book.bids.levels[book.bids.best].first
        ask = book.asks.levels[book.asks.best].first
        traded = min(bid.open_lots, ask.open_lots, left)
        is_ask_older = arrival[ask.terms.order_id] < arrival[bid.terms.order_id]
        older, younger = (ask, bid) if is_ask_older else (bid, ask)
        left -= traded
        book.trades += 1
        turn.events.append(trade_of(older, younger, price, traded, book.trades, turn))
        for order in (older, younger):
            book.reduce(order, traded)
            order.filled_lots += traded
            order.cum_quote += traded * price * core.spec.quote_per_tick_lot
            if order.open_lots == 0:
                book.remove(order)
            execution = execution_of(order, price, traded, "M", book.trades, turn)
            turn.send(peer_of(order.terms.account), execution)
            if order.other:
                part(book, order, turn)
        executions.append(execution)
    if executions:
        core.note_auction(executions, turn)
    turn.events.append(AuctionDone(turn.seq, price, lots))


def _best_price(core: BookCore) -> tuple[int, int]:
    """Return the auction's price and size, (0, 0) if nothing crosses.

    Most lots; then the least surplus; then nearest the reference; then the lowest.
    """
    if not core.book.is_crossed:
        return 0, 0
    reference = core.reference.published
    rank, price = min(
        ((-min(buyers, sellers), abs(buyers - sellers), abs(price - reference)), price)
        for price, buyers, sellers in _curves(core)
    )
    return price, -rank[0]


def _curves(core: BookCore) -> Iterator[tuple[int, int, int]]:
    """Yield each limit price with the lots that would buy and that would sell at it."""
    bids, asks = dict(core.book.bids.depth()), dict(core.book.asks.depth())
    buyers, sellers = sum(bids.values()), 0
    for price in sorted(bids.keys() | asks.keys()):
        sellers += asks.get(price, 0)
        yield price, buyers, sellers
        buyers -= bids.get(price, 0)
