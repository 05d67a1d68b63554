"""What a book hears: held orders from risk partitions, cancels from edges."""

import msgspec

from apps.common.kernel.ids import StreamId
from apps.common.kernel.money import Wide
from matching_worker.contracts.market import (
    AccountNumber,
    BreakerSet,
    MarketSpec,
    MarketStateSet,
    MarkSet,
    OrderKind,
    Positive,
    ReferenceSet,
    SelfTrade,
    Side,
    TimeInForce,
    Trigger,
    TriggerBy,
    Whole,
)


class Hello(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="hello.v1"):
    """First message of a link from a risk partition: it knows this market and may send orders."""

    partition: Whole


class HeldOrder(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="held_order.v1"):
    """An order whose cost its partition holds. The book answers each with one `FirstReport`."""

    order_id: Positive
    version: Positive
    account: AccountNumber
    client_id: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool
    price_ticks: Whole  # 0 for a market order.
    lots: Whole  # 0 for a market buy by quote budget.
    budget: Wide  # Market buys: quote minor units that the fills may cost together. Else 0.
    deadline_ns: Whole  # The book refuses the order in a batch of a later time (`too_late`).
    command: StreamId  # The entry of the partition's commands that asked for it (for tombstones).


class OrderExtras(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What an order may ask for beyond a plain one's terms. The defaults are a plain order's."""

    self_trade: SelfTrade = "T"
    group: Whole = 0  # Accounts of one group count as one owner. 0: the account alone.
    expires_ns: Whole = 0  # Good till this header time (GTC orders). 0: till canceled.
    trigger: Trigger = ""
    trigger_by: TriggerBy = "last"
    trigger_ticks: Whole = 0  # The price that sets it off. 0 if it trails.
    trail_ppm: Whole = 0  # Trailing: so far back from the best price since it was placed.
    reduce_only: bool = False  # Perpetuals only.


class ExtraOrder(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="extra_order.v1"):
    """A held order with extras. With a trigger it waits beside the book until it is set off."""

    order: HeldOrder
    extras: OrderExtras


class HeldPair(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="held_pair.v1"):
    """One cancels the other (OCO): two orders of one account and side, of which one may trade.

    When one of them trades, is set off or ends, the other ends (`other_leg`). Both come in, or
    neither. Two first reports answer it, the first order's first.
    """

    first: ExtraOrder
    second: ExtraOrder


class AmendHeld(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend_held.v1"):
    """Make a resting order smaller where it stands. The book answers with one `Amended`."""

    order_id: Positive
    version: Positive  # The order's version if this succeeds: one more than it has.
    account: AccountNumber
    lots: Positive  # The new size, fills included.
    expected_filled: Whole  # If the book's differs, it refuses: the asker did not know this order.
    deadline_ns: Whole


class CancelAccount(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_account.v1"
):
    """End all that an account rests here: it was frozen. Follows its last order down the link."""

    account: AccountNumber
    code: str


class CancelAfter(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_after.v1"):
    """From an edge: end all that the account rests here unless this comes again in time.

    A dead man's switch: `delay_ns` from the batch's time on; 0 takes it back. Answered `AfterSet`.
    """

    request: Whole
    account: AccountNumber
    delay_ns: Whole
    deadline_ns: Whole


class CancelOrders(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_orders.v1"):
    """From an edge: cancel one order (by number or client id) or all of an account's in this book.

    `up_to` is the last entry of the partition's command stream when the edge read it: what rests is
    canceled now; what arrives later from an entry up to it is refused (the tombstone ends once the
    link has passed it). The book answers the source with `CancelDone` or `CancelRefused`.
    """

    request: Whole
    account: AccountNumber
    order_id: Whole  # 0 if the client id names it, or if all are meant.
    client_id: str  # "" if the number names it, or if all are meant.
    up_to: StreamId
    deadline_ns: Whole


class MarketDefine(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="market_define.v1"):
    """First command of a book's genesis: which market it is."""

    spec: MarketSpec


LinkMessage = Hello | HeldOrder | ExtraOrder | HeldPair | AmendHeld | CancelAccount
BookCommand = MarketDefine | MarketStateSet | ReferenceSet | BreakerSet | MarkSet
BookCancel = CancelOrders | CancelAfter
