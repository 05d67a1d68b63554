"""Reads for those who check the ledger: its rows, and what they come to.

Everything happens on one consistent view (`consistent_view`), so that cursors, entries and balances
belong together. Selectors of a kind; apart from the others because they read everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db import connection, transaction

from apps.ledger.booking import AccountKey, Leg

_CHUNK = 2_000


class BookedEntry(NamedTuple):
    """An entry as it stands in the ledger, with its legs and, for a fill, its row of history."""

    entry_id: int
    kind: str
    reference: str
    seq: int
    batch: int
    legs: tuple[Leg, ...]
    fill: tuple[Any, ...] | None  # In the order of FILL_FIELDS.


class OpenOrder(NamedTuple):
    """An order that the history has as not ended."""

    order_id: int
    account: int
    market: str
    filled_lots: int
    cum_quote: int


FILL_FIELDS = (
    "trade_id",
    "market",
    "order_id",
    "account",
    "side",
    "is_maker",
    "price_ticks",
    "lots",
    "base",
    "quote",
    "fee_asset",
    "fee",
)
_FILL_COLUMNS = ", ".join(f"f.{name}" for name in FILL_FIELDS)

_BOOKED = f"""
SELECT e.id, e.kind, e.reference, e.seq, e.batch,
       a.kind, a.partition, a.number, a.market, a.asset, p.amount, {_FILL_COLUMNS}
FROM ledger_entry e
LEFT JOIN ledger_posting p ON p.entry_id = e.id
LEFT JOIN ledger_ledgeraccount a ON a.id = p.account_id
LEFT JOIN ledger_settledfill f ON f.entry_id = e.id
WHERE e.partition = %s AND e.batch > %s AND e.batch <= %s
ORDER BY e.id, p.leg
"""  # noqa: S608 - constants only # nosec B608
_UNBALANCED = """
SELECT coalesce(p.entry_id, e.id), e.kind, e.reference, p.asset, coalesce(p.total, 0)
FROM ledger_entry e
FULL JOIN (
    SELECT p.entry_id, a.asset, sum(p.amount) AS total, count(*) AS legs,
           sum(count(*)) OVER (PARTITION BY p.entry_id) AS all_legs
    FROM ledger_posting p JOIN ledger_ledgeraccount a ON a.id = p.account_id
    GROUP BY p.entry_id, a.asset
) p ON p.entry_id = e.id
WHERE p.total IS DISTINCT FROM 0 OR e.legs IS DISTINCT FROM p.all_legs
ORDER BY 1
"""
_WRONG_BALANCES = """
SELECT a.kind, a.number, a.market, a.asset, b.amount, coalesce(s.total, 0)
FROM ledger_ledgeraccount a
LEFT JOIN ledger_balance b ON b.account_id = a.id
LEFT JOIN (SELECT account_id, sum(amount) AS total FROM ledger_posting GROUP BY 1) s
       ON s.account_id = a.id
WHERE b.amount IS DISTINCT FROM coalesce(s.total, 0)
   OR (a.kind = 'customer' AND b.amount < 0)
ORDER BY a.id
"""
_WRONG_TRADES = """
SELECT coalesce(b.market, s.market), coalesce(b.trade_id, s.trade_id),
       CASE WHEN b.trade_id IS NULL OR s.trade_id IS NULL THEN 'has one side'
            ELSE 'its sides differ' END
FROM (SELECT * FROM ledger_settledfill WHERE side = 'B') b
FULL JOIN (SELECT * FROM ledger_settledfill WHERE side = 'S') s
       ON s.market = b.market AND s.trade_id = b.trade_id
WHERE (%s AND (b.trade_id IS NULL OR s.trade_id IS NULL))
   OR (b.price_ticks, b.lots, b.base, b.quote) <> (s.price_ticks, s.lots, s.base, s.quote)
   OR b.is_maker = s.is_maker OR b.order_id = s.order_id
ORDER BY 1, 2
"""
_WRONG_ORDERS = """
SELECT coalesce(o.order_id, f.order_id),
       CASE WHEN o.lots > 0 AND o.filled_lots > o.lots THEN 'is filled beyond its size'
            WHEN f.is_beyond THEN 'was filled beyond its limit'
            ELSE 'is not what its fills come to' END
FROM ledger_settledorder o
FULL JOIN (
    SELECT f.order_id, sum(f.lots) AS lots, sum(f.quote) AS quote,
           bool_or(o.kind = 'L' AND CASE f.side WHEN 'B' THEN f.price_ticks > o.price_ticks
                                                ELSE f.price_ticks < o.price_ticks END) AS is_beyond
    FROM ledger_settledfill f LEFT JOIN ledger_settledorder o ON o.order_id = f.order_id
    GROUP BY f.order_id
) f ON f.order_id = o.order_id
WHERE o.filled_lots IS DISTINCT FROM coalesce(f.lots, 0)
   OR o.cum_quote IS DISTINCT FROM coalesce(f.quote, 0)
   OR f.is_beyond OR (o.lots > 0 AND o.filled_lots > o.lots)
