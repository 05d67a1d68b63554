"""What a partition put out, as lines: to be compared with what its obvious twin tells."""

from __future__ import annotations

from apps.risk.contracts import commands as c
from apps.risk.contracts import events as e
from apps.risk.contracts import replies as r


def story(out):
    """Tell an engine's outputs in the twin's lines, each kind in its order."""
    lines = []
    for event in out.events:
        match event:
            case e.OrderAccepted():
                lines.append(f"accepted {event.order_id} {event.client_id} held {event.hold}")
            case e.OrderRefused():
                lines.append(f"refused {event.client_id} {event.code}")
            case e.OrderReported():
                lines.append(f"reported {event.order_id} {event.ended} {event.code}")
            case e.FillBooked():
                lines.append(
                    f"fill {event.trade_id} {event.order_id} {event.side} "
                    f"{event.lots}@{event.price_ticks} fee {event.fee}"
                )
            case e.OrderEnded():
                lines.append(f"ended {event.order_id} {event.ended} released {event.released}")
            case e.ValueMoved():
                lines.append(f"moved {event.kind} {event.account} {event.asset} {event.amount}")
            case e.WithdrawalHeld():
                word = "freed" if event.released else "held"
                lines.append(f"{word} {event.account} {event.asset} {event.amount}")
            case e.CommandRefused():
                lines.append(f"no {event.code}")
    return lines + [_reply(x) for said in out.replies.values() for x in said] + _sent(out)


def _reply(reply):
    match reply:
        case r.OrderAck():
            return f"reply {reply.request} ack {reply.order_id}"
        case r.OrderRefusal():
            return f"reply {reply.request} refused {reply.code}"
    return (
        f"reply {reply.request} result {reply.order_id} {reply.ended} {reply.code} "
        f"filled {reply.filled_lots} for {reply.cum_quote} fees {[f.fee for f in reply.fills]}"
    )


def _sent(out):
    sent = [message for messages in out.links.values() for message in messages]
    orders = [f"sent {m.order_id}" for m in sent if hasattr(m, "order_id")]
    return orders + [f"sent {m.reference}" for m in sent if isinstance(m, c.TransferIn)]


def in_kinds(lines):
    """Order lines as `story` does: events, replies, messages; each kind as it happened."""

    def kind(line):
        return {"reply": 1, "sent": 2}.get(line.partition(" ")[0], 0)

    ordered = sorted(lines, key=kind)
    sent = [line for line in ordered if kind(line) == 2]
    return [line for line in ordered if kind(line) < 2] + sorted(sent)
