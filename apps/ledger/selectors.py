"""Reads of the ledger: history for the edge, positions and sums for those who check."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypeVar, cast

from django.db.models import QuerySet, Sum

from apps.journals import keys
from apps.ledger.contracts import (
    CursorNow,
    EntryLine,
    HaltNow,
    MoveNow,
    PastFill,
    PastOrder,
    PastTrade,
    PostingLine,
)
from apps.ledger.models import (
    Balance,
    Cursor,
    Entry,
    Halt,
    LedgerAccount,
    OrderStatus,
    Posting,
    RefusedCommand,
    SettledFill,
    SettledOrder,
)
from matching_worker.contracts.market import SelfTrade, Trigger, TriggerBy
from matching_worker.contracts.to_book import OrderExtras

PAGE_MAX = 1_000
Row = TypeVar("Row", SettledOrder, SettledFill)


def orders_of(
    account: int,
    market: str | None = None,
    *,
    from_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 500,
) -> list[PastOrder]:
    """Return an account's orders by number: the first ones from `from_id`, else the newest ones."""
    rows = SettledOrder.objects.filter(account=account)
    if market is not None:
        rows = rows.filter(market=market)
    if start is not None:
        rows = rows.filter(accepted_at__gte=start)
    if end is not None:
        rows = rows.filter(accepted_at__lte=end)
    if from_id is not None:
        rows = rows.filter(order_id__gte=from_id)
    is_from_oldest = from_id is not None or start is not None
    return [_past_order(row) for row in _page(rows, "order_id", limit, is_from_oldest)]


def order_of(account: int, *, order_id: int) -> PastOrder | None:
    """Return one order of the account. Another's order and no order look the same from here."""
    row = SettledOrder.objects.filter(account=account, order_id=order_id).first()
    return None if row is None else _past_order(row)


def order_by_client_id(account: int, client_id: str, *, market: str) -> PastOrder | None:
    """Return the account's newest order of this client id."""
    rows = SettledOrder.objects.filter(account=account, client_id=client_id, market=market)
    row = rows.order_by("-order_id").first()
    return None if row is None else _past_order(row)


def fills_of(
    account: int,
    market: str | None = None,
    *,
    order_id: int | None = None,
    from_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 500,
) -> list[PastFill]:
    """Return an account's fills by trade: the first ones from `from_id`, else the newest ones."""
    rows = SettledFill.objects.filter(account=account)
    if market is not None:
        rows = rows.filter(market=market)
    if order_id is not None:
        rows = rows.filter(order_id=order_id)
    rows = _traded_between(rows, start, end)
    if from_id is not None:
        rows = rows.filter(trade_id__gte=from_id)
    is_from_oldest = from_id is not None or start is not None
    return [_past_fill(row) for row in _page(rows, "trade_id", limit, is_from_oldest)]


def trades_of_market(
    market: str,
    *,
    from_id: int | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    limit: int = 500,
) -> list[PastTrade]:
    """Return a market's trades by number, each from its taker's side."""
    rows = _traded_between(SettledFill.objects.filter(market=market, is_maker=False), start, end)
    if from_id is not None:
        rows = rows.filter(trade_id__gte=from_id)
    is_from_oldest = from_id is not None or start is not None
    return [_past_trade(row) for row in _page(rows, "trade_id", limit, is_from_oldest)]


def entries_for_order(order_id: int) -> list[EntryLine]:
    """Return the entries that an order's fills were booked by, oldest first, with their legs."""
    ids = SettledFill.objects.filter(order_id=order_id).values("entry_id")
    return _entry_lines(Entry.objects.filter(pk__in=ids).order_by("pk"))


def entries_of_account(account: int, *, limit: int = 100) -> list[EntryLine]:
    """Return the newest entries that moved an account's value, newest first."""
    legs = Posting.objects.filter(account__in=_accounts_of(account))
    ids = list(legs.order_by("-entry_id").values_list("entry_id", flat=True)[: 4 * limit])
    newest = sorted(set(ids), reverse=True)[: min(limit, PAGE_MAX)]
    return _entry_lines(Entry.objects.filter(pk__in=newest).order_by("-pk"))


def transfers_named(references: Iterable[str]) -> dict[str, MoveNow]:
    """Return what has become of transfers, by reference; of one nothing is booked of, nothing."""
    wanted = list(references)
    found: dict[str, dict[str, Any]] = {}
    refused = RefusedCommand.objects.filter(reference__in=wanted)
    for reference, code in refused.order_by("pk").values_list("reference", "code"):
        found.setdefault(reference, {})["code"] = code
    kinds = {"transfer_out": "paid_at", "transfer_in": "arrived_at"}
    moved = Entry.objects.filter(kind__in=kinds, reference__in=wanted)
    for kind, reference, at in moved.values_list("kind", "reference", "at"):
        found.setdefault(reference, {})[kinds[kind]] = at
    return {reference: MoveNow(**told) for reference, told in found.items()}


def balances_of(account: int) -> dict[str, int]:
    """Return what the ledger says an account owns, by asset."""
    rows = Balance.objects.filter(account__in=_accounts_of(account))
    amounts = rows.order_by("account__asset").values_list("account__asset", "amount")
    return {asset: int(amount) for asset, amount in amounts}


