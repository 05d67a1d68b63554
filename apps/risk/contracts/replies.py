"""What a risk partition answers an edge that asked for an order."""

import msgspec

from apps.common.kernel.money import Wide
from matching_worker.contracts.market import EndReason, Liquidity, Positive, Whole


class OrderAck(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_ack.v1"):
    """The order is held and on its way to the book. The reply frame bears its receipt."""

    request: Whole
    order_id: Positive
    client_id: str
    seq: Positive
    at_ns: Whole


class FillLine(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One fill of the order, as its owner sees it."""

    trade_id: Positive
    price_ticks: Positive
    lots: Positive
    liquidity: Liquidity
    fee_asset: str
    fee: Wide


class OrderResult(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_result.v1"):
    """What the book made of the order at once, with the book's receipt (wire.md, 9)."""

    request: Whole
    order_id: Positive
    client_id: str
    at_ns: Whole  # When the partition accepted it.
    transact_ns: Whole  # When the book decided.
    filled_lots: Whole
    cum_quote: Wide
    ended: EndReason | None
    code: str
    fills: list[FillLine]
    engine: str
    engine_seq: Positive
    journal_hash: bytes


class OrderRefusal(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="order_refusal.v1"):
    """The order was not taken; nothing changed. `code` is one of `apps.risk.engine.codes`."""

    request: Whole
    client_id: str
    seq: Positive
    code: str


class AmendDone(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="amend_done.v1"):
    """The order has this size now, and still its place. With the book's receipt."""

    request: Whole
    order_id: Positive
    client_id: str
    lots: Positive
    filled_lots: Whole
    cum_quote: Wide
    transact_ns: Whole
    engine: str
    engine_seq: Positive
    journal_hash: bytes


RiskReply = OrderAck | OrderResult | OrderRefusal | AmendDone
