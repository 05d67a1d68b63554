"""Private events as the dialect's user data stream writes them, with the book's receipt added."""

from typing import Any

from apps.common.kernel.money import format_units
from apps.marketdata.dialect import Numbers, as_json, ms
from apps.orders.readmodels import FillModel, OrderModel

NO_RECEIPT_REASON = "NONE"
KINDS = {"L": "LIMIT", "M": "MARKET"}
SIDES = {"B": "BUY", "S": "SELL"}


def order_type(order: OrderModel) -> str:
    """Name the order's type as the dialect does."""
    return "LIMIT_MAKER" if order.post_only else KINDS[order.kind]


def execution_report(
    order: OrderModel,
    numbers: Numbers,
    *,
    execution: str,
    status: str,
    event_ns: int,
    decided_ns: int,
    fill: FillModel | None = None,
) -> str:
    """Write one step of an order's life: NEW, TRADE, CANCELED, EXPIRED or REJECTED."""
    by_quote = order.kind == "M" and order.lots == 0
    lots = order.filled_lots if by_quote else order.lots
    event: dict[str, Any] = {
        "e": "executionReport",
        "E": ms(event_ns),
        "s": numbers.symbol,
        "c": order.client_id,
        "S": SIDES[order.side],
        "o": order_type(order),
        "f": order.tif,
        "q": numbers.size(lots),
        "p": numbers.price(order.price_ticks),
        "P": numbers.price(0),
        "F": numbers.size(0),
        "g": -1,
        "C": order.client_id if execution == "CANCELED" else "",
        "x": execution,
        "X": status,
        "r": order.code.upper() if execution == "REJECTED" and order.code else NO_RECEIPT_REASON,
        "i": order.order_id,
        "z": numbers.size(order.filled_lots),
        **_last_fill(fill, numbers),
        "T": ms(decided_ns),
        "I": order.book_seq,
        "w": status in {"NEW", "PARTIALLY_FILLED"} and order.kind == "L",
        "M": False,
        "O": ms(order.accepted_ns),
        "Z": numbers.quote(int(order.cum_quote)),
        "Q": numbers.quote(int(order.budget) if by_quote else 0),
        "W": ms(order.accepted_ns),
        "V": "NONE",
        "engine": order.engine,
        "engineSeq": order.engine_seq,
        "journalHash": order.journal_hash.hex(),
    }
    return as_json(event)


def _last_fill(fill: FillModel | None, numbers: Numbers) -> dict[str, Any]:
    return {
        "l": numbers.size(fill.lots if fill else 0),
        "L": numbers.price(fill.price_ticks if fill else 0),
        "Y": numbers.quote(int(fill.quote) if fill else 0),
        "n": _fee(fill, numbers),
        "N": fill.fee_asset if fill else None,
        "t": fill.trade_id if fill else -1,
        "m": fill is not None and fill.liquidity == "M",
    }


def _fee(fill: FillModel | None, numbers: Numbers) -> str:
    if fill is None:
        return "0"
    in_base = fill.fee_asset == numbers.spec.base
    return numbers.base(int(fill.fee)) if in_base else numbers.quote(int(fill.fee))


def account_position(
    balances: dict[str, tuple[int, int]], decimals: dict[str, int], *, at_ns: int
) -> str:
    """Write the balances that a batch changed: asset → (total, held)."""
    rows = [
        {
            "a": asset,
            "f": format_units(total - held, decimals=decimals.get(asset, 8)),
            "l": format_units(held, decimals=decimals.get(asset, 8)),
        }
        for asset, (total, held) in sorted(balances.items())
    ]
    return as_json({"e": "outboundAccountPosition", "E": ms(at_ns), "u": ms(at_ns), "B": rows})


def balance_update(asset: str, amount: int, decimals: dict[str, int], *, at_ns: int) -> str:
    """Write a deposit, withdrawal or transfer."""
    delta = format_units(amount, decimals=decimals.get(asset, 8))
    return as_json({"e": "balanceUpdate", "E": ms(at_ns), "a": asset, "d": delta, "T": ms(at_ns)})
