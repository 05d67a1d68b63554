"""What a risk partition is asked: orders by edges, value and configuration by the relay.

Asset amounts are minor units. Every value command carries a `reference` that is unique per
kind: the same reference again moves nothing and is answered `repeated`.
"""

from typing import Annotated, Literal

import msgspec

from apps.common.kernel.money import Wide
from matching_worker.contracts.market import (
    AccountNumber,
    ClientId,
    MarketSpec,
    OrderKind,
    Side,
    TimeInForce,
    Whole,
)
from matching_worker.contracts.to_book import OrderExtras

Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Asset = Annotated[str, msgspec.Meta(min_length=1, max_length=12)]
ResponseKind = Literal["ACK", "RESULT", "FULL"]


class PlaceOrder(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="place_order.v1"):
    """One order. Answered by `OrderAck` or `OrderResult` if all is well, else by `OrderRefusal`."""

    request: Whole  # The edge's number for the answer it waits for.
    account: AccountNumber
    market: str
    client_id: ClientId
    derived: bool  # The edge made the client id from the signed bytes: a repeat is refused.
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool
    price_ticks: Whole  # 0 for market orders.
    lots: Whole  # 0 for market buys by quote amount.
    quote_budget: Wide  # Market buys by quote amount: minor units to spend at most. Else 0.
    deadline_ns: Whole
    response: ResponseKind


class PlaceExtra(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="place_extra.v1"):
    """One order with extras: triggers, an expiry, a self-trade mode. Answered like a plain one."""

    order: PlaceOrder
    extras: OrderExtras


class PlacePair(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="place_pair.v1"):
    """One cancels the other: two orders of one account, market, side and size.

    They come in together or not at all, and share the larger hold. Answered as the first order
    would be; the second's `request` is 0, and its number is the first's plus PARTITIONS_MAX.
    """

    first: PlaceExtra
    second: PlaceExtra


class AmendOrder(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend_order.v1"):
    """Make an open order smaller without losing its place. Answered `AmendDone` or refused."""

    request: Whole
    account: AccountNumber
    market: str
    order_id: Whole  # 0 if the client id names it.
    client_id: str
    lots: Whole  # The new size, fills included.
    deadline_ns: Whole


class AccountOpen(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="account_open.v1"):
    """Know this account from now on. Opening it again changes nothing."""

    account: AccountNumber


class AccountFreeze(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="account_freeze.v1"
):
    """Refuse (or take again) the account's new orders and withdrawals."""

    account: AccountNumber
    frozen: bool
    reason: str


class FeesSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="fees_set.v1"):
    """An account's fee rates on spot markets from now on: its VIP tier, in millionths."""

    account: AccountNumber
    tier: Whole
    maker_ppm: int
    taker_ppm: int


class Deposit(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="deposit.v1"):
    """Value came in from outside: credited to the account against `external`."""

    account: AccountNumber
    asset: Asset
    amount: Wide
    reference: Reference


class WithdrawalHold(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="withdrawal_hold.v1"
):
    """Set an amount aside for a withdrawal. Refused if it is not available."""

    account: AccountNumber
    asset: Asset
    amount: Wide
    reference: Reference


class WithdrawalSettle(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="withdrawal_settle.v1"
):
    """The withdrawal of this reference left the house: its held amount moves to `external`."""

    account: AccountNumber
    reference: Reference


class WithdrawalRelease(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="withdrawal_release.v1"
):
    """The withdrawal of this reference will not happen: its held amount is available again."""

    account: AccountNumber
    reference: Reference


class Transfer(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="transfer.v1"):
    """Move value between two accounts. Sent to the payer's partition; it sends a `TransferIn`."""

    payer: AccountNumber
    payee: AccountNumber
    asset: Asset
    amount: Wide
    reference: Reference


class TransferIn(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="transfer_in.v1"):
    """On the link between two partitions: the payee's half of a transfer, out of `transit`."""

    payee: AccountNumber
    asset: Asset
    amount: Wide
    reference: Reference
    payer: Whole = 0


class Adjustment(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="adjustment.v1"):
    """A correction by staff against `house`: signed, with a reason that the record keeps."""

    account: AccountNumber
    asset: Asset
    amount: Wide
    reference: Reference
    reason: str


class MarketAdd(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="market_add.v1"):
    """Take orders for this market and say `Hello` to its book (a `LinkAdd` for it comes first)."""

    spec: MarketSpec


RiskCommand = (
    PlaceOrder
    | PlaceExtra
    | PlacePair
    | AmendOrder
    | AccountOpen
    | AccountFreeze
    | FeesSet
    | Deposit
    | WithdrawalHold
    | WithdrawalSettle
    | WithdrawalRelease
    | Transfer
    | Adjustment
    | MarketAdd
)

# What a partition hears on its links: books' reports (`contracts.from_book`), and this.
PartitionMessage = TransferIn
