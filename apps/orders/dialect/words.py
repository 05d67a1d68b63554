"""The dialect's names for what an order is and asks for, and ours."""

from __future__ import annotations

from matching_worker.contracts.market import MARKET, SelfTrade, Trigger, TriggerBy
from matching_worker.contracts.to_book import OrderExtras

SIDES = {"B": "BUY", "S": "SELL"}
PLAIN_TYPES = ("LIMIT", "MARKET", "LIMIT_MAKER")
TRIGGER_TYPES: dict[str, Trigger] = {
    "STOP_LOSS": "stop",
    "STOP_LOSS_LIMIT": "stop",
    "TAKE_PROFIT": "profit",
    "TAKE_PROFIT_LIMIT": "profit",
}
ORDER_TYPES = (*PLAIN_TYPES, *TRIGGER_TYPES)
MARKET_TYPES = ("MARKET", "STOP_LOSS", "TAKE_PROFIT")

SELF_TRADE: dict[str, SelfTrade] = {
    "EXPIRE_TAKER": "T",
    "EXPIRE_MAKER": "M",
    "EXPIRE_BOTH": "B",
    "NONE": "N",
}
SELF_TRADE_DEFAULT = "EXPIRE_TAKER"
_SELF_TRADE_NAMES = {ours: name for name, ours in SELF_TRADE.items()}

WORKING_TYPES: dict[str, TriggerBy] = {"CONTRACT_PRICE": "last", "MARK_PRICE": "mark"}
_WORKING_TYPE_NAMES = {ours: name for name, ours in WORKING_TYPES.items()}

PPM_PER_BIP = 100
_TRIGGER_NAMES = {"stop": "STOP_LOSS", "profit": "TAKE_PROFIT"}


def order_type(kind: str, *, post_only: bool, trigger: str) -> str:
    """Name an order's type."""
    if trigger:
        name = _TRIGGER_NAMES[trigger]
        return name if kind == MARKET else f"{name}_LIMIT"
    if kind == MARKET:
        return "MARKET"
    return "LIMIT_MAKER" if post_only else "LIMIT"


def time_in_force(kind: str, named: str, extras: OrderExtras) -> str:
    """Name how long an order stands: a market order's is GTC in this dialect."""
    if kind == MARKET:
        return "GTC"
    return "GTD" if extras.expires_ns else named


def self_trade_mode(extras: OrderExtras) -> str:
    """Name what ends when an order would trade with its own owner's."""
    return _SELF_TRADE_NAMES[extras.self_trade]


def working_type(extras: OrderExtras) -> str:
    """Name the price that sets an order off."""
    return _WORKING_TYPE_NAMES[extras.trigger_by]


def self_trade_of(name: str) -> SelfTrade | None:
    """Read a self-trade mode."""
    return SELF_TRADE.get(name)
