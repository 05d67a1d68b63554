"""What can be done about orders, told top to bottom. No database and no thread on the way.

`lists.py` holds what is done about several orders at once.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterable
from typing import Any

import msgspec

from apps.common.kernel.ids import StreamId
from apps.journals.mailbox import Answer
from apps.markets.contracts import MarketInfo
from apps.orders import callers
from apps.orders.contracts import Caller
from apps.orders.dialect import refusals, render, signing
from apps.orders.dialect.extras import PLAIN
from apps.orders.dialect.refusals import DialectRefusal
from apps.orders.dialect.tickets import Ticket
from apps.orders.readmodels import OrderModel, ReadModelsNotReady
from apps.orders.recent import as_placed
from apps.orders.runtime import Edge
from apps.risk.contracts.commands import AmendOrder, PlaceExtra, PlaceOrder, PlacePair
from apps.risk.contracts.replies import AmendDone, OrderAck, OrderRefusal, OrderResult
from matching_worker.contracts.from_book import AfterSet, CancelDone, CancelRefused
from matching_worker.contracts.to_book import CancelAfter, CancelOrders

# Which answers belong to which question: any other one is a fault.
_placed = msgspec.msgpack.Decoder(OrderAck | OrderResult | OrderRefusal)
_amended = msgspec.msgpack.Decoder(AmendDone | OrderRefusal)
_canceled = msgspec.msgpack.Decoder(CancelDone | CancelRefused)
_after_set = msgspec.msgpack.Decoder(AfterSet | CancelRefused)

STOPPED = frozenset({"cancel_only", "halted", "delisted"})


def new_client_id() -> str:
    """Make a name for something that its client did not name."""
    return secrets.token_urlsafe(16)


def client_id_for(named: str, caller: Caller, *, place: int = 0) -> tuple[str, bool]:
    """Return a client id, and whether equal signed bytes would get the same one.

    `place` tells the orders of one request apart.
    """
    if named:
        return named, False
    if caller.key:
        signed = caller.signed + (b"#%d" % place if place else b"")
        return signing.derived_client_id(caller.key, signed), True
    return new_client_id(), False


# ── Placing ─────────────────────────────────────────────────────────────────────────────────────


def check_takes_orders(market: MarketInfo) -> None:
    """Refuse what the market's book would refuse: it was told to stop."""
    if market.state in STOPPED:
        raise refusals.of_engine("market_not_open")


async def place(
    edge: Edge, caller: Caller, ticket: Ticket, *, received_ns: int, place_in_request: int = 0
) -> dict[str, Any]:
    """Send the order down its one way, and return what became of it at once."""
    callers.check_may_trade(caller, ticket.market)
    check_takes_orders(ticket.market)
    client_id, derived = client_id_for(ticket.client_id, caller, place=place_in_request)
    order = ticket.order(
        request=edge.mailbox.next_request(),
        account=caller.account,
        client_id=client_id,
        derived=derived,
        deadline_ns=caller.deadline_ns,
    )
    answer, reply = await ask_partition(
        edge, caller, ticket.command(order), request=order.request, received_ns=received_ns
    )
    if ticket.extras != PLAIN:
        edge.recent.note(
            as_placed(
                ticket,
                account=caller.account,
                order_id=reply.order_id,
                client_id=client_id,
                at_ns=reply.at_ns,
            )
        )
    if isinstance(reply, OrderAck):
        return render.ack(ticket, reply, render.Receipt(answer.engine, reply.seq, answer.hash))
    return _first_word(ticket, reply)


async def ask_partition(
    edge: Edge,
    caller: Caller,
    command: PlaceOrder | PlaceExtra | PlacePair,
    *,
    request: int,
    received_ns: int,
) -> tuple[Answer, OrderAck | OrderResult]:
    """Ask the caller's partition to place something; a refusal is raised."""
    sent_ns = time.time_ns()
    answer = await edge.ask(caller.partition, "commands", command, request=request)
    reply = _placed.decode(answer.reply_raw)
    edge.told.note(caller.account, answer)
    if isinstance(reply, OrderRefusal):
        raise refusals.of_engine(reply.code)
    edge.note_life(reply.order_id, received_ns=received_ns, sent_ns=sent_ns)
    return answer, reply


def _first_word(ticket: Ticket, reply: OrderResult) -> dict[str, Any]:
    """Say what the book made of the order; an order that it refused was not placed."""
    if reply.ended == "refused":
        raise refusals.of_engine(reply.code)
    return render.result(ticket, reply)


# ── Canceling ───────────────────────────────────────────────────────────────────────────────────


async def cancel(
    edge: Edge,
    caller: Caller,
    market: MarketInfo,
    *,
    order_id: int = 0,
    client_id: str = "",
    cancel_id: str = "",
    up_to: StreamId | None = None,
) -> list[dict[str, Any]]:
    """End one order, or all of the account's in a market, by the short way to its book.

    Whatever the partition was asked before this read its stream (up to `up_to`) is met by the
    cancel: it ends what rests, and refuses what is still on its way.
    """
    callers.check_may_cancel(caller, market)
    if market.is_delisted:  # Nothing rests, and no book is there to say so.
        raise refusals.of_engine("unknown_order")
    if up_to is None:
        up_to = await edge.newest_command(caller.partition)
    command = CancelOrders(
        request=edge.mailbox.next_request(),
        account=caller.account,
        order_id=order_id,
        client_id=client_id,
        up_to=up_to,
        deadline_ns=caller.deadline_ns,
    )
    answer = await edge.ask(market.book, "cancels", command, request=command.request)
    reply = _canceled.decode(answer.reply_raw)
    if isinstance(reply, CancelRefused):
        raise refusals.of_engine(reply.code)
    edge.told.note(caller.account, answer)
    known = await known_of(edge, caller.account, [order.order_id for order in reply.orders])
    return _ended(market, reply, known, hash_=answer.hash, cancel_id=cancel_id)


