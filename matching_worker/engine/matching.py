"""How orders meet: best price first, then oldest first, at the resting order's price."""

import msgspec

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.common.kernel.money import wide
from matching_worker.contracts.from_book import Execution, Trade
from matching_worker.engine import codes
from matching_worker.engine.book import Book, HalfBook, Order
from matching_worker.engine.turn import PEERS, Turn


class Bounds(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How far a taker goes: to a price, to the end of a budget, to a number of fills."""

    far: HalfBook
    key: int  # The last level's key that the taker accepts.
    budget: int | None  # Quote minor units; None if lots alone bound the taker.
    fills: int
    unit: int  # Quote minor units of one lot at a price of one tick.


def take(book: Book, taker: Order, bounds: Bounds, turn: Turn) -> tuple[list[Execution], str]:
    """Trade the taker against the far side. Returns its fills, and why it stopped: "" if filled."""
    far, budget, unit = bounds.far, bounds.budget, bounds.unit
    account = taker.terms.account
    by_budget_alone = taker.terms.lots == 0
    executions: list[Execution] = []
    while taker.open_lots > 0:
        if far.best > bounds.key:
            return executions, codes.NO_LIQUIDITY
        level = far.levels[far.best]
        maker = level.first
        if maker.terms.account == account:
            return executions, codes.SELF_TRADE
        if len(executions) == bounds.fills:
            return executions, codes.FILL_LIMIT
        lots = min(maker.open_lots, taker.open_lots)
        cost_of_a_lot = maker.terms.price_ticks * unit
        if budget is not None:
            lots = min(lots, budget // cost_of_a_lot)
            if lots == 0:
                return executions, codes.BUDGET_SPENT
            budget -= lots * cost_of_a_lot
            if by_budget_alone and budget < cost_of_a_lot:
                taker.open_lots = lots  # No later price is better: this fill completes the order.
        level.lots -= lots
        maker.open_lots -= lots
        if maker.open_lots == 0:
            book.remove(maker)
        executions.append(_fill(book, taker, maker, lots, lots * cost_of_a_lot, turn))
    return executions, ""


def can_fill_whole(taker: Order, bounds: Bounds) -> bool:
    """Look, without taking, whether `take` would fill the order to its end."""
    wanted, budget, fills = taker.open_lots, bounds.budget, 0
    for key, level in bounds.far.levels.items():
        if key > bounds.key:
            return False
        cost_of_a_lot = abs(key) * bounds.unit
        for maker in level.orders():
            if maker.terms.account == taker.terms.account or fills == bounds.fills:
                return False
            lots = min(wanted, maker.open_lots)
            if budget is not None:
                lots = min(lots, budget // cost_of_a_lot)
                if lots == 0:
                    return False
                budget -= lots * cost_of_a_lot
                if taker.terms.lots == 0 and budget < cost_of_a_lot:
                    return True
            wanted -= lots
            fills += 1
            if wanted == 0:
                return True
    return False


def _fill(book: Book, taker: Order, maker: Order, lots: int, cost: int, turn: Turn) -> Execution:
    """Note a fill on both sides, tell the market and the maker's owner, return the taker's side."""
    made, took = maker.terms, taker.terms
    price, trade = made.price_ticks, book.trades + 1
    book.trades = trade
    maker.filled_lots += lots
    maker.cum_quote += cost
    taker.open_lots -= lots
    taker.filled_lots += lots
    taker.cum_quote += cost
    turn.events.append(
        Trade(
            turn.seq,
            trade,
            price,
            lots,
            took.side,
            made.order_id,
            took.order_id,
            made.account,
            took.account,
        )
    )
    turn.send(
        PEERS[made.account % PARTITIONS_MAX],
        Execution(
            trade,
            made.order_id,
            made.version,
            price,
            lots,
            "M",
            maker.filled_lots,
            wide(maker.cum_quote),
            None if maker.open_lots else "filled",
            turn.seq,
            turn.at_ns,
        ),
    )
    return Execution(
        trade,
        took.order_id,
        took.version,
        price,
        lots,
        "T",
        taker.filled_lots,
        wide(taker.cum_quote),
        None if taker.open_lots else "filled",
        turn.seq,
        turn.at_ns,
    )
