"""Book what a book says.

An execution is a fact: it is never refused, only compared with our own beliefs.
"""

from apps.common.kernel.ids import StreamId
from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import WIDE_MAX, fee_minor, wide
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.events import (
    CutSums,
    FillBooked,
    OrderEnded,
    OrderReported,
    OrderTriggered,
)
from apps.risk.contracts.replies import FillLine
from apps.risk.engine import amends, codes, legs
from apps.risk.engine.orders import Order
from apps.risk.engine.replies import first_result, result_for
from apps.risk.engine.state import FEES, PartitionState
from matching_worker.contracts.from_book import (
    CutMark,
    Execution,
    FirstReport,
    OrderEnd,
    PassedAsk,
    Reference,
    Triggered,
)
from matching_worker.contracts.market import BUY, LIMIT

Report = FirstReport | Execution | OrderEnd


def first_report(state: PartitionState, report: FirstReport, origin: Origin, out: Outputs) -> None:
    """Book all immediate fills, end the order if it ended, and answer everyone who waits for it."""
    order = _order_of(state, report, origin)
    ensure(order.first is None, "an order version has one first report")
    out.events.append(
        OrderReported(
            state.seq,
            order.order_id,
            order.version,
            order.account.number,
            order.market.symbol,
            report.ended,
            report.code,
            report.seq,
            report.at_ns,
            origin.receipt,
        )
    )
    fills = [_book_fill(state, order, fill, origin, out) for fill in report.executions]
    order.first = first = first_result(order, report, fills, origin.receipt)
    if order.waiting:
        answer = first if order.leg is None else legs.first_answer(state, order, order.leg)
        for source, request in order.waiting:
            out.reply(source, result_for(request, answer))
        order.waiting.clear()
    if report.ended is not None:
        _end(state, order, report, origin, out)


def execution(state: PartitionState, fill: Execution, origin: Origin, out: Outputs) -> None:
    """Book one fill of a resting order."""
    order = _order_of(state, fill, origin)
    ensure(order.first is not None, "the first report comes before all others")
    _book_fill(state, order, fill, origin, out)
    if fill.ended is not None:
        _end(state, order, fill, origin, out)


def order_end(state: PartitionState, report: OrderEnd, origin: Origin, out: Outputs) -> None:
    """End an order that ended without a fill, and release all that is still held for it."""
    order = _order_of(state, report, origin)
    ensure(order.first is not None, "the first report comes before all others")
    ensure(order.filled_lots == report.filled_lots, "no execution is missing at the end")
    ensure(order.cum_quote == int(report.cum_quote), "all executions were booked at their price")
    _end(state, order, report, origin, out)


def triggered(state: PartitionState, report: Triggered, origin: Origin, out: Outputs) -> None:
    """Note that a waiting order works in the book now. What it holds stays the same."""
    order = _order_of(state, report, origin)
    ensure(order.first is not None, "the first report comes before all others")
    ensure(order.is_waiting, "only what waits is set off, and once")
    is_alone = order.leg is None or order.leg.part == "own"
    ensure(is_alone, "the other leg ended before this one was set off")
    order.is_set_off = True
    out.events.append(
        OrderTriggered(
            state.seq,
            order.order_id,
            order.version,
            order.account.number,
            order.market.symbol,
            report.price_ticks,
            report.seq,
            report.at_ns,
            origin.receipt,
        )
    )


def reference(state: PartitionState, told: Reference, origin: Origin, _out: Outputs) -> None:
    """Remember what market buys are priced by, and whether the market trades."""
    market = state.markets.get(_symbol_of(origin))
    if market is not None:  # A book may write before its market is added here.
        market.reference_ticks = told.ticks
        market.state = told.state


def passed_ask(state: PartitionState, asked: PassedAsk, origin: Origin, _out: Outputs) -> None:
    """Remember to tell the book how far we have read (see `tell_passed`)."""
    state.asks[origin.peer] = max(asked.up_to, state.asks.get(origin.peer, asked.up_to))


def cut_mark(state: PartitionState, mark: CutMark, origin: Origin, out: Outputs) -> None:
    """Say what this market's clearing comes to here: over all partitions it is zero at each cut."""
    symbol = _symbol_of(origin)
    market = state.markets.get(symbol)
    base = 0 if market is None else market.clearing_base
    quote = 0 if market is None else market.clearing_quote
    out.events.append(CutSums(state.seq, symbol, mark.number, wide(base), wide(quote)))


def tell_passed(state: PartitionState, passed: StreamId, out: Outputs) -> None:
    """Write to each book that asks how far we have read, until we have read as far as it asks.

    Its earlier asks are answered on the way; one for what never comes costs an empty frame a batch.
    """
    for peer, up_to in list(state.asks.items()):
        out.touch(peer)
        if passed >= up_to:
            del state.asks[peer]


def _symbol_of(origin: Origin) -> str:
    return origin.peer.removeprefix("book:")


