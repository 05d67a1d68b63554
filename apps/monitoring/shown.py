"""What people are shown, against what is so: read models and tape on `cache`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import redis

from apps.common.kernel.ids import partition_of
from apps.marketdata import store as market_store
from apps.monitoring.findings import Findings
from apps.orders import readmodels
from apps.risk.engine.state import PartitionState
from matching_worker.contracts.from_book import Trade

_pairs = msgspec.msgpack.Decoder(tuple[int | str, int | str])
_orders = msgspec.msgpack.Decoder(readmodels.OrderModel)
_ZERO = (0, 0)

Balances = dict[tuple[int, str], tuple[int, int]]  # (account, asset) → (total, held)


class Shown(msgspec.Struct, frozen=True):
    """The read models of one partition's accounts at one position of the projector."""

    batch: int
    balances: Balances
    open_orders: dict[int, tuple[int, int]]  # Order → filled lots and quote.


def read_models(cache: redis.Redis, worker: str, partition: int) -> Shown | None:
    """Return what `cache` shows of a partition, all of one moment; None while it is rebuilt."""
    accounts = sorted(
        number
        for number in map(int, cache.smembers(readmodels.ACCOUNTS))
        if partition_of(number) == partition
    )
    with cache.pipeline(transaction=True) as pipe:
        pipe.exists(readmodels.READY)
        pipe.hget(readmodels.position_key(worker), "batch")
        for account in accounts:
            pipe.hgetall(readmodels.balances_key(account))
            pipe.hvals(readmodels.open_key(account))
        is_ready, batch, *values = pipe.execute()
    if not is_ready or batch is None:
        return None
    shown: Balances = {}
    for account, raw in zip(accounts, values[::2], strict=True):
        for asset, pair in raw.items():
            total, held = _pairs.decode(pair)
            shown[account, asset.decode()] = (int(total), int(held))
    orders = [_orders.decode(raw) for own in values[1::2] for raw in own]
    filled = {order.order_id: (order.filled_lots, int(order.cum_quote)) for order in orders}
    return Shown(int(batch), shown, filled)


def compare_read_models(machine: PartitionState, shown: Shown, findings: Findings) -> None:
    """Compare balances and open orders with the partition where the projector stands."""
    engine = {
        (account.number, asset): (balance.total, balance.held)
        for account in machine.accounts.values()
        for asset, balance in account.balances.items()
    }
    for account, asset in sorted(engine.keys() | shown.balances.keys()):
        here, there = (
            shown.balances.get((account, asset), _ZERO),
            engine.get((account, asset), _ZERO),
        )
        what = f"read model rm:balances:{account} {asset} shows {here}, the partition has {there}"
        findings.claim("I12", here == there, what)
    orders = {
        number: (order.filled_lots, order.cum_quote) for number, order in machine.orders.items()
    }
    for order_id in sorted(orders.keys() | shown.open_orders.keys()):
        seen, so = shown.open_orders.get(order_id), orders.get(order_id)
        what = f"read model of order {order_id} shows {seen} filled, the partition has {so}"
        findings.claim("I12", seen == so, what)


def read_tape(cache: redis.Redis, market: str) -> Sequence[Any]:
    """Return the public tape of a market as `cache` has it."""
    symbol = market.replace("-", "")
    return [
        market_store.decode_print(raw)
        for raw in cast("list[bytes]", cache.lrange(market_store.trades_key(symbol), 0, -1))
    ]


def compare_tape(
    tape: Sequence[Any], trades: dict[int, Trade], market: str, findings: Findings
) -> None:
    """Compare the public tape with the book's trades, as far back as both reach."""
    for printed in tape:
        trade = trades.get(printed.trade_id)
        if trade is None:
            continue
        same = (printed.ticks, printed.lots, printed.taker_buys) == (
            trade.price_ticks,
            trade.lots,
            trade.taker_side == "B",
        )
        what = f"trade {printed.trade_id} of {market} is shown as {printed.lots} at {printed.ticks}"
        findings.claim("I12", same, what)
