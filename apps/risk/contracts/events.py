"""What a risk partition writes into its log: the only source of entries and private read models."""

from typing import Literal

import msgspec

from apps.common.kernel.ids import StreamId
from apps.common.kernel.money import Wide
from matching_worker.contracts.market import (
    AccountNumber,
    EndReason,
    Liquidity,
    MarketSpec,
    OrderKind,
    Positive,
    Side,
    TimeInForce,
    Whole,
)
from matching_worker.contracts.to_book import OrderExtras


class OrderAccepted(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_accepted.v1"
):
    """The order is held; it goes to the book in this batch."""

    seq: Positive
    order_id: Positive
    version: Positive
    account: AccountNumber
    market: str
    client_id: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool
    price_ticks: Whole
    lots: Whole
    budget: Wide
    hold_asset: str
    hold: Wide
    command: StreamId


class ExtrasAccepted(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="extras_accepted.v1"
):
    """What the order just accepted asks for beyond a plain one's terms. Follows `OrderAccepted`."""

    seq: Positive
    order_id: Positive
    account: AccountNumber
    extras: OrderExtras
    other_leg: Whole  # The other order of an OCO pair, else 0.


class OrderTriggered(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_triggered.v1"
):
    """The order was set off: from now on it works in the book."""

    seq: Positive
    order_id: Positive
    version: Positive
    account: AccountNumber
    market: str
    price_ticks: Positive
    book_seq: Positive
    book_at_ns: Whole
    book_hash: bytes


class OrderAmended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_amended.v1"):
    """The order is smaller now, and what that freed is available again."""

    seq: Positive
    order_id: Positive
    version: Positive
    account: AccountNumber
    market: str
    lots: Positive
    hold: Wide
    book_seq: Positive
    book_at_ns: Whole
    book_hash: bytes


class OrderRefused(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_refused.v1"):
    """The order was not taken."""

    seq: Positive
    account: AccountNumber
    market: str
    client_id: str
    code: str


class OrderReported(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_reported.v1"
):
    """The book's first report on the order arrived; its fills are `FillBooked` events after it."""

    seq: Positive
    order_id: Positive
    version: Positive
    account: AccountNumber
    market: str
    ended: EndReason | None
    code: str
    book_seq: Positive
    book_at_ns: Whole
    book_hash: bytes


class FillBooked(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="fill_booked.v1"):
    """One side of a fill is booked: one ledger entry, reference `<market>:<trade>:<side>`."""

    seq: Positive
    trade_id: Positive
    order_id: Positive
    version: Positive
    account: AccountNumber
    market: str
    side: Side
    liquidity: Liquidity
    price_ticks: Positive
    lots: Positive
    base: Wide  # Minor units of base that changed owner.
    quote: Wide  # Minor units of quote that changed owner.
    fee_asset: str  # The asset received.
    fee: Wide  # Negative for a rebate.
    filled_lots: Positive
    cum_quote: Wide
    ended: EndReason | None
    book_seq: Positive
    book_at_ns: Whole
    book_hash: bytes


class OrderEnded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_ended.v1"):
    """The order's last word; all that was still held for it is available again."""

    seq: Positive
    order_id: Positive
    version: Positive
    account: AccountNumber
    market: str
    client_id: str
    ended: EndReason
    code: str
    filled_lots: Whole
    cum_quote: Wide
    released: Wide
    book_seq: Whole  # 0 if the order never reached the book.
    book_at_ns: Whole
    book_hash: bytes


MoveKind = Literal["deposit", "withdrawal", "transfer_out", "transfer_in", "adjustment"]


class ValueMoved(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="value_moved.v1"):
    """Value changed owner other than by a fill: one ledger entry, reference `reference`.

    `amount` is signed as the account sees it. The other leg is `external` (deposit, withdrawal),
    `transit` (a transfer between partitions), `house` (adjustment), or `other` inside a partition.
    A transfer inside a partition is one event, the payer's `transfer_out`.
    """

    seq: Positive
    kind: MoveKind
    account: AccountNumber
    asset: str
    amount: Wide
    reference: str
    other: Whole  # The other account of a transfer, else 0.


class WithdrawalHeld(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="withdrawal_held.v1"
):
    """The amount is set aside (`released`: available again). No entry: holds are our own state."""

    seq: Positive
    account: AccountNumber
    asset: str
    amount: Wide
    reference: str
    released: bool


class CommandRefused(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="risk_command_refused.v1"
):
    """A value or configuration command was refused; nothing changed."""

    seq: Positive
    account: Whole
    reference: str
    code: str


class BalanceNow(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="balance_now.v1"):
    """Final values of one balance that this batch changed: once per batch, last in it."""

    account: AccountNumber
    asset: str
    total: Wide
    held: Wide


class AccountNow(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="account_now.v1"):
    """An account as its last configuration command left it."""

    seq: Positive
    account: AccountNumber
    frozen: bool
    tier: Whole
    maker_ppm: int
    taker_ppm: int


class MarketAdded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="market_added.v1"):
    """The partition takes orders for this market."""

    seq: Positive
    spec: MarketSpec


class HouseSum(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The sum of one asset over the accounts of one kind."""

    kind: str  # "customer", "fees", "transit", "external", "house", or "clearing:<market>".
    asset: str
    amount: Wide


class Checkpoint(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="checkpoint.v1"):
    """What all balances come to after command `seq`; the ledger compares when it stands there.

    `digest` is the sum modulo 2^256 of SHA-256("<account>|<asset>|<total>") over all non-zero
    customers' balances, big endian: an additive hash, so both sides keep it by differences.
    """

    seq: Whole
    sums: list[HouseSum]
    digest: bytes


class CutSums(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cut_sums.v1"):
    """Clearing balances here at cut `number` of `market`; over all partitions they sum to zero."""

    seq: Whole
    market: str
    number: Positive
    base: Wide
    quote: Wide


RiskEvent = (
    OrderAccepted
    | ExtrasAccepted
    | OrderRefused
    | OrderReported
    | FillBooked
    | OrderEnded
    | OrderTriggered
    | OrderAmended
    | ValueMoved
    | WithdrawalHeld
    | CommandRefused
    | BalanceNow
    | AccountNow
    | MarketAdded
    | Checkpoint
    | CutSums
)