ORDER BY 1
"""
_REPEATED = """
SELECT kind, reference FROM ledger_entry GROUP BY kind, reference HAVING count(*) > 1 ORDER BY 1, 2
"""
_BALANCES = """
SELECT a.kind, a.partition, a.number, a.market, a.asset, b.amount
FROM ledger_balance b JOIN ledger_ledgeraccount a ON a.id = b.account_id
WHERE a.partition = %s AND b.amount <> 0
"""
_IMBALANCE = """
SELECT a.asset, sum(b.amount) FROM ledger_balance b
JOIN ledger_ledgeraccount a ON a.id = b.account_id GROUP BY a.asset ORDER BY a.asset
"""
_OPEN = """
SELECT order_id, account, market, filled_lots, cum_quote FROM ledger_settledorder
WHERE partition = %s AND ended_at IS NULL
"""


@contextmanager
def consistent_view() -> Iterator[None]:
    """Read everything as of one moment, and write nothing."""
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def booked_entries(partition: int, *, after: int, up_to: int) -> Iterator[BookedEntry]:
    """Yield the entries of these batches in the order they were booked."""
    with connection.chunked_cursor() as cursor:
        cursor.execute(_BOOKED, [partition, after, up_to])
        current: BookedEntry | None = None
        while rows := cursor.fetchmany(_CHUNK):
            for row in rows:
                if current is not None and current.entry_id != row[0]:
                    yield current
                    current = None
                current = _with_leg(current, row)
        if current is not None:
            yield current


def _with_leg(entry: BookedEntry | None, row: tuple[Any, ...]) -> BookedEntry:
    if entry is None:
        fill = None if row[11] is None else _whole(row[11:])
        entry = BookedEntry(row[0], row[1], row[2], row[3], row[4], (), fill)
    if row[5] is None:
        return entry
    return entry._replace(legs=(*entry.legs, Leg(AccountKey(*row[5:10]), int(row[10]))))


def _whole(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a fill's values with amounts as ints."""
    return tuple(
        int(value) if name in ("base", "quote", "fee") else value
        for name, value in zip(FILL_FIELDS, values, strict=True)
    )


def count_entries() -> int:
    """Return how many entries there are."""
    return int(_rows("SELECT count(*) FROM ledger_entry")[0][0])


def count_accounts() -> int:
    """Return how many ledger accounts there are."""
    return int(_rows("SELECT count(*) FROM ledger_ledgeraccount")[0][0])


def count_trades() -> int:
    """Return how many trades are settled."""
    return int(_rows("SELECT count(*) FROM ledger_settledfill WHERE NOT is_maker")[0][0])


def unbalanced_entries() -> list[str]:
    """Name the entries whose legs are missing or do not come to zero per asset."""
    return [
        f"entry {entry_id} ({kind} {reference}): off by {total} {asset}"
        if asset is not None and total
        else f"entry {entry_id} ({kind} {reference}): legs are missing or too many"
        for entry_id, kind, reference, asset, total in _rows(_UNBALANCED)
    ]


def wrong_balances() -> list[str]:
    """Name the balance rows that are not the sum of their postings, or below zero."""
    return [
        f"balance of {_account_name(kind, number, market)} {asset}: {amount}, postings say {total}"
        for kind, number, market, asset, amount, total in _rows(_WRONG_BALANCES)
    ]


def wrong_trades(*, both_sides_are_here: bool) -> list[str]:
    """Name the trades whose two sides do not fit, and the orders that do not fit their fills."""
    trades = [
        f"trade {market}:{trade}: {what}"
        for market, trade, what in _rows(_WRONG_TRADES, [both_sides_are_here])
    ]
    return trades + [f"order {order_id}: {what}" for order_id, what in _rows(_WRONG_ORDERS)]


def repeated_references() -> list[str]:
    """Name the references that were booked more than once."""
    return [f"{kind} {reference} is booked twice" for kind, reference in _rows(_REPEATED)]


def balances(partition: int) -> dict[AccountKey, int]:
    """Return the balances of a partition that are not zero."""
    return {AccountKey(*row[:5]): int(row[5]) for row in _rows(_BALANCES, [partition])}


def imbalance() -> dict[str, int]:
    """Return what all balances of each asset come to together."""
    return {asset: int(total) for asset, total in _rows(_IMBALANCE)}


def open_orders(partition: int) -> dict[int, OpenOrder]:
    """Return the orders of a partition that the history has as not ended."""
    found = _rows(_OPEN, [partition])
    return {
        order_id: OpenOrder(order_id, account, market, filled_lots, int(cum_quote))
        for order_id, account, market, filled_lots, cum_quote in found
    }


def _rows(query: str, parameters: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or [])
        return cursor.fetchall()


def _account_name(kind: str, number: int, market: str) -> str:
    return f"{kind}:{number or market}".rstrip(":")
