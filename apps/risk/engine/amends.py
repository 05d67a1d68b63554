"""Make an open order smaller in its place: the book decides, and what it frees is free then."""

from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import wide
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import AmendOrder
from apps.risk.contracts.events import CommandRefused, OrderAmended
from apps.risk.contracts.replies import AmendDone, OrderRefusal
from apps.risk.engine import codes, legs
from apps.risk.engine.admission import why_unknown
from apps.risk.engine.clients import key_of
from apps.risk.engine.orders import Amend, Order
from apps.risk.engine.state import PartitionState
from matching_worker.contracts.from_book import Amended
from matching_worker.contracts.to_book import AmendHeld


def amend(state: PartitionState, asked: AmendOrder, origin: Origin, out: Outputs) -> None:
    """Ask the book to make the order smaller, or answer why not."""
    order = _named(state, asked)
    if asked.account not in state.accounts:
        code = why_unknown(state, asked.account)
    elif order is None:
        code = codes.UNKNOWN_ORDER
    else:
        code = _why_not(state, asked, order)
    if code or order is None:
        name = asked.client_id if order is None else order.client_id
        out.reply(origin.source, OrderRefusal(asked.request, name, state.seq, code))
        _tell_refused(state, asked.account, asked.order_id, name, code, out)
        return
    order.amend = amend = Amend(origin.source, asked.request, order.version + 1, asked.lots)
    held = AmendHeld(
        order.order_id,
        amend.version,
        asked.account,
        amend.lots,
        order.filled_lots,
        asked.deadline_ns,
    )
    out.send(order.market.peer, held)


def amended(state: PartitionState, report: Amended, origin: Origin, out: Outputs) -> None:
    """Take the book's answer: the order is smaller and holds less, or all is as it was."""
    order = state.orders.get(report.order_id)
    if order is None:  # It ended before the amend came there; its end answered the asker.
        ensure(report.code != "", "an order that is done with is not amended")
        return
    amend = order.amend
    ensure(amend is not None, "an amend is answered once")
    assert amend is not None
    ensure(order.market.peer == origin.peer, "an order's reports come from its own book")
    ensure(report.version == amend.version, "the amend that was asked for is answered")
    if report.code:
        give_up(state, order, report.code, out)
        return
    ensure(report.lots == amend.lots, "an amend makes the size that was asked for")
    ensure(order.filled_lots < amend.lots, "an amended order is still open")
    order.amend = None
    order.version = amend.version
    order.lots_asked = order.lots_asked or order.lots
    order.lots = amend.lots
    legs.adjust(state, order)
    _tell_amended(state, order, report, origin, out)
    out.reply(amend.source, _done(order, amend, report, origin))


def give_up(state: PartitionState, order: Order, code: str, out: Outputs) -> None:
    """Answer whoever asked for the amend that is on its way: it is not done, and never will be."""
    amend = order.amend
    assert amend is not None
    order.amend = None
    out.reply(amend.source, OrderRefusal(amend.request, order.client_id, state.seq, code))
    _tell_refused(state, order.account.number, order.order_id, order.client_id, code, out)


def _named(state: PartitionState, asked: AmendOrder) -> Order | None:
    """Return the account's open order that is meant: by number, by client id, or by both."""
    if asked.order_id:
        order = state.orders.get(asked.order_id)
    else:
        known = state.clients.known.get(key_of(asked.account, asked.client_id))
        order = known if isinstance(known, Order) else None
    if order is None or order.account.number != asked.account:
        return None
    is_meant = asked.client_id in ("", order.client_id) and asked.market == order.market.symbol
    return order if is_meant else None


def _why_not(state: PartitionState, asked: AmendOrder, order: Order) -> str:
    """Return the code of what stands in the way here, or "". What is filled, the book knows."""
    market = order.market
    if asked.deadline_ns < state.at_ns:
        return codes.TOO_LATE
    if order.amend is not None:
        return codes.AMEND_PENDING
    if not market.min_lots <= asked.lots <= market.max_lots:
        return codes.BAD_SIZE
    return codes.NOT_SMALLER if asked.lots >= order.lots else ""


def _tell_refused(
    state: PartitionState, account: int, order_id: int, client_id: str, code: str, out: Outputs
) -> None:
    reference = f"amend:{order_id or client_id}"
    out.events.append(CommandRefused(state.seq, account, reference, code))


def _tell_amended(
    state: PartitionState, order: Order, report: Amended, origin: Origin, out: Outputs
) -> None:
    out.events.append(
        OrderAmended(
            state.seq,
            order.order_id,
            order.version,
            order.account.number,
            order.market.symbol,
            order.lots,
            wide(order.held),
            report.seq,
            report.at_ns,
            origin.receipt,
        )
    )


def _done(order: Order, amend: Amend, report: Amended, origin: Origin) -> AmendDone:
    return AmendDone(
        amend.request,
        order.order_id,
        order.client_id,
        order.lots,
        order.filled_lots,
        wide(order.cum_quote),
        report.at_ns,
        order.market.peer,
        report.seq,
        origin.receipt,
    )