def _ended(
    market: MarketInfo,
    done: CancelDone,
    known: dict[int, OrderModel],
    *,
    hash_: bytes,
    cancel_id: str,
) -> list[dict[str, Any]]:
    cancel_id = cancel_id or new_client_id()
    return [
        render.canceled(
            market, order, known.get(order.order_id), done, hash_=hash_, cancel_id=cancel_id
        )
        for order in done.orders
    ]


async def known_of(edge: Edge, account: int, order_ids: Iterable[int]) -> dict[int, OrderModel]:
    """Return what the read models know of orders. What was done is told without them, too."""
    numbers = list(order_ids)
    recent = edge.recent.of(account, numbers)
    try:
        found = await edge.models.orders_by_ids(account, numbers)
    except ReadModelsNotReady:
        return recent
    return recent | {order.order_id: order for order in found}


async def set_cancel_after(
    edge: Edge, account: int, market: MarketInfo, *, delay_ns: int, deadline_ns: int
) -> dict[str, Any]:
    """Set the account's dead man's switch in a market, or take it back (0)."""
    if market.is_delisted:
        raise refusals.of_engine("market_not_open")
    command = CancelAfter(
        request=edge.mailbox.next_request(),
        account=account,
        delay_ns=delay_ns,
        deadline_ns=deadline_ns,
    )
    answer = await edge.ask(market.book, "cancels", command, request=command.request)
    reply = _after_set.decode(answer.reply_raw)
    if isinstance(reply, CancelRefused):
        raise refusals.of_engine(reply.code)
    return {
        "symbol": market.pair,
        "countdownTime": str(delay_ns // 1_000_000),
        "cancelTime": reply.due_ns // 1_000_000,
        **render.Receipt(market.book, reply.seq, answer.hash).fields(),
    }


# ── Changing ────────────────────────────────────────────────────────────────────────────────────


async def amend(
    edge: Edge,
    caller: Caller,
    market: MarketInfo,
    *,
    order_id: int,
    client_id: str,
    lots: int,
) -> dict[str, Any]:
    """Make an open order smaller where it stands: like a cancel, everybody may."""
    callers.check_may_cancel(caller, market)
    if market.is_delisted:
        raise refusals.of_amend("unknown_order")
    command = AmendOrder(
        request=edge.mailbox.next_request(),
        account=caller.account,
        market=market.spec.symbol,
        order_id=order_id,
        client_id=client_id,
        lots=lots,
        deadline_ns=caller.deadline_ns,
    )
    answer = await edge.ask(caller.partition, "commands", command, request=command.request)
    reply = _amended.decode(answer.reply_raw)
    edge.told.note(caller.account, answer)
    if isinstance(reply, OrderRefusal):
        raise refusals.of_amend(reply.code)
    with contextlib.suppress(ReadModelsNotReady):  # The answer tells the order's terms, too.
        await edge.models.wait_for_batch(answer.engine, answer.batch)
    known = await known_of(edge, caller.account, [reply.order_id])
    return render.amended(market, reply, known.get(reply.order_id))


async def cancel_replace(
    edge: Edge,
    caller: Caller,
    ticket: Ticket,
    *,
    order_id: int,
    client_id: str,
    cancel_id: str,
    goes_on: bool,
    received_ns: int,
) -> dict[str, Any]:
    """Cancel an order, then place another one: two acts, one after the other (ADR 0005).

    The second is not tried where the first failed, unless it `goes_on`.
    """
    callers.check_may_trade(caller, ticket.market)
    check_takes_orders(ticket.market)
    cancel_said: Any
    try:
        (cancel_said, *_) = await cancel(
            edge,
            caller,
            ticket.market,
            order_id=order_id,
            client_id=client_id,
            cancel_id=cancel_id,
        )
        is_canceled = True
    except DialectRefusal as refusal:
        cancel_said, is_canceled = refusal.as_json(), False
    if not is_canceled and not goes_on:
        raise refusals.replaced_in_part(canceled=False, placed=None, answers=(cancel_said, None))
    placed_said: Any
    try:
        placed_said = await place(edge, caller, ticket, received_ns=received_ns)
        is_placed = True
    except DialectRefusal as refusal:
        placed_said, is_placed = refusal.as_json(), False
    if not is_canceled or not is_placed:
        answers = (cancel_said, placed_said)
        raise refusals.replaced_in_part(canceled=is_canceled, placed=is_placed, answers=answers)
    return {
        "cancelResult": "SUCCESS",
        "newOrderResult": "SUCCESS",
        "cancelResponse": cancel_said,
        "newOrderResponse": placed_said,
    }
