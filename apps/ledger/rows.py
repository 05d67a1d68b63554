"""Bulk writes of a booking: a handful of statements for any number of batches.

Postings go in by one COPY: the database lets in only whole entries (migration 0002), and keeps the
balances by the statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from apps.ledger.booking import (
    AccountKey,
    Booking,
    EntryDraft,
    FillDraft,
    OrderDraft,
    RefusalDraft,
)
from matching_worker.contracts.to_book import OrderExtras

_ACCOUNTS_WANTED = """
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::text[], %s::text[])
     AS wanted (kind, partition, number, market, asset)
"""
_FIND_ACCOUNTS = f"""
SELECT a.kind, a.partition, a.number, a.market, a.asset, a.id {_ACCOUNTS_WANTED}
JOIN ledger_ledgeraccount a USING (kind, partition, number, market, asset)
"""
_OPEN_ACCOUNTS = f"""
INSERT INTO ledger_ledgeraccount (kind, partition, number, market, asset)
SELECT wanted.kind, wanted.partition, wanted.number, wanted.market, wanted.asset {_ACCOUNTS_WANTED}
ON CONFLICT DO NOTHING
"""
_ENTRIES = "ledger_entry (id, kind, reference, partition, seq, batch, legs, at)"
_POSTINGS = "ledger_posting (entry_id, leg, account_id, amount)"
_FILLS = """ledger_settledfill (
    entry_id, trade_id, market, order_id, account, side, is_maker, price_ticks, lots, base, quote,
    fee_asset, fee, filled_lots, cum_quote, traded_at, seq, batch, batch_hash, book_seq,
    book_hash)"""
_REFUSALS = "ledger_refusedcommand (partition, seq, account, reference, code, batch, at)"
_ORDERS = """ledger_settledorder (
    order_id, version, account, partition, market, client_id, side, kind, time_in_force, post_only,
    price_ticks, lots, budget, hold_asset, hold, command, filled_lots, cum_quote, status, code, seq,
    batch, batch_hash, accepted_at, book_seq, book_hash, updated_at, ended_at, self_trade,
    expires_ns, trigger, trigger_by, trigger_ticks, trail_ppm, other_leg, triggered_at)"""
_PLAIN = OrderExtras()
_UPDATE_ORDERS = """
UPDATE ledger_settledorder o SET
    version = n.version,
    status = coalesce(n.status, o.status),
    code = coalesce(n.code, o.code),
    lots = coalesce(n.lots, o.lots),
    triggered_at = coalesce(n.triggered_at, o.triggered_at),
    filled_lots = coalesce(n.filled_lots, o.filled_lots),
    cum_quote = coalesce(n.cum_quote, o.cum_quote),
    book_seq = coalesce(n.book_seq, o.book_seq),
    book_hash = coalesce(n.book_hash, o.book_hash),
    updated_at = n.updated_at,
    ended_at = coalesce(n.ended_at, o.ended_at),
    settled_at = now()
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::bigint[], %s::numeric[],
            %s::bigint[], %s::bytea[], %s::timestamptz[], %s::timestamptz[], %s::bigint[],
            %s::timestamptz[])
     AS n (order_id, version, status, code, filled_lots, cum_quote, book_seq, book_hash,
           updated_at, ended_at, lots, triggered_at)
WHERE o.order_id = n.order_id
"""
_BALANCES = "SELECT account_id, amount FROM ledger_balance WHERE account_id = ANY(%s)"


def write(booking: Booking) -> dict[AccountKey, int]:
    """Write a booking's rows, and return what the balances it moved are now."""
    with connection.wrap_database_errors, connection.cursor() as cursor:
        accounts = _accounts(cursor, list(booking.moved))
        entry_ids = _entry_ids(cursor, len(booking.entries))
        _write_entries(cursor, booking, entry_ids)
        _write_postings(cursor, booking.entries, entry_ids, accounts)
        _copy(cursor, _FILLS, (_fill_row(fill, entry_ids) for fill in booking.fills))
        _copy(cursor, _REFUSALS, (_refusal_row(one, booking.partition) for one in booking.refusals))
        _write_orders(cursor, booking)
        return _balances(cursor, accounts)


def _accounts(cursor: Any, keys: Sequence[AccountKey]) -> dict[AccountKey, int]:
    """Find the accounts of these keys, and open those that are new."""
    found = _find(cursor, keys)
    if missing := [key for key in keys if key not in found]:
        cursor.execute(_OPEN_ACCOUNTS, _columns(missing, 5))
        found |= _find(cursor, missing)
    return found


def _find(cursor: Any, keys: Sequence[AccountKey]) -> dict[AccountKey, int]:
    if not keys:
        return {}
    cursor.execute(_FIND_ACCOUNTS, _columns(keys, 5))
    return {AccountKey(*row[:5]): row[5] for row in cursor.fetchall()}


