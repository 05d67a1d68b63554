"""A catalogue and an order to change one thing of, for tests of the dialect."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlencode

from apps.markets import demo
from apps.markets.contracts import MarketInfo, catalogue_of

CATALOGUE = catalogue_of(
    [MarketInfo(spec=spec, state="trading") for spec in demo.MARKETS], list(demo.ASSETS)
)
LIMIT = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.5",
    "price": "50000.01",
}
MARKET = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "1.25"}


def changed(order: dict[str, str], **changes: str | None) -> dict[str, str]:
    """Return the order with some parameters changed, and those that became None left out."""
    both = order | changes
    return {name: value for name, value in both.items() if value is not None}


def query_of(params: dict[str, str]) -> bytes:
    return urlencode(params).encode()


def signature_of(secret: bytes, *parts: bytes) -> str:
    return hmac.new(secret, b"".join(parts), hashlib.sha256).hexdigest()
