"""The ledger's past orders and fills in the shape of the read models, so that both merge."""

from __future__ import annotations

from datetime import datetime

from apps.common.kernel.ids import parse_stream_id
from apps.ledger.contracts import PastFill, PastOrder
from apps.orders.readmodels import FillModel, OrderModel
from matching_worker.contracts.market import Liquidity

_ENDED = {
    "filled": "FILLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
    "refused": "REJECTED",
}


def ns(at: datetime) -> int:
    """Return a moment in nanoseconds since the epoch, exactly."""
    return int(at.timestamp()) * 1_000_000_000 + at.microsecond * 1_000


def order_model(past: PastOrder) -> OrderModel:
    """Read an order of the ledger as an edge reads orders."""
    by_book = past.engine.startswith("book:")
    is_as_first_reported = past.version == 1 and past.triggered_at is None
    has_rested_only = (
        by_book and past.status == "open" and not past.filled_lots and is_as_first_reported
    )
    open_status = "PARTIALLY_FILLED" if past.filled_lots else "NEW"
    return OrderModel(
        order_id=past.order_id,
        version=past.version,
        account=past.account,
        client_id=past.client_id,
        market=past.market,
        side=past.side,
        kind=past.kind,
        tif=past.time_in_force,
        post_only=past.post_only,
        price_ticks=past.price_ticks,
        lots=past.lots,
        budget=str(past.budget),
        status=_ENDED.get(past.status, open_status),
        filled_lots=past.filled_lots,
        cum_quote=str(past.cum_quote),
        reported=past.status != "held",
        ended=past.status if past.status in _ENDED else None,
        code=past.code,
        accepted_ns=ns(past.accepted_at),
        updated_ns=ns(past.updated_at),
        command=parse_stream_id(past.command),
        risk_batch=past.risk_batch,
        risk_seq=past.risk_seq,
        risk_hash=past.risk_hash,
        first_ns=ns(past.updated_at) if has_rested_only else 0,
        first_seq=past.engine_seq if has_rested_only else 0,
        first_hash=past.journal_hash if has_rested_only else b"",
        book_seq=past.engine_seq if by_book else 0,
        book_hash=past.journal_hash if by_book else b"",
        extras=past.extras,
        other_leg=past.other_leg,
        triggered_ns=ns(past.triggered_at) if past.triggered_at is not None else 0,
    )


def fill_model(past: PastFill) -> FillModel:
    """Read a fill of the ledger as an edge reads fills."""
    liquidity: Liquidity = "M" if past.is_maker else "T"
    return FillModel(
        trade_id=past.trade_id,
        order_id=past.order_id,
        client_id="",
        market=past.market,
        side=past.side,
        liquidity=liquidity,
        price_ticks=past.price_ticks,
        lots=past.lots,
        quote=str(past.quote),
        fee_asset=past.fee_asset,
        fee=str(past.fee),
        at_ns=ns(past.traded_at),
        book_seq=past.book_seq,
        book_hash=past.book_hash,
    )
