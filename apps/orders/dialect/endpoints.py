"""Which parameters each endpoint of the dialect reads. Any other one is refused (-1104)."""

from __future__ import annotations

SIGNING = frozenset({"timestamp", "recvWindow", "signature"})

NEW_ORDER = SIGNING | {
    *("symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price"),
    *("newClientOrderId", "newOrderRespType", "selfTradePreventionMode", "goodTillDate"),
    *("strategyId", "strategyType", "stopPrice", "trailingDelta", "workingType", "icebergQty"),
}
TEST_ORDER = NEW_ORDER | {"computeCommissionRates"}
FIND_ORDER = SIGNING | {"symbol", "orderId", "origClientOrderId"}
CANCEL_ORDER = FIND_ORDER | {"newClientOrderId", "cancelRestrictions"}
CANCEL_REPLACE = NEW_ORDER | {
    *("cancelReplaceMode", "cancelNewClientOrderId", "cancelOrigClientOrderId", "cancelOrderId"),
    "cancelRestrictions",
}
AMEND = FIND_ORDER | {"newClientOrderId", "newQty"}

_LIST = SIGNING | {
    *("symbol", "side", "quantity", "listClientOrderId", "newOrderRespType"),
    *("selfTradePreventionMode", "workingType"),
}
NEW_OCO = (
    _LIST
    | {
        side + name
        for side in ("above", "below")
        for name in (
            *("Type", "ClientOrderId", "IcebergQty", "Price", "StopPrice", "TrailingDelta"),
            *("TimeInForce", "StrategyId", "StrategyType"),
        )
    }
)  # fmt: skip
OLD_OCO = _LIST | {
    *("limitClientOrderId", "price", "limitStrategyId", "limitStrategyType", "limitIcebergQty"),
    *("trailingDelta", "stopClientOrderId", "stopPrice", "stopStrategyId", "stopStrategyType"),
    *("stopLimitPrice", "stopIcebergQty", "stopLimitTimeInForce"),
}
FIND_LIST = SIGNING | {"orderListId", "origClientOrderId"}
CANCEL_LIST = SIGNING | {"symbol", "orderListId", "listClientOrderId", "newClientOrderId"}

BATCH_PLACE = SIGNING | {"batchOrders"}
BATCH_ORDER = NEW_ORDER - SIGNING
BATCH_CANCEL = SIGNING | {"symbol", "orderIdList", "origClientOrderIdList"}
CANCEL_AFTER = SIGNING | {"symbol", "countdownTime"}

OPEN_ORDERS = SIGNING | {"symbol"}
CANCEL_ALL = OPEN_ORDERS
ALL_ORDERS = SIGNING | {"symbol", "orderId", "startTime", "endTime", "limit"}
MY_TRADES = ALL_ORDERS | {"fromId"}
ACCOUNT = SIGNING | {"omitZeroBalances"}
SIGNED_ONLY = SIGNING
TRADE_FEE = SIGNING | {"symbol"}

NOTHING: frozenset[str] = frozenset()
EXCHANGE_INFO = frozenset(
    {"symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus"}
)
DEPTH = frozenset({"symbol", "limit"})
TRADES = DEPTH
AGG_TRADES = frozenset({"symbol", "fromId", "startTime", "endTime", "limit"})
KLINES = frozenset({"symbol", "interval", "startTime", "endTime", "timeZone", "limit"})
TICKER = frozenset({"symbol", "symbols", "type"})
LISTEN_KEY = frozenset({"listenKey"})
