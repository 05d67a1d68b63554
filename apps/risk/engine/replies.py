"""The answers to placing an order, made of what is known of it."""

from apps.common.kernel.money import wide
from apps.risk.contracts.replies import FillLine, OrderAck, OrderResult
from apps.risk.engine.clients import Kept
from apps.risk.engine.orders import Order
from matching_worker.contracts.from_book import FirstReport


def ack_of(order: Order | Kept, request: int) -> OrderAck:
    """Answer that the order is held and on its way."""
    return OrderAck(request, order.order_id, order.client_id, order.seq, order.at_ns)


def first_result(
    order: Order, report: FirstReport, fills: list[FillLine], receipt: bytes
) -> OrderResult:
    """Keep what the book made of the order at once, with the book's receipt, for `result_for`."""
    return OrderResult(
        0,
        order.order_id,
        order.client_id,
        order.at_ns,
        report.at_ns,
        order.filled_lots,
        order.cum_quote and wide(order.cum_quote),
        report.ended,
        report.code,
        fills,
        order.market.peer,
        report.seq,
        receipt,
    )


def result_for(request: int, first: OrderResult) -> OrderResult:
    """Give another request the same answer."""
    return OrderResult(
        request,
        first.order_id,
        first.client_id,
        first.at_ns,
        first.transact_ns,
        first.filled_lots,
        first.cum_quote,
        first.ended,
        first.code,
        first.fills,
        first.engine,
        first.engine_seq,
        first.journal_hash,
    )