def _order_of(state: PartitionState, report: Report | Triggered, origin: Origin) -> Order:
    order = state.orders.get(report.order_id)
    if order is not None and order.version == report.version and order.market.peer == origin.peer:
        return order  # Each claim below is a call; they say which of these is broken.
    ensure(order is not None, "a report is on an order that is open here")
    assert order is not None
    ensure(order.version == report.version, "a report is on the version that the book has")
    ensure(order.market.peer == origin.peer, "an order's reports come from its own book")
    return order


def _book_fill(
    state: PartitionState, order: Order, fill: Execution, origin: Origin, out: Outputs
) -> FillLine:
    """Move what this side gave and got, its fee to the house, and free what the fill freed."""
    if order.extras is not None:
        ensure(not order.is_waiting, "what waits for its trigger does not trade")
        if order.leg is not None:
            legs.win(state, order, order.leg)
    market = order.market
    quote = fill.lots * fill.price_ticks * market.quote_per_tick_lot
    base = fill.lots * market.base_per_lot
    order.filled_lots += fill.lots
    order.cum_quote += quote
    _check_fill(order, fill)
    fee_asset, fee = _exchange(state, order, base, quote, fill.liquidity == "M")
    paid, filled_quote = wide(fee), order.cum_quote
    out.events.append(
        FillBooked(
            state.seq,
            fill.trade_id,
            order.order_id,
            order.version,
            order.account.number,
            market.symbol,
            order.side,
            fill.liquidity,
            fill.price_ticks,
            fill.lots,
            base if base <= WIDE_MAX else str(base),  # As `wide`, without its call: not negative.
            quote if quote <= WIDE_MAX else str(quote),
            fee_asset,
            paid,
            order.filled_lots,
            filled_quote if filled_quote <= WIDE_MAX else str(filled_quote),
            fill.ended,
            fill.seq,
            fill.at_ns,
            origin.receipt,
        )
    )
    return FillLine(fill.trade_id, fill.price_ticks, fill.lots, fill.liquidity, fee_asset, paid)


def _check_fill(order: Order, fill: Execution) -> None:
    """Claim that the book and we count alike, and that it kept to the order's terms."""
    ensure(order.filled_lots == fill.filled_lots, "no execution is missing or doubled")
    ensure(order.cum_quote == int(fill.cum_quote), "all executions were booked at their price")
    ensure(not order.lots or order.filled_lots <= order.lots, "no more is filled than was ordered")
    if order.kind == LIMIT:
        is_within = (
            fill.price_ticks <= order.price_ticks
            if order.side == BUY
            else fill.price_ticks >= order.price_ticks
        )
        ensure(is_within, "a fill is at the limit or better")
    elif order.side == BUY:
        ensure(order.cum_quote <= order.budget, "a market buy keeps to its budget")


def _exchange(
    state: PartitionState, order: Order, base: int, quote: int, is_maker: bool
) -> tuple[str, int]:
    """Give and get through clearing, less the fee on what was got. Return the fee and its asset."""
    market, account, gives = order.market, order.account, order.pays_from
    if account.has_own_fees:
        rate_ppm = account.maker_ppm if is_maker else account.taker_ppm
    else:
        rate_ppm = market.maker_ppm if is_maker else market.taker_ppm
    if order.side == BUY:
        got = base
        gets = account.balance(market.base)
        gives.total -= quote
        market.clearing_quote += quote
        market.clearing_base -= base
    else:
        got = quote
        gets = account.balance(market.quote)
        gives.total -= base
        market.clearing_base += base
        market.clearing_quote -= quote
    fee = fee_minor(got, rate_ppm=rate_ppm)
    gets.total += got - fee
    fees = state.house[FEES]
    fees[gets.asset] = fees.get(gets.asset, 0) + fee
    rest = order.hold_for_rest()
    gives.held += rest - order.held
    order.held = rest
    state.touch(gives)
    state.touch(gets)
    return gets.asset, fee


def _end(state: PartitionState, order: Order, report: Report, origin: Origin, out: Outputs) -> None:
    """Say the order's last word: release what is left, keep its answer for repeats."""
    ended, account, market = report.ended, order.account, order.market
    assert ended is not None
    assert order.first is not None
    if order.leg is not None:
        legs.hand_over(state, order, order.leg)
    released = order.held
    if released:
        order.pays_from.held -= released
        order.held = 0
        state.touch(order.pays_from)
    del state.orders[order.order_id]
    left = account.open_orders[market.symbol] - 1
    if left:
        account.open_orders[market.symbol] = left
    else:
        del account.open_orders[market.symbol]
    state.clients.close(order, order.first, state.at_ns)
    out.events.append(
        OrderEnded(
            state.seq,
            order.order_id,
            order.version,
            account.number,
            market.symbol,
            order.client_id,
            ended,
            report.code if not isinstance(report, Execution) else "",
            order.filled_lots,
            order.cum_quote and wide(order.cum_quote),
            released and wide(released),
            report.seq,
            report.at_ns,
            origin.receipt,
        )
    )
    if order.amend is not None:  # The book answers it after this, and has nothing to amend.
        amends.give_up(state, order, codes.UNKNOWN_ORDER, out)