def withdrawals_stopped() -> bool:
    """Say whether withdrawals are stopped: some books do not tie, and no person has lifted it."""
    return Halt.objects.filter(lifted_at=None).exists()


def halts() -> list[HaltNow]:
    """Return why withdrawals are stopped, oldest reason first."""
    return [
        HaltNow(source=row.source, reason=row.reason, raised_at=row.raised_at)
        for row in Halt.objects.filter(lifted_at=None).order_by("raised_at", "pk")
    ]


def cursors() -> list[CursorNow]:
    """Return how far each partition's log is booked."""
    return [
        CursorNow(
            worker=row.worker,
            batch=row.batch,
            seq=row.seq,
            hash=bytes(row.hash),
            state=row.state,
            reason=row.reason,
            moved_at=row.moved_at,
            checkpoints=row.checkpoints,
        )
        for row in Cursor.objects.order_by("worker")
    ]


def imbalance_minor() -> dict[str, int]:
    """Return what all balances of each asset come to together. Anything but zero is a fault."""
    sums = Balance.objects.order_by("account__asset").values_list("account__asset")
    return {asset: int(total) for asset, total in sums.annotate(total=Sum("amount"))}


def _accounts_of(account: int) -> QuerySet[LedgerAccount]:
    return LedgerAccount.objects.filter(kind="customer", number=account)


def _traded_between(
    rows: QuerySet[SettledFill], start: datetime | None, end: datetime | None
) -> QuerySet[SettledFill]:
    if start is not None:
        rows = rows.filter(traded_at__gte=start)
    if end is not None:
        rows = rows.filter(traded_at__lte=end)
    return rows


def _page(rows: QuerySet[Row], field: str, limit: int, is_from_oldest: bool) -> Iterable[Row]:
    """Return one page in rising order: the oldest of these rows, or the newest."""
    limit = max(0, min(limit, PAGE_MAX))
    if is_from_oldest:
        return rows.order_by(field)[:limit]
    return reversed(rows.order_by(f"-{field}")[:limit])


def _past_order(row: SettledOrder) -> PastOrder:
    return PastOrder(
        order_id=row.order_id,
        version=row.version,
        account=row.account,
        market=row.market,
        client_id=row.client_id,
        side=row.side,
        kind=row.kind,
        time_in_force=row.time_in_force,
        post_only=row.post_only,
        price_ticks=row.price_ticks,
        lots=row.lots,
        budget=row.budget,
        filled_lots=row.filled_lots,
        cum_quote=row.cum_quote,
        status=row.status,
        code=row.code,
        command=row.command,
        accepted_at=row.accepted_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        settled_at=row.settled_at,
        engine=_engine_of(row),
        engine_seq=row.book_seq or row.seq,
        journal_hash=bytes(row.book_hash if row.book_seq else row.batch_hash),
        risk_seq=row.seq,
        risk_batch=row.batch,
        risk_hash=bytes(row.batch_hash),
        extras=_extras_of(row),
        other_leg=row.other_leg,
        triggered_at=row.triggered_at,
    )


def _extras_of(row: SettledOrder) -> OrderExtras:
    return OrderExtras(
        self_trade=cast(SelfTrade, row.self_trade),
        expires_ns=row.expires_ns,
        trigger=cast(Trigger, row.trigger),
        trigger_by=cast(TriggerBy, row.trigger_by),
        trigger_ticks=row.trigger_ticks,
        trail_ppm=row.trail_ppm,
    )


def _engine_of(row: SettledOrder) -> str:
    """Name who gave the newest receipt: the book, once it has reported."""
    if row.status == OrderStatus.HELD or not row.book_seq:
        return keys.worker_of_partition(row.partition)
    return keys.worker_of_market(row.market)


def _past_fill(row: SettledFill) -> PastFill:
    return PastFill(
        trade_id=row.trade_id,
        order_id=row.order_id,
        account=row.account,
        market=row.market,
        side=row.side,
        is_maker=row.is_maker,
        price_ticks=row.price_ticks,
        lots=row.lots,
        base=row.base,
        quote=row.quote,
        fee_asset=row.fee_asset,
        fee=row.fee,
        traded_at=row.traded_at,
        book_seq=row.book_seq,
        book_hash=bytes(row.book_hash),
    )


def _past_trade(row: SettledFill) -> PastTrade:
    return PastTrade(
        trade_id=row.trade_id,
        market=row.market,
        price_ticks=row.price_ticks,
        lots=row.lots,
        quote=row.quote,
        taker_side=row.side,
        traded_at=row.traded_at,
        book_seq=row.book_seq,
        book_hash=bytes(row.book_hash),
    )


def _entry_lines(entries: QuerySet[Entry]) -> list[EntryLine]:
    return [
        EntryLine(
            entry_id=entry.pk,
            kind=entry.kind,
            reference=entry.reference,
            worker=keys.worker_of_partition(entry.partition),
            seq=entry.seq,
            batch=entry.batch,
            at=entry.at,
            booked_at=entry.booked_at,
            postings=[_posting_line(posting) for posting in entry.postings.all()],
        )
        for entry in entries.prefetch_related("postings__account")
    ]


def _posting_line(posting: Posting) -> PostingLine:
    account = posting.account
    name = f"{account.kind}:{account.number or account.market}".rstrip(":")
    return PostingLine(account=name, asset=account.asset, amount=posting.amount)
