"""What other apps may hold of the ledger: frozen answers, never rows."""

from __future__ import annotations

from datetime import datetime

import msgspec

from matching_worker.contracts.to_book import OrderExtras


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """What one run of settlement did for one partition."""

    worker: str
    batches: int = 0
    entries: int = 0
    seq: int = 0
    is_behind: bool = False  # There was more in the log when the run ended.
    stopped: str = ""  # Why the cursor stands still, if it does.


class PastOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order as the ledger's history has it."""

    order_id: int
    version: int
    account: int
    market: str
    client_id: str
    side: str
    kind: str
    time_in_force: str
    post_only: bool
    price_ticks: int
    lots: int
    budget: int
    filled_lots: int
    cum_quote: int
    status: str  # held, open, filled, canceled, expired, refused.
    code: str
    command: str
    accepted_at: datetime
    updated_at: datetime
    ended_at: datetime | None
    settled_at: datetime
    engine: str  # Who gave the newest receipt, and what it says.
    engine_seq: int
    journal_hash: bytes
    risk_seq: int  # The partition's receipt of having accepted it.
    risk_batch: int
    risk_hash: bytes
    extras: OrderExtras = OrderExtras()
    other_leg: int = 0
    triggered_at: datetime | None = None


class PastFill(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a trade as its owner sees it."""

    trade_id: int
    order_id: int
    account: int
    market: str
    side: str
    is_maker: bool
    price_ticks: int
    lots: int
    base: int
    quote: int
    fee_asset: str
    fee: int
    traded_at: datetime
    book_seq: int
    book_hash: bytes


class PastTrade(msgspec.Struct, frozen=True, kw_only=True):
    """A trade as the public sees it."""

    trade_id: int
    market: str
    price_ticks: int
    lots: int
    quote: int
    taker_side: str
    traded_at: datetime
    book_seq: int
    book_hash: bytes


class PostingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of an entry."""

    account: str  # "customer:1024", "clearing:BTC-USDT", "fees".
    asset: str
    amount: int


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the ledger with its legs."""

    entry_id: int
    kind: str
    reference: str
    worker: str
    seq: int
    batch: int
    at: datetime
    booked_at: datetime
    postings: list[PostingLine]


class MoveNow(msgspec.Struct, frozen=True, kw_only=True):
    """What has become of a transfer, as far as the logs are booked."""

    paid_at: datetime | None = None  # It left the payer.
    arrived_at: datetime | None = None  # It reached a payee in another partition.
    code: str = ""  # Why it was refused.


class CursorNow(msgspec.Struct, frozen=True, kw_only=True):
    """How far one partition's log is booked."""

    worker: str
    batch: int
    seq: int
    hash: bytes
    state: str
    reason: str
    moved_at: datetime
    checkpoints: int


class HaltNow(msgspec.Struct, frozen=True, kw_only=True):
    """One reason for which withdrawals are stopped."""

    source: str
    reason: str
    raised_at: datetime
