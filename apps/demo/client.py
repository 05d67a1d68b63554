"""An ordinary client of the public trading API: signed requests over HTTP, and nothing else."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from decimal import Decimal
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from apps.common.config import config

NOWHERE = 0  # The status of a request that got no answer.


class ApiRefusal(Exception):
    """The exchange said no, or said nothing."""

    def __init__(self, status: int, code: int | str, message: str, *, retry_after_s: float) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message
        self.retry_after_s = retry_after_s

    @property
    def is_unknown(self) -> bool:
        """Whether the request may have happened all the same."""
        return self.status == NOWHERE or self.status in (500, 502, 504)


def demo_users() -> dict[str, dict[str, Any]]:
    """Return the demo's users by login, as `demo.json` has them; empty before the first seed."""
    try:
        content = json.loads((config.path("FAIRBOOK_VAR") / "demo.json").read_text())
    except (OSError, ValueError):
        return {}
    return {user["login"]: user for user in content["users"]}


def local_url() -> str:
    """Return where edge-1 of this machine listens."""
    return f"http://127.0.0.1:{config.integer('FAIRBOOK_PORT')}"


class ApiClient:
    """Calls as one account. Without a key only public calls work."""

    def __init__(
        self, url: str, *, key: str = "", secret: str = "", timeout_s: float = 8.0
    ) -> None:
        self._secret = secret.encode()
        headers = {"X-MBX-APIKEY": key} if key else {}
        limits = httpx.Limits(max_connections=64, keepalive_expiry=30)
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=timeout_s, limits=limits, trust_env=False
        )

    @classmethod
    def of_user(cls, login: str, *, url: str | None = None, timeout_s: float = 8.0) -> Self:
        """Return a client with the API key of a demo user."""
        user = demo_users()[login]
        return cls(
            url or local_url(), key=user["api_key"], secret=user["api_secret"], timeout_s=timeout_s
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def public(self, path: str, **params: Any) -> Any:
        """GET something that needs no key."""
        return await self._send("GET", path, urlencode(params))

    async def going_price(self, symbol: str) -> Decimal:
        """Return the last trade's price, else the best offer's or bid's; 0 before all of them."""
        last = await self.public("/api/v3/ticker/price", symbol=symbol)
        best = await self.public("/api/v3/ticker/bookTicker", symbol=symbol)
        found = (Decimal(word) for word in (last["price"], best["askPrice"], best["bidPrice"]))
        return next((price for price in found if price), Decimal(0))

    async def signed(self, method: str, path: str, **params: Any) -> Any:
        """Call something that is signed: a time, then HMAC-SHA256 over the query."""
        query = urlencode({**params, "timestamp": time.time_ns() // 1_000_000})
        signature = hmac.new(self._secret, query.encode(), hashlib.sha256).hexdigest()
        return await self._send(method, path, f"{query}&signature={signature}")

    async def place(self, **order: Any) -> Any:
        """Place an order."""
        return await self.signed("POST", "/api/v3/order", **order)

    async def cancel(self, **order: Any) -> Any:
        """Cancel an order."""
        return await self.signed("DELETE", "/api/v3/order", **order)

    async def cancel_all(self, symbol: str) -> Any:
        """Cancel all open orders of a market; none open is fine."""
        try:
            return await self.signed("DELETE", "/api/v3/openOrders", symbol=symbol)
        except ApiRefusal as refusal:
            if refusal.code == -2011:
                return []
            raise

    async def _send(self, method: str, path: str, query: str) -> Any:
        try:
            response = await self._http.request(method, f"{path}?{query}" if query else path)
        except httpx.HTTPError as error:
            raise ApiRefusal(NOWHERE, NOWHERE, repr(error), retry_after_s=0.5) from None
        if response.is_success:
            return response.json()
        raise _refusal(response)


def _refusal(response: httpx.Response) -> ApiRefusal:
    try:
        body = response.json()
    except ValueError:
        body = {}
    text = str(body.get("msg") or body.get("message") or response.reason_phrase)
    wait_s = float(response.headers.get("Retry-After") or 0.5)
    return ApiRefusal(response.status_code, body.get("code", 0), text, retry_after_s=wait_s)
