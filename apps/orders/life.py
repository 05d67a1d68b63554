"""An order's life: every station it passed, when, and where that is written.

Times of the edge are its own clock's; of journals, the journal server's, to the millisecond; of
engines, the batch headers'; of feeds, the projector's; of the ledger, PostgreSQL's. On one machine
they are one clock. Whatever clocks say, no station is told before the one that led to it.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import Any

import msgspec
import redis
from django.utils.translation import gettext_noop  # Pages translate it.

from apps.common.errors import Refusal
from apps.common.kernel.ids import BEFORE_ALL, format_stream_id, partition_of
from apps.journals import keys
from apps.ledger import selectors as ledger
from apps.ledger.contracts import EntryLine
from apps.marketdata.groups import user_group
from apps.markets.contracts import Catalogue
from apps.orders import history
from apps.orders.dialect.render import numbers
from apps.orders.readmodels import FillModel, OrderModel, SyncReadModels
from apps.orders.runtime import EdgeTimes, life_key

MS_NS = 1_000_000
END_TITLES = {
    "CANCELED": gettext_noop("Book canceled it"),
    "EXPIRED": gettext_noop("Book let the rest expire"),
    "REJECTED": gettext_noop("Book refused it"),
}


class NoSuchOrder(Refusal):
    """Another's order and no order look the same from here."""

    code = "no_such_order"
    http_status = 404


