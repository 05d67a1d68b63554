"""What can be done about orders, told top to bottom. No database and no thread on the way."""

from __future__ import annotations

import secrets
import time
from typing import Any

import msgspec

from apps.markets.contracts import MarketInfo
from apps.orders import callers
from apps.orders.contracts import Caller
from apps.orders.dialect import refusals, render, signing
from apps.orders.dialect.tickets import Ticket
from apps.orders.runtime import Edge
from apps.risk.contracts.replies import OrderAck, OrderRefusal, OrderResult, RiskReply
from matching_worker.contracts.from_book import CancelDone, CancelRefused, CancelReply
from matching_worker.contracts.to_book import CancelOrders

_risk_replies = msgspec.msgpack.Decoder(RiskReply)
_cancel_replies = msgspec.msgpack.Decoder(CancelReply)


def new_client_id() -> str:
    """Make a name for something that its client did not name."""
    return secrets.token_urlsafe(16)


def client_id_for(ticket: Ticket, caller: Caller) -> tuple[str, bool]:
    """Return the order's client id, and whether equal signed bytes would get the same one."""
    if ticket.client_id:
        return ticket.client_id, False
    if caller.key:
        return signing.derived_client_id(caller.key, caller.signed), True
    return new_client_id(), False


async def place(edge: Edge, caller: Caller, ticket: Ticket, *, received_ns: int) -> dict[str, Any]:
    """Send the order down its one way, and return what became of it at once."""
    callers.check_may_trade(caller)
    client_id, derived = client_id_for(ticket, caller)
    command = ticket.command(
        request=edge.mailbox.next_request(),
        account=caller.account,
        client_id=client_id,
        derived=derived,
        deadline_ns=caller.deadline_ns,
    )
    sent_ns = time.time_ns()
    answer = await edge.ask(caller.partition, "commands", command)
    reply = _risk_replies.decode(answer.reply_raw)
    edge.told.note(caller.account, answer)
    if isinstance(reply, OrderRefusal):
        raise refusals.of_engine(reply.code)
    edge.note_life(reply.order_id, received_ns=received_ns, sent_ns=sent_ns)
    if isinstance(reply, OrderAck):
        return render.ack(ticket, reply, render.Receipt(answer.engine, reply.seq, answer.hash))
    return _first_word(ticket, reply)


def _first_word(ticket: Ticket, reply: OrderResult) -> dict[str, Any]:
    """Say what the book made of the order; an order that it refused was not placed."""
    if reply.ended == "refused":
        raise refusals.of_engine(reply.code)
    return render.result(ticket, reply)


async def cancel(
    edge: Edge,
    caller: Caller,
    market: MarketInfo,
    *,
    order_id: int = 0,
    client_id: str = "",
    cancel_id: str = "",
) -> list[dict[str, Any]]:
    """End one order, or all of the account's in a market, by the short way to its book.

    Whatever the partition was asked before this read its stream is met by the cancel: it ends what
    rests, and refuses what is still on its way.
    """
    callers.check_may_cancel(caller)
    up_to = await edge.newest_command(caller.partition)
    command = CancelOrders(
        request=edge.mailbox.next_request(),
        account=caller.account,
        order_id=order_id,
        client_id=client_id,
        up_to=up_to,
        deadline_ns=caller.deadline_ns,
    )
    answer = await edge.ask(market.book, "cancels", command)
    reply = _cancel_replies.decode(answer.reply_raw)
    if isinstance(reply, CancelRefused):
        raise refusals.of_engine(reply.code)
    edge.told.note(caller.account, answer)
    return _ended(market, reply, hash_=answer.hash, cancel_id=cancel_id)


def _ended(
    market: MarketInfo, done: CancelDone, *, hash_: bytes, cancel_id: str
) -> list[dict[str, Any]]:
    cancel_id = cancel_id or new_client_id()
    return [
        render.canceled(market, order, done, hash_=hash_, cancel_id=cancel_id)
        for order in done.orders
    ]
