"""Somebody of the staff in front of the back office, with cookies and forms."""

from __future__ import annotations

import html
import re
from typing import Any, ClassVar

import httpx

from tests.helpers.authenticator import Authenticator
from tests.helpers.factors import phone

SOL = {
    "symbol": "SOL-USDT",
    "base": "SOL",
    "base_decimals": "9",
    "quote": "USDT",
    "quote_decimals": "8",
    "tick_size": "0.01",
    "lot_size": "0.001",
    "min_quantity": "0.001",
    "max_quantity": "100000",
    "min_notional": "5",
    "band_percent": "10",
    "reference_price": "150",
    "maker_fee_percent": "0.1",
    "taker_fee_percent": "0.15",
    "orders_per_account_max": "200",
    "reason": "asked for by many",
}


class Staff:
    """A log-in of a running exchange, for `with`: by password, code and passkey.

    The first time the passkey is made, as staff do at their first log-in; then it is shown.
    """

    _passkeys: ClassVar[dict[tuple[str, str], Authenticator]] = {}

    def __init__(self, url: str, user: dict[str, Any]) -> None:
        self.http = httpx.Client(base_url=url, timeout=20, follow_redirects=True)
        self._user = user

    def __enter__(self) -> Staff:
        self.http.get("/api/v1/session")  # Sets the cookie that a log-in needs.
        body = {"login": self._user["login"], "password": self._user["password"]}
        self._says("session", **body)
        url = str(self.http.base_url)
        whose = (url, self._user["login"])
        if (passkey := self._passkeys.get(whose)) is not None:
            asked = self._says("session/passkey/options")["public_key"]
            self._says("session/passkey", credential=passkey.shows(asked))
            return self
        self._says("session/factor", code=phone.code(self._user["totp_secret"]))
        passkey = Authenticator(f"http://localhost:{self.http.base_url.port}")
        asked = self._says("account/factors/passkeys/options")["public_key"]
        self._says("account/factors/passkeys", credential=passkey.makes(asked))
        self._passkeys[whose] = passkey
        return self

    def __exit__(self, *_trouble: object) -> None:
        self.http.close()

    def _says(self, path: str, **body: Any) -> Any:
        said = self.http.post(f"/api/v1/{path}", json=body, headers=self._token())
        assert said.is_success, said.text
        return said.json()

    def _token(self) -> dict[str, str]:
        return {"X-CSRFToken": self.http.cookies["csrftoken"], "Referer": str(self.http.base_url)}

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form as a page of ours would."""
        return self.http.post(path, data=fields, headers=self._token())

    def list_market(self, **changes: str) -> httpx.Response:
        """Fill the form in, read what it comes to, and confirm."""
        page = self.post("/admin/markets/market/list/", **SOL | changes)
        assert 'name="confirmed"' in page.text, errors_of(page)
        return self.post("/admin/markets/market/list/", **hidden_fields(page))

    def set_state(self, market: str, state: str, *, reason: str) -> None:
        """Open, pause or halt a market."""
        path = f"/admin/markets/market/{market}/state/"
        page = self.post(path, state=state, reason=reason)
        assert page.status_code == 200, page.text[:500]
        assert "is told" in page.text, errors_of(page)

    def delist(self, market: str, *, reason: str) -> httpx.Response:
        """Give the reason, read what it means, and confirm."""
        path = f"/admin/markets/market/{market}/delist/"
        page = self.post(path, reason=reason)
        assert 'name="confirmed"' in page.text, errors_of(page)
        return self.post(path, **hidden_fields(page))


def hidden_fields(page: httpx.Response) -> dict[str, str]:
    """Return what the form of a page carries with it."""
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


def errors_of(page: Any) -> str:
    """Return what a page says is wrong, by field."""
    text = page.text if hasattr(page, "text") else page.content.decode()
    lists = re.findall(r'<ul class="errorlist"[^>]*id="id_(\w+)_error"[^>]*>(.*?)</ul>', text)
    return "; ".join(f"{name}: {re.sub('<.*?>', '', said)}" for name, said in lists) or text[:500]
