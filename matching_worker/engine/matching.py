"""How orders meet: best price first, then oldest first, at the resting order's price."""

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.common.kernel.money import WIDE_MAX, wide
from matching_worker.contracts.from_book import Execution, Trade
from matching_worker.contracts.market import BUY, LIMIT, EndReason, Liquidity
from matching_worker.contracts.to_book import HeldOrder, OrderExtras
from matching_worker.engine import codes
from matching_worker.engine.admission import amount_of
from matching_worker.engine.book import Book, HalfBook
from matching_worker.engine.core import BookCore
from matching_worker.engine.ends import end, part
from matching_worker.engine.orders import Order
from matching_worker.engine.turn import PEERS, Turn

_GONE = "gone"  # The owner's resting order ended: the taker goes on with the next.


def take(
    core: BookCore, taker: Order, far: HalfBook, key: int, turn: Turn
) -> tuple[list[Execution], str]:
    """Trade the taker against the far side, up to the level `key`.

    Returns its fills, and why it stopped: "" if filled.

    The taker's own numbers are written back once, at the end: nothing looks at them before.
    """
    book, unit, steps = core.book, core.spec.quote_per_tick_lot, core.limits.fills_per_taker
    took, extras = taker.terms, taker.extras
    account, number, version, side = took.account, took.order_id, took.version, took.side
    budget, group = budget_of(took), 0 if extras is None else extras.group
    left, filled, quote = taker.open_lots, taker.filled_lots, taker.cum_quote
    seq, at_ns = turn.seq, turn.at_ns
    executions: list[Execution] = []
    code = ""
    while left:
        top = far.top
        if top is None or top.key > key:
            code = codes.NO_LIQUIDITY
            break
        maker = top.first
        made = maker.terms
        if made.account == account or (group and _group_of(maker) == group):
            code = _meet_own(book, maker, extras, has_steps=steps > 0, turn=turn)
            if code == _GONE:
                steps, code = steps - 1, ""
                continue
            if code:
                break
        if not steps:
            code = codes.FILL_LIMIT
            break
        steps -= 1
        price, lots = made.price_ticks, maker.open_lots
        if left < lots:  # noqa: PLR1730 - `min` is a call.
            lots = left
        if budget is not None:
            lots = min(lots, budget // (price * unit))
            if not lots:
                code = codes.BUDGET_SPENT
                break
            budget -= lots * price * unit
            if took.lots == 0 and budget < price * unit:
                left = lots  # No later price is better: this fill completes the order.
        left, filled, cost = left - lots, filled + lots, lots * price * unit
        quote += cost
        book.trades = trade = book.trades + 1
        turn.events.append(
            Trade(seq, trade, price, lots, side, made.order_id, number, made.account, account)
        )
        _fill_resting(book, maker, lots, cost, turn)
        paid = quote if quote <= WIDE_MAX else str(quote)
        ended: EndReason | None = None if left else "filled"
        executions.append(
            Execution(trade, number, version, price, lots, "T", filled, paid, ended, seq, at_ns)
        )
        if maker.other:
            part(book, maker, turn)
    taker.open_lots, taker.filled_lots, taker.cum_quote = left, filled, quote
    return executions, code


def _fill_resting(book: Book, maker: Order, lots: int, cost: int, turn: Turn) -> None:
    """Note a fill, the book's newest trade, on who rested, and tell its owner."""
    made, level = maker.terms, maker.level
    maker.open_lots = left = maker.open_lots - lots
    maker.filled_lots = filled = maker.filled_lots + lots
    maker.cum_quote = quote = maker.cum_quote + cost
    if level is not None:  # It rests.
        level.lots -= lots
    if not left:
        book.remove(maker)
    turn.links[PEERS[made.account % PARTITIONS_MAX]].append(
        Execution(
            book.trades,
            made.order_id,
            made.version,
            made.price_ticks,
            lots,
            "M",
            filled,
            quote if quote <= WIDE_MAX else str(quote),
            None if left else "filled",
            turn.seq,
            turn.at_ns,
        )
    )


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


def budget_of(terms: HeldOrder) -> int | None:
    """Return what an order may cost in quote minor units; None if lots alone bound it."""
    return amount_of(terms.budget) if terms.kind != LIMIT and terms.side == BUY else None


def can_fill_whole(core: BookCore, taker: Order, far: HalfBook, last_key: int) -> bool:
    """Look, without taking, whether `take` would fill the order to its end."""
    wanted, budget, fills = taker.open_lots, budget_of(taker.terms), 0
    unit, fills_max = core.spec.quote_per_tick_lot, core.limits.fills_per_taker
    account, extras = taker.terms.account, taker.extras
    mode, group = ("T", 0) if extras is None else (extras.self_trade, extras.group)
    for key, level in far.levels.items():
        if key > last_key:
            return False
        cost_of_a_lot = abs(key) * unit
        for maker in level.orders():
            is_own = maker.terms.account == account or (group and _group_of(maker) == group)
            if (is_own and mode in ("T", "B")) or fills == fills_max:
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
