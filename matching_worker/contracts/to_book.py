"""What a book hears: held orders from risk partitions, cancels from edges."""

import msgspec

from apps.common.kernel.ids import StreamId
from apps.common.kernel.money import Wide
from matching_worker.contracts.market import (
    AccountNumber,
    MarketSpec,
    MarketStateSet,
    OrderKind,
    Positive,
    ReferenceSet,
    Side,
    TimeInForce,
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


LinkMessage = Hello | HeldOrder
BookCommand = MarketDefine | MarketStateSet | ReferenceSet
BookCancel = CancelOrders
