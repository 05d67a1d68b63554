"""An order's life: every station it passed, when, and where that is written.

Times of the edge are its own clock's; times of engines are the batch headers'; the ledger's are
PostgreSQL's. On one machine they are one clock.
"""

from __future__ import annotations

from typing import Any

import msgspec
import redis

from apps.common.errors import Refusal
from apps.ledger import selectors as ledger
from apps.ledger.contracts import EntryLine
from apps.markets.contracts import Catalogue
from apps.orders import history
from apps.orders.dialect.render import numbers
from apps.orders.readmodels import FillModel, OrderModel, SyncReadModels
from apps.orders.runtime import EdgeTimes, life_key


class NoSuchOrder(Refusal):
    """Another's order and no order look the same from here."""

    code = "no_such_order"
    http_status = 404


_times = msgspec.msgpack.Decoder(EdgeTimes)
Stage = dict[str, Any]


def life_of(
    cache: redis.Redis, catalogue: Catalogue, *, account: int, order_id: int
) -> dict[str, Any]:
    """Tell the life of an order that the account owns."""
    models = SyncReadModels(cache)
    order = models.order_by_id(account, order_id)
    if order is None:
        past = ledger.order_of(account, order_id=order_id)
        if past is None:
            raise NoSuchOrder("There is no such order.", order_id=str(order_id))
        order = history.order_model(past)
    fills = _fills(models, order)
    raw: Any = cache.get(life_key(order_id))
    stages = [
        *_at_edge(_times.decode(raw) if raw else None),
        _at_risk(order),
        *_at_book(order, fills, catalogue),
        *(_in_ledger(entry) for entry in ledger.entries_for_order(order_id)),
    ]
    stages.sort(key=lambda stage: stage["at_ns"])
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_id,
        "market": order.market,
        "status": order.status,
        "stages": _with_gaps(stages),
    }


def _fills(models: SyncReadModels, order: OrderModel) -> list[FillModel]:
    recent = [
        fill for fill in models.recent_fills(order.account) if fill.order_id == order.order_id
    ]
    past = ledger.fills_of(order.account, order.market, order_id=order.order_id, limit=1_000)
    found = {fill.trade_id: history.fill_model(fill) for fill in past}
    found |= {fill.trade_id: fill for fill in recent}
    return [found[number] for number in sorted(found)]


def _stage(stage: str, title: str, at_ns: int, what: str = "", **facts: Any) -> Stage:
    return {"stage": stage, "title": title, "what": what, "at_ns": at_ns, "facts": facts}


def _at_edge(times: EdgeTimes | None) -> list[Stage]:
    if times is None:
        return []
    return [
        _stage("edge_received", "Edge received it", times.received_ns, edge=times.edge),
        _stage("edge_sent", "Sent to the journal", times.sent_ns, edge=times.edge),
        _stage("edge_answered", "Edge answered", times.answered_ns, edge=times.edge),
    ]


def _at_risk(order: OrderModel) -> Stage:
    return _stage(
        "risk",
        "Risk engine held its cost",
        order.accepted_ns,
        engine=f"risk:{order.order_id % 1024}",
        batch=order.risk_batch or None,
        seq=order.risk_seq,
        journal_hash=order.risk_hash.hex(),
    )


def _at_book(order: OrderModel, fills: list[FillModel], catalogue: Catalogue) -> list[Stage]:
    market = catalogue.by_symbol.get(order.market)
    found = []
    for fill in fills:
        write = numbers(market.spec) if market else None
        what = f"{write.size(fill.lots)} at {write.price(fill.price_ticks)}" if write else ""
        found.append(
            _stage(
                "book",
                "Book traded it",
                fill.at_ns,
                what,
                engine=f"book:{fill.market}",
                seq=fill.book_seq,
                trade=fill.trade_id,
                liquidity="maker" if fill.liquidity == "M" else "taker",
                journal_hash=fill.book_hash.hex(),
            )
        )
    is_told_by_fill = fills and fills[-1].book_seq == order.book_seq
    if order.book_seq and not is_told_by_fill:
        title = {"CANCELED": "Book canceled it", "EXPIRED": "Book let the rest expire"}
        title |= {"REJECTED": "Book refused it", "NEW": "Book took it"}
        found.append(
            _stage(
                "book",
                title.get(order.status, "Book decided about it"),
                order.updated_ns,
                order.code,
                engine=f"book:{order.market}",
                seq=order.book_seq,
                journal_hash=order.book_hash.hex(),
            )
        )
    return found


def _in_ledger(entry: EntryLine) -> Stage:
    legs = [
        {"account": leg.account, "asset": leg.asset, "minor": str(leg.amount)}
        for leg in entry.postings
    ]
    return _stage(
        "ledger",
        "Ledger booked it",
        history.ns(entry.booked_at),
        entry.reference,
        entry=entry.entry_id,
        kind=entry.kind,
        engine=entry.worker,
        batch=entry.batch,
        seq=entry.seq,
        legs=legs,
    )


def _with_gaps(stages: list[Stage]) -> list[Stage]:
    """Add to each station the time since the one before; times are strings, as they pass 2^53."""
    before: int | None = None
    for stage in stages:
        at_ns = stage["at_ns"]
        stage["gap_ns"] = None if before is None else at_ns - before
        stage["at_ns"] = str(at_ns)
        before = at_ns
    return stages
