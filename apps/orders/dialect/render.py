"""Orders, fills and balances as the dialect writes them, with the receipt beside them.

Every order answer ends with `engine`, `engineSeq` and `journalHash`: who decided it, as which of
its commands, in the batch of which hash.
"""

from __future__ import annotations

from typing import Any

import msgspec

from apps.common.kernel.money import format_units
from apps.marketdata.dialect import Numbers, ms
from apps.markets.contracts import AssetInfo, MarketInfo
from apps.orders.dialect import words
from apps.orders.dialect.extras import PLAIN
from apps.orders.dialect.tickets import Ticket
from apps.orders.readmodels import FillModel, OrderModel
from apps.risk.contracts.replies import AmendDone, FillLine, OrderAck, OrderResult
from matching_worker.contracts.from_book import CancelDone, CanceledOrder
from matching_worker.contracts.market import BUY, MarketSpec
from matching_worker.contracts.to_book import OrderExtras

NOT_WORKING = -1  # The `workingTime` of an order that waits for its trigger.
_STATUS = {
    "filled": "FILLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
    "refused": "REJECTED",
}


class Receipt(msgspec.Struct, frozen=True, gc=False):
    """Where a decision stands in the journal of the engine that made it."""

    engine: str
    seq: int
    hash: bytes

    def fields(self) -> dict[str, Any]:
        """Return what an answer adds to the dialect's own fields."""
        return {"engine": self.engine, "engineSeq": self.seq, "journalHash": self.hash.hex()}


def numbers(spec: MarketSpec) -> Numbers:
    """Return the writer of one market's numbers (made once)."""
    known = _numbers.get(spec.symbol)
    if known is None or known.spec is not spec:
        known = _numbers[spec.symbol] = Numbers(spec)
    return known


_numbers: dict[str, Numbers] = {}


def status_of(ended: str | None, *, filled_lots: int) -> str:
    """Name an order's state in the dialect."""
    if ended is not None:
        return _STATUS[ended]
    return "PARTIALLY_FILLED" if filled_lots else "NEW"


def _terms(
    spec: MarketSpec,
    order: Ticket | OrderModel | CanceledOrder,
    extras: OrderExtras,
    *,
    time_in_force: str,
    filled_lots: int,
    cum_quote: int,
    budget: int,
) -> dict[str, Any]:
    write = numbers(spec)
    # A market buy by budget has no size of its own: what it bought is its size.
    lots = order.lots or filled_lots
    return {
        "price": write.price(order.price_ticks),
        "origQty": write.size(lots),
        "executedQty": write.size(filled_lots),
        "origQuoteOrderQty": write.quote(budget),
        "cummulativeQuoteQty": write.quote(cum_quote),
        "timeInForce": words.time_in_force(order.kind, time_in_force, extras),
        "type": words.order_type(order.kind, post_only=order.post_only, trigger=extras.trigger),
        "side": "BUY" if order.side == BUY else "SELL",
    }


def _asked(spec: MarketSpec, extras: OrderExtras, *, accepted_ns: int = 0) -> dict[str, Any]:
    """Write what an order asks for beyond its terms, as far as it asks for something."""
    told: dict[str, Any] = {"selfTradePreventionMode": words.self_trade_mode(extras)}
    if extras.expires_ns:
        told["goodTillDate"] = ms(extras.expires_ns)
    if extras.trigger:
        told["workingType"] = words.working_type(extras)
        if extras.trail_ppm:
            told["trailingDelta"] = extras.trail_ppm // words.PPM_PER_BIP
            told["trailingTime"] = ms(accepted_ns)
        else:
            told["stopPrice"] = numbers(spec).price(extras.trigger_ticks)
    return told


def ack(ticket: Ticket, reply: OrderAck, receipt: Receipt) -> dict[str, Any]:
    """Answer that the order is held and on its way to the book."""
    return {
        "symbol": ticket.market.pair,
        "orderId": reply.order_id,
        "orderListId": -1,
        "clientOrderId": reply.client_id,
        "transactTime": ms(reply.at_ns),
        **receipt.fields(),
    }


def result(ticket: Ticket, reply: OrderResult) -> dict[str, Any]:
    """Answer what the book made of the order at once; with its fills if they were asked for."""
    spec, waits = ticket.market.spec, bool(ticket.extras.trigger)
    body = {
        "symbol": ticket.market.pair,
        "orderId": reply.order_id,
        "orderListId": -1,
        "clientOrderId": reply.client_id,
        "transactTime": ms(reply.transact_ns),
        **_terms(
            spec,
            ticket,
            ticket.extras,
            time_in_force=ticket.time_in_force,
            filled_lots=reply.filled_lots,
            cum_quote=int(reply.cum_quote),
            budget=ticket.quote_budget,
        ),
        "status": status_of(reply.ended, filled_lots=reply.filled_lots),
        "workingTime": NOT_WORKING if waits else ms(reply.transact_ns),
        **_asked(spec, ticket.extras, accepted_ns=reply.transact_ns),
    }
    if ticket.response == "FULL":
        body["fills"] = [_fill_line(spec, line) for line in reply.fills]
    receipt = Receipt(reply.engine, reply.engine_seq, reply.journal_hash)
    return body | receipt.fields()


