"""Orders made smaller where they stand."""

import msgspec

from apps.common.kernel.ids import PARTITIONS_MAX
from matching_worker.contracts.from_book import Amended, OrderReduced
from matching_worker.contracts.market import LIMIT
from matching_worker.contracts.to_book import AmendHeld
from matching_worker.engine import codes
from matching_worker.engine.core import BookCore
from matching_worker.engine.orders import Order
from matching_worker.engine.peers import Peer
from matching_worker.engine.turn import Turn


def amend(core: BookCore, asked: AmendHeld, peer: Peer, turn: Turn) -> None:
    """Make an order smaller, or say why not."""
    order = core.book.orders.get(asked.order_id)
    is_theirs = asked.account % PARTITIONS_MAX == peer.partition
    if order is not None and not (is_theirs and order.terms.account == asked.account):
        order = None
    code = _refusal(core, asked, order, turn.at_ns)
    if order is not None and not code:
        terms = order.terms
        gone = terms.lots - asked.lots
        core.book.reduce(order, gone)
        order.terms = msgspec.structs.replace(terms, version=asked.version, lots=asked.lots)
        if not order.number:
            place = (terms.side, terms.price_ticks, gone)
            turn.events.append(OrderReduced(turn.seq, terms.order_id, terms.account, *place))
    turn.send(
        peer.name,
        Amended(asked.order_id, asked.version, turn.seq, turn.at_ns, asked.lots, code),
    )


def _refusal(core: BookCore, asked: AmendHeld, order: Order | None, at_ns: int) -> str:
    """Return why an order cannot become so small, or ""."""
    code = ""
    if at_ns > asked.deadline_ns:
        code = codes.TOO_LATE
    elif order is None:
        code = codes.UNKNOWN_ORDER
    elif asked.version != order.terms.version + 1:
        code = codes.BAD_VERSION
    elif asked.expected_filled != order.filled_lots:
        code = codes.FILLED_MEANWHILE
    elif asked.lots >= order.terms.lots:
        code = codes.NOT_SMALLER
    elif asked.lots <= order.filled_lots or asked.lots < core.spec.min_lots:
        code = codes.LOTS_OUT_OF_RANGE
    elif order.terms.kind == LIMIT:
        notional = order.terms.price_ticks * asked.lots * core.spec.quote_per_tick_lot
        code = codes.NOTIONAL_TOO_SMALL if notional < core.spec.min_notional else ""
    return code
