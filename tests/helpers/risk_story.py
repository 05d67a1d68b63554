"""What a partition put out, as lines: to be compared with what its obvious twin tells."""

from __future__ import annotations

from apps.risk.contracts import commands as c
from apps.risk.contracts import events as e
from apps.risk.contracts import replies as r
from matching_worker.contracts import to_book as b


def story(out):
    """Tell an engine's outputs in the twin's lines, each kind in its order."""
    lines = [line for event in out.events if (line := _of_order(event) or _of_value(event))]
    return lines + [_reply(x) for said in out.replies.values() for x in said] + _sent(out)


def _of_order(event):
    match event:
        case e.OrderAccepted():
            return f"accepted {event.order_id} {event.client_id} held {event.hold}"
        case e.ExtrasAccepted():
            return f"extras {event.extras} beside {event.other_leg}"
        case e.OrderTriggered():
            return f"set off {event.order_id} at {event.price_ticks}"
        case e.OrderAmended():
            return f"amended {event.order_id} {event.version} to {event.lots} held {event.hold}"
        case e.OrderRefused():
            return f"refused {event.client_id} {event.code}"
        case e.OrderReported():
            return f"reported {event.order_id} {event.ended} {event.code}"
        case e.FillBooked():
            size = f"{event.side} {event.lots}@{event.price_ticks}"
            return f"fill {event.trade_id} {event.order_id} {size} fee {event.fee}"
        case e.OrderEnded():
            return f"ended {event.order_id} {event.ended} released {event.released}"
    return ""


def _of_value(event):
    match event:
        case e.ValueMoved():
            return f"moved {event.kind} {event.account} {event.asset} {event.amount}"
        case e.WithdrawalHeld():
            word = "freed" if event.released else "held"
            return f"{word} {event.account} {event.asset} {event.amount}"
        case e.CommandRefused():
            return f"no {event.code}"
    return ""


def _reply(reply):
    match reply:
        case r.OrderAck():
            return f"reply {reply.request} ack {reply.order_id}"
        case r.OrderRefusal():
            return f"reply {reply.request} refused {reply.code}"
        case r.AmendDone():
            return (
                f"reply {reply.request} amended {reply.order_id} to {reply.lots} "
                f"at {reply.filled_lots} filled"
            )
    return (
        f"reply {reply.request} result {reply.order_id} {reply.ended} {reply.code} "
        f"filled {reply.filled_lots} for {reply.cum_quote} fees {[f.fee for f in reply.fills]}"
    )


def _sent(out):
    lines = [_message(message) for messages in out.links.values() for message in messages]
    return [f"sent {line}" for line in lines if line]


def _message(message):
    match message:
        case b.HeldOrder():
            return message.order_id
        case b.ExtraOrder():
            return f"extra {message.order.order_id}"
        case b.HeldPair():
            return f"pair {message.first.order.order_id} {message.second.order.order_id}"
        case b.AmendHeld():
            size = f"to {message.lots} at {message.expected_filled} filled"
            return f"amend {message.order_id} {message.version} {size}"
        case b.CancelAccount():
            return f"cancel {message.account} {message.code}"
        case c.TransferIn():
            return message.reference
    return ""


def in_kinds(lines):
    """Order lines as `story` does: events, replies, messages; each kind as it happened."""

    def kind(line):
        return {"reply": 1, "sent": 2}.get(line.partition(" ")[0], 0)

    ordered = sorted(lines, key=kind)
    sent = [line for line in ordered if kind(line) == 2]
    return [line for line in ordered if kind(line) < 2] + sorted(sent)
