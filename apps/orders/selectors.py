"""Reads of an account's orders, fills and balances: the read models, and behind them the ledger.

The asynchronous ones serve the hot path; they see all that the partition was asked before the
request came, or say as of when they speak. The others run in threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import redis
from django.db import InterfaceError, OperationalError, connections

from apps.common.errors import Unavailable
from apps.common.kernel.ids import partition_of
from apps.journals import keys
from apps.ledger import selectors as ledger
from apps.markets.contracts import Catalogue, MarketInfo
from apps.orders import history
from apps.orders.contracts import Caller
from apps.orders.dialect import refusals, render
from apps.orders.readmodels import RECENT_MAX, FillModel, OrderModel, SyncReadModels
from apps.orders.runtime import Edge


async def find_order(
    edge: Edge, caller: Caller, market: MarketInfo, *, order_id: int, client_id: str
) -> dict[str, Any]:
    """Return an order the account owns. "No such order" is said only when that is certain."""
    as_of = await catch_up(edge, caller.account)
    if order_id:
        order = await edge.models.order_by_id(caller.account, order_id)
    else:
        order = await edge.models.order_by_client_id(caller.account, client_id)
    if order is None and not as_of:
        order = await asyncio.to_thread(
            _past_order, caller.account, market.spec.symbol, order_id, client_id
        )
    is_meant = (
        order is not None
        and order.market == market.spec.symbol
        and client_id in ("", order.client_id)
    )
    if order is not None and is_meant:
        return render.order_row(market, order) | as_of
    if as_of:
        raise refusals.catching_up()
    raise refusals.no_such_order()


def _past_order(account: int, market: str, order_id: int, client_id: str) -> OrderModel | None:
    """Look in the ledger, in a thread: the read models keep what is recent."""
    try:
        if order_id:
            past = ledger.order_of(account, order_id=order_id)
        else:
            past = ledger.order_by_client_id(account, client_id, market=market)
    except (OperationalError, InterfaceError):
        raise Unavailable("The history") from None
    finally:
        connections.close_all()
    return None if past is None else history.order_model(past)


async def past_orders(account: int, order_ids: Iterable[int]) -> list[OrderModel]:
    """Return orders of one list, as far as the ledger has them; each learns the other's name."""

    def look() -> list[OrderModel]:
        found = (_past_order(account, "", order_id, "") for order_id in order_ids)
        known = {order.order_id: order for order in found if order is not None}
        for order in known.values():
            if order.other_leg in known:
                order.other_client_id = known[order.other_leg].client_id
        return list(known.values())

    return await asyncio.to_thread(look)


async def open_orders(
    edge: Edge, caller: Caller, market: MarketInfo | None, catalogue: Catalogue
) -> list[dict[str, Any]]:
    """Return what may still trade, oldest first."""
    as_of = await catch_up(edge, caller.account)
    symbol = market.spec.symbol if market else None
    found = await edge.models.open_orders(caller.account, symbol)
    return [
        render.order_row(catalogue.by_symbol[order.market], order) | as_of
        for order in found
        if order.market in catalogue.by_symbol
    ]


async def catch_up(edge: Edge, account: int) -> dict[str, int]:
    """Wait until the read models know all that the partition was asked, and this account told.

    Returns nothing to add when they do; else `asOf`, the time up to which they know it.
    """
    partition = keys.worker_of_partition(partition_of(account))
    try:
        up_to = await edge.newest_command(partition)
        is_seen = await edge.models.wait_for(partition, keys.commands(partition), up_to)
        for engine, batch in edge.told.of(account).items():
            if engine == partition:
                is_seen &= await edge.models.wait_for_batch(partition, batch)
            else:
                frame = await edge.newest_frame(engine, partition)
                link = keys.link(engine, partition)
                is_seen &= await edge.models.wait_for(partition, link, frame)
        if is_seen:
            return {}
    except refusals.DialectRefusal:
        pass  # The journals are away: answer what is known, as of when it was.
    position = await edge.models.position(partition)
    return {"asOf": position.at_ns // 1_000_000 if position else 0}


# ── In threads ──────────────────────────────────────────────────────────────────────────────────


class Window:
    """Which part of a history is wanted: from an id, or between two times, and how much."""

    def __init__(
        self, *, from_id: int | None, start_ms: int | None, end_ms: int | None, limit: int
    ) -> None:
        self.from_id, self.start_ms, self.end_ms, self.limit = from_id, start_ms, end_ms, limit

    def for_ledger(self) -> dict[str, Any]:
        """Return what the ledger's selectors take."""
        return {
            "from_id": self.from_id,
            "start": _moment(self.start_ms),
            "end": _moment(self.end_ms),
            "limit": self.limit,
        }

    def holds(self, number: int, at_ns: int) -> bool:
        """Say whether a row belongs into it."""
        at_ms = at_ns // 1_000_000
        return (
            (self.from_id is None or number >= self.from_id)
            and (self.start_ms is None or at_ms >= self.start_ms)
            and (self.end_ms is None or at_ms <= self.end_ms)
        )

    def cut(self, rows: list[Any]) -> list[Any]:
        """Cut rows in rising order: the first ones from a start, else the newest ones."""
        is_from_start = self.from_id is not None or self.start_ms is not None
        return rows[: self.limit] if is_from_start else rows[-self.limit :]


def _moment(at_ms: int | None) -> datetime | None:
    return None if at_ms is None else datetime.fromtimestamp(at_ms / 1_000, UTC)


def all_orders(
    cache: redis.Redis, account: int, market: MarketInfo, window: Window
) -> list[OrderModel]:
    """Return an account's orders of any age and state: the ledger's, and newer word of them."""
    symbol = market.spec.symbol
    found = {
        past.order_id: history.order_model(past)
        for past in ledger.orders_of(account, symbol, **window.for_ledger())
    }
    models = SyncReadModels(cache)
    for order in (*models.recent_orders(account, RECENT_MAX), *models.open_orders(account, symbol)):
        if order.market == symbol and window.holds(order.order_id, order.accepted_ns):
            found[order.order_id] = order
    return window.cut([found[number] for number in sorted(found)])


def my_trades(
    cache: redis.Redis, account: int, market: MarketInfo, window: Window, *, order_id: int | None
) -> list[FillModel]:
    """Return an account's fills of any age: the ledger's, and those not settled yet."""
    symbol = market.spec.symbol
    past = ledger.fills_of(account, symbol, order_id=order_id, **window.for_ledger())
    found = {(fill.trade_id, fill.side): history.fill_model(fill) for fill in past}
    for fill in SyncReadModels(cache).recent_fills(account, RECENT_MAX):
        if (
            fill.market == symbol
            and order_id in (None, fill.order_id)
            and window.holds(fill.trade_id, fill.at_ns)
        ):
            found[fill.trade_id, fill.side] = fill
    return window.cut([found[key] for key in sorted(found)])
