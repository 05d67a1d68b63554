"""Private events as the dialect's user data stream writes them, with the book's receipt added."""

from typing import Any

from apps.common.kernel.money import format_units
from apps.marketdata.dialect import Numbers, as_json, ms
from apps.orders.dialect import words
from apps.orders.dialect.lists import name_of
from apps.orders.readmodels import FillModel, OrderModel

NO_RECEIPT_REASON = "NONE"
LIST_DONE = ("ALL_DONE", "REJECT")


def order_type(order: OrderModel) -> str:
    """Name the order's type as the dialect does."""
    return words.order_type(order.kind, post_only=order.post_only, trigger=order.extras.trigger)


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
    """Write one step of an order: NEW (again once it is set off), REPLACED, TRADE, or its end."""
    by_quote = order.kind == "M" and order.lots == 0
    lots = order.filled_lots if by_quote else order.lots
    event: dict[str, Any] = {
        "e": "executionReport",
        "E": ms(event_ns),
        "s": numbers.symbol,
        "c": order.client_id,
        "S": words.SIDES[order.side],
        "o": order_type(order),
        "f": "GTD" if order.extras.expires_ns else order.tif,
        "q": numbers.size(lots),
        "p": numbers.price(order.price_ticks),
        "P": numbers.price(order.extras.trigger_ticks),
        "F": numbers.size(0),
        "g": order.list_id,
        "C": order.client_id if execution in ("CANCELED", "REPLACED") else "",
        "x": execution,
        "X": status,
        "r": order.code.upper() if execution == "REJECTED" and order.code else NO_RECEIPT_REASON,
        "i": order.order_id,
        "z": numbers.size(order.filled_lots),
        **_last_fill(fill, numbers),
        "T": ms(decided_ns),
        "I": order.book_seq,
        "w": status in {"NEW", "PARTIALLY_FILLED"} and order.kind == "L" and not order.is_waiting,
        "M": False,
        "O": ms(order.accepted_ns),
        "Z": numbers.quote(int(order.cum_quote)),
        "Q": numbers.quote(int(order.budget) if by_quote else 0),
        "V": words.self_trade_mode(order.extras),
        **_asked(order),
        "engine": order.engine,
        "engineSeq": order.engine_seq,
        "journalHash": order.journal_hash.hex(),
    }
    return as_json(event)


def _asked(order: OrderModel) -> dict[str, Any]:
    """Write what only some orders have: a time they work from, a trail, an end."""
    told: dict[str, Any] = {}
    if order.working_ns:
        told["W"] = ms(order.working_ns)
    if order.extras.trail_ppm:
        told["d"] = order.extras.trail_ppm // words.PPM_PER_BIP
        told["D"] = ms(order.accepted_ns)
    if order.extras.trigger:
        told["wt"] = words.working_type(order.extras)
    if order.extras.expires_ns:
        told["gtd"] = ms(order.extras.expires_ns)
    return told


def list_status(
    order: OrderModel, numbers: Numbers, *, state: str, event_ns: int, decided_ns: int
) -> str:
    """Write that a list (one cancels the other) works, is done, or was refused."""
    orders = sorted([(order.order_id, order.client_id), (order.other_leg, order.other_client_id)])
    event = {
        "e": "listStatus",
        "E": ms(event_ns),
        "s": numbers.symbol,
        "g": order.list_id,
        "c": "OCO",
        "l": "ALL_DONE" if state in LIST_DONE else "EXEC_STARTED",
        "L": state,
        "r": "NONE",
        "C": name_of(orders[0][1], orders[1][1]),
        "T": ms(decided_ns),
        "O": [{"s": numbers.symbol, "i": number, "c": client_id} for number, client_id in orders],
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