def _entry_ids(cursor: Any, count: int) -> list[int]:
    if not count:
        return []
    cursor.execute("SELECT nextval('ledger_entry_id_seq') FROM generate_series(1, %s)", [count])
    return [row[0] for row in cursor.fetchall()]


def _write_entries(cursor: Any, booking: Booking, entry_ids: Sequence[int]) -> None:
    partition = booking.partition
    _copy(
        cursor,
        _ENTRIES,
        (
            (number, e.kind, e.reference, partition, e.seq, e.batch, len(e.legs), e.at)
            for number, e in zip(entry_ids, booking.entries, strict=True)
        ),
    )


def _write_postings(
    cursor: Any,
    entries: Sequence[EntryDraft],
    entry_ids: Sequence[int],
    accounts: dict[AccountKey, int],
) -> None:
    lines = [
        f"{entry_id}\t{place}\t{accounts[leg.account]}\t{leg.amount}\n"
        for entry_id, entry in zip(entry_ids, entries, strict=True)
        for place, leg in enumerate(entry.legs, 1)
    ]
    if lines:
        with cursor.copy(f"COPY {_POSTINGS} FROM STDIN") as copy:
            copy.write("".join(lines))  # Numbers only: nothing in them needs an escape.


def _write_orders(cursor: Any, booking: Booking) -> None:
    new = [order for order in booking.orders.values() if order.accepted is not None]
    _copy(cursor, _ORDERS, (_order_row(order, booking.partition) for order in new))
    known = [
        (
            order_id,
            order.version,
            order.status,
            order.code,
            order.filled_lots,
            order.cum_quote,
            order.book_seq,
            order.book_hash,
            order.updated_at,
            order.ended_at,
            order.lots,
            order.triggered_at,
        )
        for order_id, order in sorted(booking.orders.items())
        if order.accepted is None
    ]
    if known:
        cursor.execute(_UPDATE_ORDERS, _columns(known, 12))


def _balances(cursor: Any, accounts: dict[AccountKey, int]) -> dict[AccountKey, int]:
    if not accounts:
        return {}
    cursor.execute(_BALANCES, [list(accounts.values())])
    amounts = {account: int(amount) for account, amount in cursor.fetchall()}
    return {key: amounts[account] for key, account in accounts.items()}


def _refusal_row(refusal: RefusalDraft, partition: int) -> tuple[Any, ...]:
    told = refusal.event
    return (
        *(partition, told.seq, told.account, told.reference, told.code),
        *(refusal.batch, refusal.at),
    )


def _fill_row(fill: FillDraft, entry_ids: Sequence[int]) -> tuple[Any, ...]:
    event = fill.event
    return (
        entry_ids[fill.entry],
        event.trade_id,
        event.market,
        event.order_id,
        event.account,
        event.side,
        event.liquidity == "M",
        event.price_ticks,
        event.lots,
        int(event.base),
        int(event.quote),
        event.fee_asset,
        int(event.fee),
        event.filled_lots,
        int(event.cum_quote),
        fill.traded_at,
        event.seq,
        fill.batch,
        fill.batch_hash,
        event.book_seq,
        event.book_hash,
    )


def _order_row(order: OrderDraft, partition: int) -> tuple[Any, ...]:
    asked = order.accepted
    assert asked is not None
    extras = order.asks.extras if order.asks is not None else _PLAIN
    return (
        asked.order_id,
        order.version,
        asked.account,
        partition,
        asked.market,
        asked.client_id,
        asked.side,
        asked.kind,
        asked.time_in_force,
        asked.post_only,
        asked.price_ticks,
        asked.lots if order.lots is None else order.lots,
        int(asked.budget),
        asked.hold_asset,
        int(asked.hold),
        f"{asked.command[0]}-{asked.command[1]}",
        order.filled_lots or 0,
        order.cum_quote or 0,
        order.status,
        order.code or "",
        asked.seq,
        order.batch,
        order.batch_hash,
        order.accepted_at,
        order.book_seq or 0,
        order.book_hash or b"",
        order.updated_at,
        order.ended_at,
        extras.self_trade,
        extras.expires_ns,
        extras.trigger,
        extras.trigger_by,
        extras.trigger_ticks,
        extras.trail_ppm,
        order.asks.other_leg if order.asks is not None else 0,
        order.triggered_at,
    )


def _copy(cursor: Any, into: str, rows: Iterable[Sequence[Any]]) -> None:
    """COPY rows into a table; nothing is sent when there are none."""
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        return
    with cursor.copy(f"COPY {into} FROM STDIN") as copy:
        copy.write_row(first)
        for row in waiting:
            copy.write_row(row)


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """Turn rows into one array per column."""
    return [[row[place] for row in rows] for place in range(width)]