class Station(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to the order, and the earliest that it can have happened."""

    stage: str
    title: str
    what: str
    at_ns: int
    not_before: int
    facts: dict[str, Any]


_times = msgspec.msgpack.Decoder(EdgeTimes)


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
    times = _times.decode(raw) if raw else None
    stations = stations_of(order, fills, times, ledger.entries_for_order(order_id), catalogue)
    return {
        "order_id": order.order_id,
        "client_order_id": order.client_id,
        "market": order.market,
        "status": order.status,
        "stages": _with_gaps(stations),
    }


def _fills(models: SyncReadModels, order: OrderModel) -> list[FillModel]:
    recent = [
        fill for fill in models.recent_fills(order.account) if fill.order_id == order.order_id
    ]
    past = ledger.fills_of(order.account, order.market, order_id=order.order_id, limit=1_000)
    found = {fill.trade_id: history.fill_model(fill) for fill in past}
    found |= {fill.trade_id: fill for fill in recent}
    return [found[number] for number in sorted(found)]


def stations_of(
    order: OrderModel,
    fills: list[FillModel],
    times: EdgeTimes | None,
    entries: list[EntryLine],
    catalogue: Catalogue,
) -> list[Station]:
    """Return all that happened to the order, by time, and never before what led to it."""
    arrival, answer = _at_edge(times)
    journals = _in_journals(order, fills, times, after=arrival[-1] if arrival else None)
    earlier = [*arrival, *journals]
    risk = _at_risk(order, after=earlier[-1] if earlier else None)
    book = _at_book(order, fills, catalogue, after=risk)
    found = [*earlier, risk, *book, *_in_feed(order, fills, [risk, *book])]
    by_fill = {station.facts.get("trade"): station for station in book}
    by_entry = {f"{f.market}:{f.trade_id}:{f.side}": by_fill[f.trade_id] for f in fills}
    found += [_in_ledger(entry, after=by_entry.get(entry.reference, risk)) for entry in entries]
    return sorted([*found, *answer], key=lambda station: station.not_before)


def _station(
    stage: str,
    title: str,
    at_ns: int,
    what: str = "",
    *,
    after: Station | None = None,
    **facts: Any,
) -> Station:
    not_before = max(at_ns, after.not_before) if after else at_ns
    return Station(
        stage=stage, title=title, what=what, at_ns=at_ns, not_before=not_before, facts=facts
    )


def _at_edge(times: EdgeTimes | None) -> tuple[list[Station], list[Station]]:
    """Return its arrival and its answer, as far as the edge's notes are kept."""
    if times is None:
        return [], []
    edge = times.edge
    received = _station(
        "edge_received", gettext_noop("Edge received it"), times.received_ns, edge=edge
    )
    sent = _station(
        "edge_sent", gettext_noop("Sent to the journal"), times.sent_ns, after=received, edge=edge
    )
    answered = _station(
        "edge_answered", gettext_noop("Edge answered"), times.answered_ns, after=sent, edge=edge
    )
    return [received, sent], [answered]


def _in_journals(
    order: OrderModel, fills: list[FillModel], times: EdgeTimes | None, after: Station | None
) -> list[Station]:
    """Tell where its command stands for good, and by which batches the engines took it."""
    if order.command == BEFORE_ALL:
        return []  # Noted by a projector that did not know it.
    first_seq, first_hash = order.first_seq, order.first_hash
    if not first_seq and fills:
        first_seq, first_hash = fills[0].book_seq, fills[0].book_hash
    if not first_seq:
        first_seq, first_hash = order.book_seq, order.book_hash
    at_ns = order.command[0] * MS_NS
    if times is not None and at_ns <= times.sent_ns < at_ns + MS_NS:
        at_ns = times.sent_ns  # Within the same millisecond: not sooner than this.
    station = _station(
        "journals",
        gettext_noop("Journal made it durable"),
        at_ns,
        gettext_noop("by the journal server's clock, to the millisecond"),
        after=after,
        stream=keys.commands(keys.worker_of_partition(partition_of(order.order_id))),
        entry=format_stream_id(order.command),
        risk_batch=order.risk_batch or None,
        risk_hash=order.risk_hash.hex(),
        book_seq=first_seq or None,
        book_hash=first_hash.hex(),
    )
    return [station]


def _at_risk(order: OrderModel, *, after: Station | None) -> Station:
    return _station(
        "risk",
        gettext_noop("Risk engine held its cost"),
        order.accepted_ns,
        after=after,
        engine=keys.worker_of_partition(partition_of(order.order_id)),
        batch=order.risk_batch or None,
        seq=order.risk_seq,
        journal_hash=order.risk_hash.hex(),
    )


def _at_book(
    order: OrderModel, fills: list[FillModel], catalogue: Catalogue, after: Station
) -> list[Station]:
    """Tell each decision of the book: that it rests, each trade, and an end that was no trade."""
    engine = keys.worker_of_market(order.market)
    end_seq = order.book_seq if order.status in END_TITLES else 0
    found: list[Station] = []

    def tell(title: str, at_ns: int, what: str = "", **facts: Any) -> None:
        before = found[-1] if found else after
        found.append(_station("book", title, at_ns, what, after=before, engine=engine, **facts))

    if order.first_seq not in {0, end_seq, *(fill.book_seq for fill in fills)}:
        receipt = order.first_hash.hex()
        tell(
            gettext_noop("Book took it"), order.first_ns, seq=order.first_seq, journal_hash=receipt
        )
    market = catalogue.by_symbol.get(order.market)
    write = numbers(market.spec) if market else None
    for fill in fills:
        what = f"{write.size(fill.lots)} at {write.price(fill.price_ticks)}" if write else ""
        tell(
            gettext_noop("Book traded it"),
            fill.at_ns,
            what,
            seq=fill.book_seq,
            trade=fill.trade_id,
            liquidity="maker" if fill.liquidity == "M" else "taker",
            journal_hash=fill.book_hash.hex(),
        )
    if end_seq:
        title, receipt = END_TITLES[order.status], order.book_hash.hex()
        tell(title, order.updated_ns, order.code, seq=end_seq, journal_hash=receipt)
    return found


def _in_feed(order: OrderModel, fills: list[FillModel], decided: list[Station]) -> list[Station]:
    """Tell when its reports left for its owner's stream; what left together is one station."""
    causes = {station.facts["seq"]: station for station in decided}
    steps = [
        (order.new_told_ns, "NEW", order.first_seq),
        *((fill.told_ns, "TRADE", fill.book_seq) for fill in fills),
        (order.end_told_ns, order.status, order.book_seq),
    ]
    left: dict[int, list[tuple[str, Station]]] = {}
    for told_ns, step, seq in steps:
        if told_ns:
            left.setdefault(told_ns, []).append((step, causes.get(seq, decided[0])))
    return [
        _station(
            "feed",
            gettext_noop("Told its owner"),
            told_ns,
            ", ".join(
                step if times == 1 else f"{times} × {step}"
                for step, times in Counter(step for step, _ in said).items()
            ),
            after=max((cause for _, cause in said), key=lambda cause: cause.not_before),
            group=user_group(order.account),
        )
        for told_ns, said in left.items()
    ]


def _in_ledger(entry: EntryLine, *, after: Station) -> Station:
    legs = [
        {"account": leg.account, "asset": leg.asset, "minor": str(leg.amount)}
        for leg in entry.postings
    ]
    return _station(
        "ledger",
        gettext_noop("Ledger booked it"),
        history.ns(entry.booked_at),
        entry.reference,
        after=after,
        entry=entry.entry_id,
        kind=entry.kind,
        engine=entry.worker,
        batch=entry.batch,
        seq=entry.seq,
        legs=legs,
    )


def _with_gaps(stations: list[Station]) -> list[dict[str, Any]]:
    """Add to each station the time since the one before; times are strings, as they pass 2^53."""
    gaps = [None, *(later.at_ns - sooner.at_ns for sooner, later in pairwise(stations))]
    return [
        {
            "stage": station.stage,
            "title": station.title,
            "what": station.what,
            "at_ns": str(station.at_ns),
            "facts": station.facts,
            "gap_ns": gap,
        }
        for station, gap in zip(stations, gaps, strict=True)
    ]
