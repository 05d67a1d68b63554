"""From a partition's events to rows of the ledger. Pure: no database, no clock.

A fill is two entries, one per side, in its own partition: the customer against `clearing:<market>`,
with the fee as legs of its own. Holds are no entries. What an order went through is folded into
one row.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import msgspec

from apps.common.kernel.ids import partition_of
from apps.common.kernel.invariants import ensure
from apps.risk.contracts import events
from matching_worker.contracts.market import BUY

DIGEST_MODULUS = 2**256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class BatchNow(NamedTuple):
    """The batch whose events are taken."""

    number: int
    hash: bytes
    at: datetime


class AccountKey(NamedTuple):
    """What names a ledger account."""

    kind: str
    partition: int
    number: int
    market: str
    asset: str


class Leg(NamedTuple):
    """One signed amount on one account."""

    account: AccountKey
    amount: int


class EntryDraft(NamedTuple):
    """An entry before it has a number."""

    kind: str
    reference: str
    seq: int
    batch: int
    at: datetime
    legs: tuple[Leg, ...]


class FillDraft(NamedTuple):
    """One side of a trade, and which entry of this booking books it."""

    entry: int
    event: events.FillBooked
    batch: int
    batch_hash: bytes

    @property
    def traded_at(self) -> datetime:
        """Return when the book decided."""
        return moment(self.event.book_at_ns)


class OrderDraft(msgspec.Struct):
    """What a run of batches did to one order. None: nothing."""

    accepted: events.OrderAccepted | None = None
    asks: events.ExtrasAccepted | None = None
    accepted_at: datetime | None = None
    batch: int = 0
    batch_hash: bytes = b""
    version: int = 0
    status: str | None = None
    code: str | None = None
    lots: int | None = None  # Its size, if an amend changed it.
    triggered_at: datetime | None = None
    filled_lots: int | None = None
    cum_quote: int | None = None
    book_seq: int | None = None
    book_hash: bytes | None = None
    updated_at: datetime = _EPOCH
    ended_at: datetime | None = None


class RefusalDraft(NamedTuple):
    """A value command that the partition refused."""

    event: events.CommandRefused
    batch: int
    at: datetime


def moment(at_ns: int) -> datetime:
    """Return header time as the database keeps it: whole microseconds."""
    return _EPOCH + timedelta(microseconds=at_ns // 1_000)


def digest_of(account: int, asset: str, total: int) -> int:
    """Return one balance's share of a checkpoint's digest. Nothing has no share."""
    if total == 0:
        return 0
    return int.from_bytes(sha256(f"{account}|{asset}|{total}".encode()).digest(), "big")


def sum_name(key: AccountKey) -> str:
    """Name the sum of a checkpoint that an account belongs to."""
    return f"clearing:{key.market}" if key.kind == "clearing" else key.kind


class Booking:
    """What some batches of one partition's log come to, in rows."""

    def __init__(self, partition: int, markets: dict[str, tuple[str, str]]) -> None:
        self.partition = partition
        self.markets = dict(markets)  # Symbol → base and quote, as the log told.
        self.entries: list[EntryDraft] = []
        self.fills: list[FillDraft] = []
        self.orders: dict[int, OrderDraft] = {}
        self.refusals: list[RefusalDraft] = []
        self.totals: dict[tuple[int, str], int] = {}  # What the partition says balances are now.
        self.moved: dict[AccountKey, int] = {}  # What these entries change.

    def take(self, event: object, of: BatchNow) -> None:
        """Add one event. Checkpoints are the caller's: it compares what was booked before them."""
        match event:
            case events.FillBooked():
                self._fill(event, of)
            case events.OrderAccepted():
                self._accepted(event, of)
            case events.ExtrasAccepted():
                self.orders[event.order_id].asks = event  # It follows its order's acceptance.
            case events.OrderReported():
                self._reported(event, of)
            case events.OrderTriggered():
                self._changed(event, of).triggered_at = of.at
            case events.OrderAmended():
                self._changed(event, of).lots = event.lots
            case events.OrderEnded():
                self._ended(event, of)
            case events.ValueMoved():
                self._value(event, of)
            case events.CommandRefused() if event.account and event.reference:
                self.refusals.append(RefusalDraft(event, of.number, of.at))
            case events.BalanceNow():
                self.totals[event.account, event.asset] = int(event.total)
            case events.MarketAdded():
                self.markets[event.spec.symbol] = (event.spec.base, event.spec.quote)
            case _:
                pass  # Other refusals, holds, configuration, cuts: nothing changed owner.

    def _accepted(self, event: events.OrderAccepted, of: BatchNow) -> None:
        self.orders[event.order_id] = OrderDraft(
            accepted=event,
            accepted_at=of.at,
            batch=of.number,
            batch_hash=of.hash,
            version=event.version,
            status="held",
            updated_at=of.at,
        )

    def _fill(self, event: events.FillBooked, of: BatchNow) -> None:
        ensure(event.market in self.markets, "a market is added before it trades")
        base_asset, quote_asset = self.markets[event.market]
        sign = 1 if event.side == BUY else -1
        base, quote, fee = sign * int(event.base), -sign * int(event.quote), int(event.fee)
        mine = (self.partition, event.account, "")
        clearing = (self.partition, 0, event.market)
        legs = [
            Leg(AccountKey("customer", *mine, base_asset), base),
            Leg(AccountKey("clearing", *clearing, base_asset), -base),
            Leg(AccountKey("customer", *mine, quote_asset), quote),
            Leg(AccountKey("clearing", *clearing, quote_asset), -quote),
        ]
        if fee:
            legs += [
                Leg(AccountKey("customer", *mine, event.fee_asset), -fee),
                Leg(AccountKey("fees", self.partition, 0, "", event.fee_asset), fee),
            ]
        reference = f"{event.market}:{event.trade_id}:{event.side}"
        self.fills.append(FillDraft(len(self.entries), event, of.number, of.hash))
        self._enter(EntryDraft("fill", reference, event.seq, of.number, of.at, tuple(legs)))

        order = self.orders.setdefault(event.order_id, OrderDraft())
        order.version, order.updated_at = event.version, of.at
        order.filled_lots, order.cum_quote = event.filled_lots, int(event.cum_quote)
        order.book_seq, order.book_hash = event.book_seq, event.book_hash
        if event.ended is not None:
            order.status, order.ended_at = event.ended, of.at

    def _value(self, event: events.ValueMoved, of: BatchNow) -> None:
        amount = int(event.amount)
        mine = AccountKey("customer", self.partition, event.account, "", event.asset)
        legs = (Leg(mine, amount), Leg(self._other_side(event), -amount))
        self._enter(EntryDraft(event.kind, event.reference, event.seq, of.number, of.at, legs))

    def _other_side(self, event: events.ValueMoved) -> AccountKey:
        if event.kind in ("deposit", "withdrawal"):
            return AccountKey("external", self.partition, 0, "", event.asset)
        if event.kind == "adjustment":
            return AccountKey("house", self.partition, 0, "", event.asset)
        if event.other and partition_of(event.other) == self.partition:
            return AccountKey("customer", self.partition, event.other, "", event.asset)
        return AccountKey("transit", self.partition, 0, "", event.asset)

    def _enter(self, entry: EntryDraft) -> None:
        self.entries.append(entry)
        moved = self.moved
        for account, amount in entry.legs:
            moved[account] = moved.get(account, 0) + amount

    def _reported(self, event: events.OrderReported, of: BatchNow) -> None:
        order = self.orders.setdefault(event.order_id, OrderDraft())
        order.version, order.updated_at = event.version, of.at
        order.book_seq, order.book_hash = event.book_seq, event.book_hash
        order.status = event.ended or "open"
        if event.ended is not None:
            order.code, order.ended_at = event.code, of.at

    def _changed(
        self, event: events.OrderTriggered | events.OrderAmended, of: BatchNow
    ) -> OrderDraft:
        order = self.orders.setdefault(event.order_id, OrderDraft())
        order.version, order.updated_at = event.version, of.at
        order.book_seq, order.book_hash = event.book_seq, event.book_hash
        return order

    def _ended(self, event: events.OrderEnded, of: BatchNow) -> None:
        order = self.orders.setdefault(event.order_id, OrderDraft())
        order.version, order.updated_at, order.ended_at = event.version, of.at, of.at
        order.status, order.code = event.ended, event.code
        order.filled_lots, order.cum_quote = event.filled_lots, int(event.cum_quote)
        if event.book_seq:
            order.book_seq, order.book_hash = event.book_seq, event.book_hash
