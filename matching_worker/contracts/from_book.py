"""What a book says: reports to risk partitions, public events to its log, answers to cancels."""

import msgspec

from apps.common.kernel.ids import StreamId
from apps.common.kernel.money import Wide
from matching_worker.contracts.market import (
    AccountNumber,
    EndReason,
    Liquidity,
    MarketState,
    OrderKind,
    Positive,
    Side,
    TimeInForce,
    Whole,
)

# ── To risk partitions ──────────────────────────────────────────────────────────────────────────


class Execution(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="execution.v1"):
    """One side of one fill. A fact: the partition books it and never refuses it."""

    trade_id: Positive
    order_id: Positive
    version: Positive
    price_ticks: Positive
    lots: Positive
    liquidity: Liquidity
    filled_lots: Positive  # Of the order, this fill included.
    cum_quote: Wide  # Quote minor units of all its fills, this one included.
    ended: EndReason | None  # The order's end, if this was its last.
    seq: Positive  # The book's command that made the fill.
    at_ns: Whole  # The book's header time.


class FirstReport(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="first_report.v1"):
    """What became of a `HeldOrder` at once: one per order version, all immediate fills in it."""

    order_id: Positive
    version: Positive
    seq: Positive
    at_ns: Whole
    executions: list[Execution]
    ended: EndReason | None  # None: the rest of it rests in the book.
    code: str  # Why it was refused or expired; "" otherwise.


class OrderEnd(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_end.v1"):
    """A resting order ended without a fill: its one terminal report, after all its executions."""

    order_id: Positive
    version: Positive
    seq: Positive
    at_ns: Whole
    ended: EndReason
    code: str
    filled_lots: Whole
    cum_quote: Wide


class PassedAsk(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="passed_ask.v1"):
    """Asks a partition for a link frame once it has taken its command stream up to `up_to`."""

    up_to: StreamId


class Reference(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="reference.v1"):
    """The price that bands are measured from, and the market's state. Every 1 s when changed."""

    ticks: Positive
    state: MarketState


class CutMark(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cut_mark.v1"):
    """Stands at one point of the book's order in all links: what came before is in cut `number`."""

    number: Positive


class Triggered(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="triggered.v1"):
    """A waiting order was set off; its executions and its end, if any, follow."""

    order_id: Positive
    version: Positive
    seq: Positive
    at_ns: Whole
    price_ticks: Positive  # The price that set it off.


class Amended(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amended.v1"):
    """The one answer to an `AmendHeld`: the order has this version and size now, or why not."""

    order_id: Positive
    version: Positive  # The one that was asked for.
    seq: Positive
    at_ns: Whole
    lots: Positive
    code: str  # "" if it was done; else nothing changed.


ReportMessage = (
    FirstReport | Execution | OrderEnd | Triggered | Amended | PassedAsk | Reference | CutMark
)

# ── To its log: what the market saw ─────────────────────────────────────────────────────────────


class OrderAdded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_added.v1"):
    """The rest of an order stands in the book: the level at `price_ticks` grew by `lots`."""

    seq: Positive
    order_id: Positive
    account: AccountNumber
    side: Side
    price_ticks: Positive
    lots: Positive


class Trade(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="trade.v1"):
    """Two orders traded at the maker's price: the maker's level shrank by `lots`."""

    seq: Positive
    trade_id: Positive
    price_ticks: Positive
    lots: Positive
    taker_side: Side
    maker_order: Positive
    taker_order: Positive
    maker_account: AccountNumber
    taker_account: AccountNumber


class OrderRemoved(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_removed.v1"):
    """An order left the book unfilled or in part: its level shrank by `lots`."""

    seq: Positive
    order_id: Positive
    account: AccountNumber
    side: Side
    price_ticks: Positive
    lots: Positive
    ended: EndReason


class OrderReduced(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_reduced.v1"):
    """A resting order became smaller and kept its place: its level shrank by `lots`."""

    seq: Positive
    order_id: Positive
    account: AccountNumber
    side: Side
    price_ticks: Positive
    lots: Positive


class StopPlaced(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="stop_placed.v1"):
    """An order waits for its trigger. No part of the depth."""

    seq: Positive
    order_id: Positive
    account: AccountNumber


class StopEnded(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="stop_ended.v1"):
    """A waiting order was set off (`ended` is None), or ended waiting."""

    seq: Positive
    order_id: Positive
    account: AccountNumber
    ended: EndReason | None


class AuctionDone(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="auction_done.v1"):
    """The opening auction's one price and size; its trades came before. No cross: 0 and 0."""

    seq: Positive
    price_ticks: Whole
    lots: Whole


class OrderTurnedAway(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_turned_away.v1"
):
    """An order, or what its fills left of it, never rested."""

    seq: Positive
    order_id: Positive
    account: AccountNumber
    ended: EndReason
    code: str


class StateChanged(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="state_changed.v1"):
    """The market's state from this command on, and why."""

    seq: Whole
    state: MarketState
    reason: str


class CutTaken(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cut_taken.v1"):
    """The book wrote cut `number` into all its links in this batch."""

    number: Positive
    trades: Whole  # Trades since genesis.


class CommandRefused(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="command_refused.v1"
):
    """A command of an operator or edge that made no sense here; nothing changed."""

    seq: Positive
    code: str


BookEvent = (
    OrderAdded
    | Trade
    | OrderRemoved
    | OrderReduced
    | OrderTurnedAway
    | StopPlaced
    | StopEnded
    | AuctionDone
    | StateChanged
    | CutTaken
    | CommandRefused
)

# ── To edges: answers to cancels ────────────────────────────────────────────────────────────────


class CanceledOrder(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An order as it was when it was canceled."""

    order_id: Positive
    client_id: str
    side: Side
    kind: OrderKind
    time_in_force: TimeInForce
    post_only: bool
    price_ticks: Whole
    lots: Whole
    filled_lots: Whole
    cum_quote: Wide


class CancelDone(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_done.v1"):
    """All that the cancel ended, in the order it was placed.

    The partition hears of it in the batch that the reply frame's receipt names.
    """

    request: Whole
    seq: Positive
    at_ns: Whole
    orders: list[CanceledOrder]
    link_frame: Whole  # 0: a book does not number its frames, the runtime does.


class CancelRefused(
    msgspec.Struct, frozen=True, gc=False, array_like=True, tag="cancel_refused.v1"
):
    """Nothing to cancel. Codes: `unknown_order` (-2011), `too_late`, `undecided` (-1007)."""

    request: Whole
    seq: Positive
    code: str


class AfterSet(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="after_set.v1"):
    """The dead man's switch stands at `due_ns` (0: taken back)."""

    request: Whole
    seq: Positive
    due_ns: Whole


CancelReply = CancelDone | CancelRefused | AfterSet
