"""How orders meet: best price first, then oldest first, at the resting order's price."""

import msgspec

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.common.kernel.money import wide
from matching_worker.contracts.from_book import Execution, Trade
from matching_worker.contracts.market import Liquidity
from matching_worker.contracts.to_book import OrderExtras
from matching_worker.engine import codes
from matching_worker.engine.book import Book, HalfBook
from matching_worker.engine.ends import end, part
from matching_worker.engine.orders import Order
from matching_worker.engine.turn import PEERS, Turn

_GONE = "gone"  # The owner's resting order ended: the taker goes on with the next.


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
    account, extras = taker.terms.account, taker.extras
    group = 0 if extras is None else extras.group
    by_budget_alone = taker.terms.lots == 0
    executions: list[Execution] = []
    ended = 0  # The owner's own orders that ended on the way; each counts as a fill.
    while taker.open_lots > 0:
        if far.best > bounds.key:
            return executions, codes.NO_LIQUIDITY
        level = far.levels[far.best]
        maker = level.first
        if maker.terms.account == account or (group and _group_of(maker) == group):
            has_steps = len(executions) + ended < bounds.fills
            verdict = _meet_own(book, maker, extras, has_steps=has_steps, turn=turn)
            if verdict == _GONE:
                ended += 1
                continue
            if verdict:
                return executions, verdict
        if len(executions) + ended == bounds.fills:
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
        if maker.other:
            part(book, maker, turn)
    return executions, ""


def _meet_own(
    book: Book, maker: Order, extras: OrderExtras | None, *, has_steps: bool, turn: Turn
) -> str:
    """Say what becomes of a taker that meets its owner's order: _GONE, why it stops, or ""."""
    mode = "T" if extras is None else extras.self_trade
    if mode == "T":
        return codes.SELF_TRADE
    if mode == "N" or not has_steps:
        return ""
    end(book, maker, "expired", codes.SELF_TRADE, turn)
    return _GONE if mode == "M" else codes.SELF_TRADE


def _group_of(order: Order) -> int:
    return 0 if order.extras is None else order.extras.group


def can_fill_whole(taker: Order, bounds: Bounds) -> bool:
    """Look, without taking, whether `take` would fill the order to its end."""
    wanted, budget, fills = taker.open_lots, bounds.budget, 0
    account, extras = taker.terms.account, taker.extras
    mode, group = ("T", 0) if extras is None else (extras.self_trade, extras.group)
    for key, level in bounds.far.levels.items():
        if key > bounds.key:
            return False
        cost_of_a_lot = abs(key) * bounds.unit
        for maker in level.orders():
            is_own = maker.terms.account == account or (group and _group_of(maker) == group)
            if (is_own and mode in ("T", "B")) or fills == bounds.fills:
                return False
            if is_own and mode == "M":
                fills += 1
                continue
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


def execution_of(
    order: Order, price: int, lots: int, liquidity: Liquidity, trade: int, turn: Turn
) -> Execution:
    """Describe one side of a fill that is counted on its order already."""
    terms = order.terms
    return Execution(
        trade,
        terms.order_id,
        terms.version,
        price,
        lots,
        liquidity,
        order.filled_lots,
        wide(order.cum_quote),
        None if order.open_lots else "filled",
        turn.seq,
        turn.at_ns,
    )


def trade_of(maker: Order, taker: Order, price: int, lots: int, trade: int, turn: Turn) -> Trade:
    """Describe a fill to the market."""
    made, took = maker.terms, taker.terms
    return Trade(
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


def _fill(book: Book, taker: Order, maker: Order, lots: int, cost: int, turn: Turn) -> Execution:
    """Note a fill on both sides, tell the market and the maker's owner, return the taker's side."""
    price, trade = maker.terms.price_ticks, book.trades + 1
    book.trades = trade
    maker.filled_lots += lots
    maker.cum_quote += cost
    taker.open_lots -= lots
    taker.filled_lots += lots
    taker.cum_quote += cost
    turn.events.append(trade_of(maker, taker, price, lots, trade, turn))
    peer = PEERS[maker.terms.account % PARTITIONS_MAX]
    turn.send(peer, execution_of(maker, price, lots, "M", trade, turn))
    return execution_of(taker, price, lots, "T", trade, turn)
