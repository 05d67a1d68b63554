"""A browser per test, and a second trader who calls the API like any program."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from apps.users.contracts import STAFF_ROLES
from tests.helpers.browser import FLAGS
from tests.helpers.factors import phone
from tests.helpers.stack import Stack
from tests.helpers.staff import Staff

DESKTOP = {"width": 1440, "height": 900}
LISTED_AT = {"BTCUSDT": Decimal("50000.00"), "ETHUSDT": Decimal("3000.00")}
_LOG_INS: dict[tuple[str, str], Any] = {}  # Cookies of those who are logged in, by address.
PHONE = {"width": 375, "height": 720}


@dataclass
class Program:
    """An API key's holder."""

    url: str
    user: dict[str, Any]

    def fair(self, symbol: str) -> Decimal:
        """Return a price between the best bid and the best ask, or the price at the listing."""
        answer = httpx.get(
            f"{self.url}/api/v3/depth?symbol={symbol}&limit=5", timeout=10, trust_env=False
        )
        bids, asks = answer.json()["bids"], answer.json()["asks"]
        fair = LISTED_AT[symbol]
        if bids:
            fair = max(fair, Decimal(bids[0][0]) + Decimal("0.01"))
        return min(fair, Decimal(asks[0][0])) if asks else fair

    def call(self, method: str, path: str, **params: Any) -> Any:
        """Send one signed request and return its JSON; a refusal is an error of the test."""
        query = urlencode({**params, "timestamp": int(time.time() * 1000)})
        secret = self.user["api_secret"].encode()
        signature = hmac.new(secret, query.encode(), hashlib.sha256).hexdigest()
        answer = httpx.request(
            method,
            f"{self.url}{path}?{query}&signature={signature}",
            headers={"X-MBX-APIKEY": self.user["api_key"]},
            timeout=10,
            trust_env=False,
        )
        assert answer.is_success, answer.text
        return answer.json()


@dataclass
class Tab:
    """A page, and what the browser complained about."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page of the exchange."""
        self.page.goto(f"{self.url}{path}")
        return self.page

    def log_in(self, user: dict[str, Any], *, to: str = "/", anew: bool = False) -> Page:
        """Log in by the form, as a person would; staff by their passkey.

        A log-in that goes on from another test is taken up again (unless `anew`): an authenticator
        app shows a code each half minute only.
        """
        whose = (self.url, user["login"])
        if not anew and self._is_on(whose):
            self.page.context.add_cookies(_LOG_INS[whose])
            return self.open(to)
        if user.get("role") in STAFF_ROLES:
            with Staff(self.url, user) as staff:
                brought = [(one.name, str(one.value)) for one in staff.http.cookies.jar]
            cookies: Any = [{"name": n, "value": v, "url": self.url} for n, v in brought]
            self.page.context.add_cookies(cookies)
            _LOG_INS[whose] = cookies
            return self.open(to)
        self.open(f"/login?next={to}")
        self.page.fill("#login", user["login"])
        self.page.fill("#password", user["password"])
        self.page.click("#auth-form button[type=submit]")
        if secret := user.get("totp_secret"):
            self.page.wait_for_selector("#code", state="visible")
            self.page.fill("#code", phone.code(secret))
            self.page.click("#factor-go")
        self.page.wait_for_url(f"{self.url}{to}")
        _LOG_INS[whose] = self.page.context.cookies()
        return self.page

    def _is_on(self, whose: tuple[str, str]) -> bool:
        """Say whether somebody is still logged in by the cookies of before."""
        cookies = {one["name"]: one["value"] for one in _LOG_INS.get(whose, [])}
        asked = httpx.get(f"{self.url}/api/v1/session", cookies=cookies, trust_env=False)
        return bool(cookies) and asked.status_code == 200


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    # Not for the session: its event loop would run on under the tests that bring their own.
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="package")
def browser(playwright: Playwright, chromium_path: str) -> Iterator[Browser]:
    running = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
    yield running
    running.close()


@pytest.fixture
def tab(browser: Browser, stack: Stack) -> Iterator[Callable[..., Tab]]:
    """Open tabs that share nothing: `tab(PHONE, theme="dark")`."""
    contexts = []

    def make(
        viewport: dict[str, int] = DESKTOP,
        *,
        theme: str = "light",
        host: str = "127.0.0.1",
        language: str = "en-US",
    ) -> Tab:
        context = browser.new_context(viewport=viewport, color_scheme=theme, locale=language)
        contexts.append(context)
        made = Tab(context.new_page(), stack.url.replace("127.0.0.1", host))
        made.page.on(
            "console", lambda said: made.complaints.append(said.text) if is_bad(said) else None
        )
        made.page.on("pageerror", lambda error: made.complaints.append(str(error)))
        return made

    yield make
    for context in contexts:
        context.close()


def is_bad(said: Any) -> bool:
    """Say whether a line on the console is a complaint. Refusals of the API are none."""
    return said.type == "error" and "the server responded with a status of" not in said.text


@pytest.fixture
def program(stack: Stack) -> Callable[[str], Program]:
    """Return a demo user who trades by API key."""
    return lambda login: Program(stack.url, stack.demo[login])