def _fill_line(spec: MarketSpec, line: FillLine) -> dict[str, Any]:
    write = numbers(spec)
    return {
        "price": write.price(line.price_ticks),
        "qty": write.size(line.lots),
        "commission": commission(spec, line.fee_asset, int(line.fee)),
        "commissionAsset": line.fee_asset,
        "tradeId": line.trade_id,
    }


def commission(spec: MarketSpec, asset: str, fee: int) -> str:
    """Write a fee exactly, in the asset it was taken from."""
    write = numbers(spec)
    return write.base(fee) if asset == spec.base else write.quote(fee)


def canceled(
    market: MarketInfo,
    order: CanceledOrder,
    known: OrderModel | None,
    done: CancelDone,
    *,
    hash_: bytes,
    cancel_id: str,
) -> dict[str, Any]:
    """Answer one order that a cancel ended, as it was then.

    The book's answer tells a plain order's terms; what it was beyond that stands in `known`.
    """
    filled_lots, cum_quote = order.filled_lots, int(order.cum_quote)
    extras = known.extras if known is not None else PLAIN
    return {
        "symbol": market.pair,
        "origClientOrderId": order.client_id,
        "orderId": order.order_id,
        "orderListId": known.list_id if known is not None else -1,
        "clientOrderId": cancel_id,
        "transactTime": ms(done.at_ns),
        **_terms(
            market.spec,
            order,
            extras,
            time_in_force=order.time_in_force,
            filled_lots=filled_lots,
            cum_quote=cum_quote,
            budget=0,
        ),
        "status": "CANCELED",
        **_asked(market.spec, extras, accepted_ns=known.accepted_ns if known is not None else 0),
        **Receipt(market.book, done.seq, hash_).fields(),
    }


def order_row(market: MarketInfo, order: OrderModel) -> dict[str, Any]:
    """Write an order as reads show it."""
    is_open = order.status in ("NEW", "PARTIALLY_FILLED")
    return {
        "symbol": market.pair,
        "orderId": order.order_id,
        "orderListId": order.list_id,
        "clientOrderId": order.client_id,
        **_terms(
            market.spec,
            order,
            order.extras,
            time_in_force=order.tif,
            filled_lots=order.filled_lots,
            cum_quote=int(order.cum_quote),
            budget=0 if order.lots else int(order.budget),
        ),
        "status": order.status,
        "stopPrice": numbers(market.spec).price(0),
        "icebergQty": numbers(market.spec).size(0),
        "time": ms(order.accepted_ns),
        "updateTime": ms(order.updated_ns),
        "isWorking": is_open and not order.is_waiting,
        "workingTime": ms(order.working_ns) if order.working_ns else NOT_WORKING,
        **_asked(market.spec, order.extras, accepted_ns=order.accepted_ns),
        **Receipt(order.engine, order.engine_seq, order.journal_hash).fields(),
    }


def amended(market: MarketInfo, reply: AmendDone, known: OrderModel | None) -> dict[str, Any]:
    """Answer an order that is smaller now. Its other terms stand in `known`."""
    write = numbers(market.spec)
    order: dict[str, Any] = {
        "symbol": market.pair,
        "orderId": reply.order_id,
        "orderListId": known.list_id if known is not None else -1,
        "origClientOrderId": reply.client_id,
        "clientOrderId": reply.client_id,
        "qty": write.size(reply.lots),
        "executedQty": write.size(reply.filled_lots),
        "preventedQty": write.size(0),
        "cumulativeQuoteQty": write.quote(int(reply.cum_quote)),
        "status": status_of(None, filled_lots=reply.filled_lots),
    }
    if known is not None:
        terms = _terms(
            market.spec,
            known,
            known.extras,
            time_in_force=known.tif,
            filled_lots=reply.filled_lots,
            cum_quote=int(reply.cum_quote),
            budget=0,
        )
        order |= {name: terms[name] for name in ("price", "timeInForce", "type", "side")}
        order["workingTime"] = ms(known.working_ns) if known.working_ns else NOT_WORKING
        order |= _asked(market.spec, known.extras, accepted_ns=known.accepted_ns)
    return {
        "transactTime": ms(reply.transact_ns),
        "executionId": reply.engine_seq,
        "amendedOrder": order,
        **Receipt(reply.engine, reply.engine_seq, reply.journal_hash).fields(),
    }


def trade_row(market: MarketInfo, fill: FillModel) -> dict[str, Any]:
    """Write one of an account's own fills."""
    write = numbers(market.spec)
    return {
        "symbol": market.pair,
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": -1,
        "price": write.price(fill.price_ticks),
        "qty": write.size(fill.lots),
        "quoteQty": write.quote(int(fill.quote)),
        "commission": commission(market.spec, fill.fee_asset, int(fill.fee)),
        "commissionAsset": fill.fee_asset,
        "time": ms(fill.at_ns),
        "isBuyer": fill.side == BUY,
        "isMaker": fill.liquidity == "M",
        "isBestMatch": True,
        **Receipt(market.book, fill.book_seq, fill.book_hash).fields(),
    }


def balance_row(asset: AssetInfo, *, free: int, locked: int) -> dict[str, str]:
    """Write one asset of an account."""
    return {
        "asset": asset.code,
        "free": format_units(free, decimals=asset.decimals),
        "locked": format_units(locked, decimals=asset.decimals),
    }


def rate(ppm: int) -> str:
    """Write a rate in millionths."""
    return format_units(ppm * 100, decimals=8)
