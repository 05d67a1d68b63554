"""The hot doors in the API's schema: drf-spectacular sees only Django REST framework's views."""

from __future__ import annotations

import inspect
from typing import Any

from apps.orders.dialect import endpoints

SIGNED, KEY_ONLY, OPEN = "signed", "key", "open"
# What each hot door reads, and who may come: by the address's name and the method.
DOORS: dict[str, dict[str, tuple[frozenset[str], str]]] = {
    "order": {
        "POST": (endpoints.NEW_ORDER, SIGNED),
        "GET": (endpoints.FIND_ORDER, SIGNED),
        "DELETE": (endpoints.CANCEL_ORDER, SIGNED),
    },
    "order-test": {"POST": (endpoints.TEST_ORDER, SIGNED)},
    "order-amend": {"PUT": (endpoints.AMEND, SIGNED)},
    "order-replace": {"POST": (endpoints.CANCEL_REPLACE, SIGNED)},
    "order-oco": {"POST": (endpoints.OLD_OCO, SIGNED)},
    "order-list-oco": {"POST": (endpoints.NEW_OCO, SIGNED)},
    "order-list": {
        "GET": (endpoints.FIND_LIST, SIGNED),
        "DELETE": (endpoints.CANCEL_LIST, SIGNED),
    },
    "open-order-lists": {"GET": (endpoints.SIGNED_ONLY, SIGNED)},
    "order-batch": {
        "POST": (endpoints.BATCH_PLACE, SIGNED),
        "DELETE": (endpoints.BATCH_CANCEL, SIGNED),
    },
    "cancel-all-after": {"POST": (endpoints.CANCEL_AFTER, SIGNED)},
    "open-orders": {
        "GET": (endpoints.OPEN_ORDERS, SIGNED),
        "DELETE": (endpoints.CANCEL_ALL, SIGNED),
    },
    "account": {"GET": (endpoints.ACCOUNT, SIGNED)},
    "user-data-stream": {
        "POST": (endpoints.NOTHING, KEY_ONLY),
        "PUT": (endpoints.LISTEN_KEY, KEY_ONLY),
        "DELETE": (endpoints.LISTEN_KEY, KEY_ONLY),
    },
    "ping": {"GET": (endpoints.NOTHING, OPEN)},
    "time": {"GET": (endpoints.NOTHING, OPEN)},
}
_MANDATORY = {
    *("symbol", "side", "type", "listenKey", "newQty", "cancelReplaceMode"),
    *("aboveType", "belowType", "batchOrders", "countdownTime"),
}
_OPTIONAL_SYMBOL = {("open-orders", "GET")}
_WHOLE = {
    *("timestamp", "orderId", "strategyId", "strategyType", "trailingDelta", "goodTillDate"),
    *("cancelOrderId", "orderListId", "countdownTime"),
}
_KEY: dict[str, list[str]] = {"apiKey": []}
_COOKIE: dict[str, list[str]] = {"cookieAuth": []}


def hot_routes() -> dict[str, tuple[str, Any]]:
    """Return the hot addresses: path → (name, view)."""
    from apps.orders import urls  # The URL conf imports the views, which import half of the site.

    return {
        f"/{pattern.pattern}": (str(pattern.name), pattern.callback)
        for pattern in urls.urlpatterns
        if hasattr(pattern.callback, "hot_handlers")
    }


def add_hot_doors(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add the hot doors to the schema (a postprocessing hook)."""
    schemes = result.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["apiKey"] = {
        "type": "apiKey",
        "in": "header",
        "name": "X-MBX-APIKEY",
        "description": "With `timestamp` and `signature` (HMAC-SHA256 over query and body).",
    }
    for path, (name, view) in hot_routes().items():
        result["paths"][path] = {
            method.lower(): _operation(name, method, handler)
            for method, handler in view.hot_handlers.items()
        }
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def _operation(name: str, method: str, handler: Any) -> dict[str, Any]:
    reads, who = DOORS[name][method]
    operation: dict[str, Any] = {
        "operationId": f"{name.replace('-', '_')}_{method.lower()}",
        "description": inspect.getdoc(handler) or "",
        "tags": ["trading"],
        "parameters": [_parameter(name, method, parameter) for parameter in sorted(reads)],
        "responses": {
            "200": {
                "description": "The answer.",
                "content": {"application/json": {"schema": {}}},
            },
            "4XX": {
                "description": "Refused: nothing changed.",
                "content": {"application/json": {"schema": _REFUSAL}},
            },
        },
    }
    operation["security"] = [{}] if who == OPEN else [_KEY, _COOKIE]
    return operation


_REFUSAL = {
    "type": "object",
    "properties": {"code": {"type": "integer"}, "msg": {"type": "string"}},
    "required": ["code", "msg"],
}


def _parameter(door: str, method: str, name: str) -> dict[str, Any]:
    is_needed = name in _MANDATORY and (door, method) not in _OPTIONAL_SYMBOL
    kind = {"type": "integer"} if name in _WHOLE else {"type": "string"}
    return {"name": name, "in": "query", "required": is_needed, "schema": kind}
