"""A small asynchronous client of the trading dialect: signs, sends, tells what came back."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx


@dataclass(frozen=True)
class Keys:
    """What one account signs with."""

    api_key: str
    api_secret: str


@dataclass(frozen=True)
class Said:
    """An answer, or that there was none: `status` 0 is a timeout or a broken connection."""

    status: int
    body: Any
    took_s: float
    headers: httpx.Headers | None = None

    @property
    def is_ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_refusal(self) -> bool:
        """Tell whether the server promised that nothing changed."""
        return 400 <= self.status < 500

    @property
    def code(self) -> int | None:
        return self.body.get("code") if isinstance(self.body, dict) else None


def signed_path(keys: Keys, path: str, params: dict[str, Any]) -> str:
    """Return path and query of a request, stamped now and signed."""
    query = urlencode({**params, "timestamp": int(time.time() * 1000)})
    signature = hmac.new(keys.api_secret.encode(), query.encode(), hashlib.sha256).hexdigest()
    return f"{path}?{query}&signature={signature}"


def key_header(keys: Keys) -> dict[str, str]:
    """Return the header that names who signed."""
    return {"X-MBX-APIKEY": keys.api_key}


class DialectClient:
    """Speaks as one account to one edge; after a failure, to the next of its urls."""

    def __init__(self, keys: Keys, http: httpx.AsyncClient, *urls: str) -> None:
        self._keys = keys
        self._http = http
        self._urls = urls
        self._turn = 0

    async def signed(self, method: str, path: str, **params: Any) -> Said:
        """Send one signed request; never raises for what the network or the server does."""
        url = self._urls[self._turn % len(self._urls)] + signed_path(self._keys, path, params)
        started = time.perf_counter()
        try:
            answer = await self._http.request(method, url, headers=key_header(self._keys))
        except httpx.HTTPError as trouble:
            self._turn += 1
            return Said(0, {"trouble": repr(trouble)}, time.perf_counter() - started)
        took_s = time.perf_counter() - started
        try:
            body = answer.json()
        except ValueError:
            body = {"text": answer.text[:200]}
        return Said(answer.status_code, body, took_s, answer.headers)

    async def place(self, **order: Any) -> Said:
        return await self.signed("POST", "/api/v3/order", **order)

    async def find(self, symbol: str, client_id: str) -> Said:
        return await self.signed("GET", "/api/v3/order", symbol=symbol, origClientOrderId=client_id)

    async def cancel(self, symbol: str, client_id: str) -> Said:
        return await self.signed(
            "DELETE", "/api/v3/order", symbol=symbol, origClientOrderId=client_id
        )

    async def balances(self) -> dict[str, tuple[str, str]]:
        """Return asset → (free, locked); raises if the account cannot be read."""
        said = await self.signed("GET", "/api/v3/account")
        assert said.is_ok, said
        return {row["asset"]: (row["free"], row["locked"]) for row in said.body["balances"]}
