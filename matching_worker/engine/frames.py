"""Whole frames of orders and of cancels: nearly all that a busy market hears.

What is plain is done here, in one piece: its numbers are read once a frame, nothing is called that
need not be, and no object made that nobody keeps. What is not plain goes to `placing` and
`cancels`, which can do all of it, and have the last word on what a rule means; the random days
hold both ways to the same twin.
"""

from collections.abc import Callable, Sequence

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.common.kernel.money import WIDE_MAX
from matching_worker.contracts.from_book import (
    CancelDone,
    CanceledOrder,
    Execution,
    FirstReport,
    OrderAdded,
    OrderEnd,
    OrderRemoved,
)
from matching_worker.contracts.market import BUY, LIMIT
from matching_worker.contracts.to_book import BookCancel, CancelOrders, HeldOrder, LinkMessage
from matching_worker.engine.acting import settle
from matching_worker.engine.core import BookCore
from matching_worker.engine.limits import CLIENT_ID_LENGTH_MAX
from matching_worker.engine.orders import Order
from matching_worker.engine.peers import Peer
from matching_worker.engine.placing import trade
from matching_worker.engine.turn import PEERS, Turn

_NOTHING: dict[str, Order] = {}  # What an account rests that rests nothing.
_NO_FILLS: list[Execution] = []  # Of every order that only rests: nobody changes a message.


def place_frame(
    core: BookCore,
    messages: Sequence[LinkMessage],
    peer: Peer,
    turn: Turn,
    otherwise: Callable[[LinkMessage, Peer, Turn], None],
) -> None:
    """Place a frame's orders. A limit order with nothing wrong that takes nothing rests here.

    `placing.place` asks the same, one thing at a time. The way out stands right behind the
    conditions: to jump further costs the interpreter its fast comparisons.
    """
    gate, book, at_ns, partition = core.gate, core.book, turn.at_ns, peer.partition
    orders, accounts, stones = book.orders, book.accounts, core.tombstones
    bids, asks = book.bids, book.asks
    events, reports = turn.events, turn.links[peer.name]
    seq = turn.seq
    for terms in messages:
        seq += 1
        if type(terms) is not HeldOrder:
            turn.seq = seq
            otherwise(terms, peer, turn)
            continue
        number, account, name = terms.order_id, terms.account, terms.client_id
        price, lots = terms.price_ticks, terms.lots
        mine = accounts.get(account, _NOTHING)
        if not (
            gate.low <= price <= gate.high
            and gate.min_lots <= lots <= gate.max_lots
            and at_ns <= terms.deadline_ns
            and account % PARTITIONS_MAX == partition
            and number % PARTITIONS_MAX == partition
            and terms.kind == LIMIT
            and terms.time_in_force == "GTC"
            and terms.budget == 0
            and number not in orders
            and name not in mine
            and 0 < len(name) <= CLIENT_ID_LENGTH_MAX
            and len(mine) < gate.orders_per_account
            and len(orders) < gate.orders_per_book
            and account not in stones
        ):
            turn.seq = seq
            otherwise(terms, peer, turn)
            continue
        side = terms.side
        if side == BUY:
            half, far = bids, asks
            key, reach = -price, price
        else:
            half, far = asks, bids
            key, reach = price, -price
        if far.best <= reach:
            turn.seq = seq
            trade(core, Order(terms, lots), far, reach, peer, turn)
            if core.has_tripped or core.actions:
                settle(core, turn)
            continue
        level = half.levels.get(key)
        if level is None:
            order = Order(terms, lots)
            order.level = half.open(key, order)
        else:
            last = level.last
            order = Order(terms, lots, 0, 0, level, last)
            last.newer = level.last = order
            level.lots += lots
        orders[number] = order
        if mine is _NOTHING:
            accounts[account] = {name: order}
        else:
            mine[name] = order
        reports.append(FirstReport(number, terms.version, seq, at_ns, _NO_FILLS, None, ""))
        events.append(OrderAdded(seq, number, account, side, price, lots))
    core.seq = turn.seq = seq


def cancel_frame(
    core: BookCore,
    commands: Sequence[BookCancel],
    source: bytes,
    turn: Turn,
    otherwise: Callable[[BookCancel, bytes, Turn], None],
) -> None:
    """End what a frame's cancels name. A resting order that its number finds ends here."""
    book, at_ns, seq = core.book, turn.at_ns, turn.seq
    orders, events, links, replies = book.orders, turn.events, turn.links, turn.replies
    for command in commands:
        seq += 1
        if type(command) is not CancelOrders:
            turn.seq = seq
            otherwise(command, source, turn)
            continue
        order = orders.get(command.order_id)
        if (
            order is None
            or order.level is None
            or order.other
            or order.terms.account != command.account
            or command.client_id not in ("", order.terms.client_id)
            or at_ns > command.deadline_ns
        ):
            turn.seq = seq
            otherwise(command, source, turn)
            continue
        terms = order.terms
        number, account, side = terms.order_id, terms.account, terms.side
        price, filled, quote = terms.price_ticks, order.filled_lots, order.cum_quote
        paid = quote if quote <= WIDE_MAX else str(quote)
        book.remove(order)
        events.append(OrderRemoved(seq, number, account, side, price, order.open_lots, "canceled"))
        links[PEERS[account % PARTITIONS_MAX]].append(
            OrderEnd(number, terms.version, seq, at_ns, "canceled", "", filled, paid)
        )
        canceled = CanceledOrder(
            number,
            terms.client_id,
            side,
            terms.kind,
            terms.time_in_force,
            terms.post_only,
            price,
            terms.lots,
            filled,
            paid,
        )
        # A frame's number is the runtime's to give, as in `Turn.cancel_done`.
        replies[source].append(CancelDone(command.request, seq, at_ns, [canceled], 0))
    core.seq = turn.seq = seq
