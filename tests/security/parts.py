"""What is sent to a door: the names in its path, its parameters, its body.

Everything in braces is a thing of Alice's (`world.Names`), whoever asks; `{own}` is the account of
the caller. A door that is not here gets its path as it is, and an empty body.
"""

from __future__ import annotations

import json
from typing import Any

from tests.helpers.staff import SOL

PASSWORD = "correct horse battery"
BTC = {"symbol": "BTCUSDT"}
ORDER = {
    **BTC, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC",
    "quantity": "0.5", "price": "50000.01",
}  # fmt: skip
OCO = BTC | {
    "side": "SELL", "quantity": "0.5", "aboveType": "LIMIT_MAKER", "abovePrice": "52000.01",
    "belowType": "STOP_LOSS", "belowStopPrice": "49000.01",
}  # fmt: skip
OLD_OCO = BTC | {"side": "SELL", "quantity": "0.5", "price": "52000.01", "stopPrice": "49000.01"}
CONFIRMED = {"confirmed": "1"}
REASON = {"reason": "asked by a court"}

PATHS = {
    "/trade/<str:symbol>": "/trade/BTC-USDT",
    "/api/v1/orders/<int:order_id>/life": "/api/v1/orders/{order}/life",
    "/api/v1/account/transfers/<uuid:transfer_id>": "/api/v1/account/transfers/{transfer}",
    "/api/v1/account/keys/<str:public_id>": "/api/v1/account/keys/{key}",
    "/api/v1/account/sessions/<int:number>": "/api/v1/account/sessions/{log_in}",
    "/api/v1/account/factors/<str:kind>/<int:number>": "/api/v1/account/factors/totp/{app}",
    "/api/v1/account/factors/totp/<int:number>/code": "/api/v1/account/factors/totp/{app}/code",
    "/admin/users/factorreset/<int:number>/decide/": "/admin/users/factorreset/{lost}/decide/",
    "/api/v1/account/devices/<int:number>": "/api/v1/account/devices/{device}",
    "/api/v1/account/subaccounts/<int:number>": "/api/v1/account/subaccounts/{desk}",
    "/api/v1/kyc/specimens/<str:kind>": "/api/v1/kyc/specimens/selfie",
    "/api/v1/kyc/applications/<uuid:public_id>": "/api/v1/kyc/applications/{application}",
    "/api/v1/kyc/applications/<uuid:public_id>/submission": (
        "/api/v1/kyc/applications/{application}/submission"
    ),
    "/api/v1/kyc/applications/<uuid:public_id>/documents": (
        "/api/v1/kyc/applications/{application}/documents"
    ),
    "/api/v1/kyc/applications/<uuid:public_id>/documents/<uuid:document_id>": (
        "/api/v1/kyc/applications/{application}/documents/{document}"
    ),
    "/api/v1/proofs/segments/<str:market>/<str:name>": "/api/v1/proofs/segments/BTC-USDT/none.gz",
    "/admin/compliance/rules/<int:number>/": "/admin/compliance/rules/{rules}/",
    "/admin/r/<path:content_type_id>/<path:object_id>/": "/admin/r/1/1/",
    "/admin/users/user/<int:number>/log-ins/": "/admin/users/user/{person}/log-ins/",
    "/admin/users/tradingaccount/<int:number>/freeze/": (
        "/admin/users/tradingaccount/{account}/freeze/"
    ),
    "/admin/users/tradingaccount/<int:number>/unfreeze/": (
        "/admin/users/tradingaccount/{frozen}/unfreeze/"
    ),
    "/admin/kyc/application/<uuid:public_id>/review/": (
        "/admin/kyc/application/{application}/review/"
    ),
    "/admin/markets/market/<str:symbol>/delist/": "/admin/markets/market/BTC-USDT/delist/",
    "/admin/markets/market/<str:symbol>/state/": "/admin/markets/market/BTC-USDT/state/",
    "/admin/<app_label>/": "/admin/users/",
    "/admin/<url>": "/admin/nowhere/",
}
QUERIES: dict[str, dict[str, str]] = {
    "POST /api/v3/order": ORDER,
    "GET /api/v3/order": BTC | {"orderId": "{order}"},
    "GET /api/v3/order [by its name]": BTC | {"origClientOrderId": "{order_name}"},
    "DELETE /api/v3/order": BTC | {"orderId": "{order}"},
    "POST /api/v3/order/test": ORDER,
    "PUT /api/v3/order/amend/keepPriority": BTC | {"orderId": "{order}", "newQty": "0.25"},
    "POST /api/v3/order/cancelReplace": ORDER
    | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": "{order}"},
    "POST /api/v3/order/oco": OLD_OCO,
    "POST /api/v3/orderList/oco": OCO,
    "GET /api/v3/orderList": {"orderListId": "{list}"},
    "DELETE /api/v3/orderList": BTC | {"orderListId": "{list}"},
    "GET /api/v3/openOrders": BTC,
    "DELETE /api/v3/openOrders": BTC,
    "POST /api/v1/orders/batch": {"batchOrders": json.dumps([ORDER])},
    "DELETE /api/v1/orders/batch": BTC | {"orderIdList": "[{order}]"},
    "POST /api/v1/cancelAllAfter": BTC | {"countdownTime": "0"},
    "POST /api/v3/userDataStream": {},
    "PUT /api/v3/userDataStream": {"listenKey": "{listen_key}"},
    "DELETE /api/v3/userDataStream": {"listenKey": "{listen_key}"},
    "GET /api/v3/allOrders": BTC,
    "GET /api/v3/allOrders [from an order]": BTC | {"orderId": "{order}"},
    "GET /api/v3/myTrades": BTC,
    "GET /api/v3/depth": BTC,
    "GET /api/v3/trades": BTC,
    "GET /api/v3/aggTrades": BTC,
    "GET /api/v3/klines": BTC | {"interval": "1m"},
    "GET /api/v3/ticker/24hr": BTC,
    "GET /api/v3/ticker/bookTicker": BTC,
    "GET /api/v1/account [of an account]": {"account": "{account}"},
    "GET /api/v1/account/keys [of an account]": {"account": "{account}"},
    "GET /api/v1/account/transfers [of an account]": {"account": "{account}"},
    "GET /api/v1/kyc [of an account]": {"account": "{account}"},
    "GET /api/v1/kyc/limits [of an account]": {"account": "{account}"},
    "GET /admin/autocomplete/": {
        "app_label": "users", "model_name": "tradingaccount", "field_name": "user",
    },
}  # fmt: skip
_HMAC_KEY = {"label": "new", "kind": "hmac"}
BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/demo/faucet": {"asset": "USDT"},
    "POST /api/v1/account/transfers": {
        "from": "{account}", "to": "{desk}", "asset": "USDT", "amount": "1", "client_id": "new",
    },
    "POST /api/v1/account/transfers [to another's]": {
        "from": "{own}", "to": "{desk}", "asset": "USDT", "amount": "1", "client_id": "new",
    },
    "POST /api/v1/kyc/applications": {"tier": 2},
    "PATCH /api/v1/kyc/applications/<uuid:public_id>": {"answers": {"city": "Bern"}},
    "POST /language/": {"language": "de", "next": "/"},
    "POST /api/v1/session": {"login": "bob@example.org", "password": PASSWORD},
    "POST /api/v1/session/factor": {"code": "000000"},
    "POST /api/v1/session/passkey": {"credential": {}},
    "POST /api/v1/account/factors/passkeys": {"credential": {}},
    "POST /api/v1/account/factors/totp": {"label": "one more"},
    "POST /api/v1/account/factors/totp/<int:number>/code": {"code": "000000"},
    "POST /admin/users/factorreset/<int:number>/decide/": REASON | {"approve": "1"},
    "POST /api/v1/users": {
        "email": "new@example.org", "password": PASSWORD, "full_name": "New", "country": "CH",
    },
    "POST /api/v1/users/proofs": {"token": "{sign_up_word}"},
    "POST /api/v1/users/resets": {"email": "bob@example.org"},
    "POST /api/v1/users/resets/proofs": {"token": "{reset_word}", "password": PASSWORD + " new"},
    "POST /api/v1/account/password": {"old_password": PASSWORD, "password": PASSWORD + " new"},
    "POST /api/v1/account/email": {"email": "moved@example.org", "password": PASSWORD},
    "POST /api/v1/account/keys": _HMAC_KEY,
    "POST /api/v1/account/keys [for an account]": _HMAC_KEY | {"account": "{account}"},
    "PATCH /api/v1/account/keys/<str:public_id>": {"label": "renamed"},
    "POST /api/v1/account/subaccounts": {"label": "one more"},
    "PATCH /api/v1/account/subaccounts/<int:number>": {"frozen": True},
    "POST /admin/markets/market/list/": SOL | CONFIRMED,
    "POST /admin/markets/market/<str:symbol>/delist/": REASON | CONFIRMED,
    "POST /admin/markets/market/<str:symbol>/state/": REASON | {"state": "cancel_only"},
    "POST /admin/users/user/<int:number>/log-ins/": REASON | {"which": "all"},
    "POST /admin/users/tradingaccount/<int:number>/freeze/": REASON,
    "POST /admin/users/tradingaccount/<int:number>/unfreeze/": REASON,
    "POST /admin/kyc/application/<uuid:public_id>/review/": {"act": "take"},
    "POST /admin/compliance/rules/<int:number>/": REASON | {"approve": "1"},
}  # fmt: skip
SIGNED = (
    *("/api/v3/order", "/api/v3/openOrder", "/api/v3/account", "/api/v3/allOrders"),
    *("/api/v3/myTrades", "/sapi/v1/asset/", "/sapi/v1/capital/"),
)
"""Where the dialect wants a signature; elsewhere its programs send the key's name alone."""
UPLOADS = {"POST /api/v1/kyc/applications/<uuid:public_id>/documents": {"kind": "selfie"}}


def filled(words: Any, names: dict[str, Any]) -> Any:
    """Put things into braces, everywhere in a body or a set of parameters."""
    if isinstance(words, dict):
        return {name: filled(value, names) for name, value in words.items()}
    if not isinstance(words, str) or "{" not in words or words.startswith('[{"'):
        return words
    return int(names[words[1:-1]]) if words in WHOLE else words.format_map(names)


WHOLE = {"{account}", "{desk}", "{own}"}
"""Numbers where a body has them alone; in an address they are written as words anyway."""


def names_something(row: str) -> bool:
    """Whether a row's request names a thing of Alice's by something that can be guessed at."""
    door = row.partition(" [")[0]
    parts = [PATHS.get(door.partition(" ")[2], ""), str(QUERIES.get(row)), str(BODIES.get(row))]
    return any(f"{{{thing}}}" in part for part in parts for thing in THINGS)


THINGS = (
    *("order", "order_name", "list", "transfer", "key", "device", "desk", "application"),
    *("document", "account", "listen_key", "log_in", "app"),
)
