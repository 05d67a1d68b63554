"""API keys in the browser: made with a pair that never leaves it, used, revoked."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from urllib.parse import quote, urlencode

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.stack, pytest.mark.browser]

PATH = "/account/keys/"


def account_with(url: str, key: str, private_pem: str) -> httpx.Response:
    """Read an account as a program does that signs by Ed25519."""
    query = urlencode({"timestamp": int(time.time() * 1000)})
    private = load_pem_private_key(private_pem.encode(), None)
    signature = quote(base64.b64encode(private.sign(query.encode())), safe="")
    return httpx.get(
        f"{url}/api/v3/account?{query}&signature={signature}",
        headers={"X-MBX-APIKEY": key},
        timeout=10,
        trust_env=False,
    )


def test_who_is_not_logged_in_is_sent_to_log_in(tab):
    page = tab().open(PATH)

    expect(page).to_have_url(re.compile(f"/login[?]next={PATH}$"))


def test_a_pair_made_in_the_browser_opens_the_account_until_it_is_revoked(tab, stack):
    opened = tab()
    page = opened.log_in(stack.demo["bob"], to=PATH)
    sent = []
    page.on("request", lambda request: sent.append(request.post_data or ""))
    page.click("#new-key")
    page.fill("#key-label", "desk one")
    page.check("#can-trade")
    page.click("#make-form button[type=submit]")
    key = page.inner_text("#made-key")
    private_pem = page.inner_text("#made-secret")

    assert "BEGIN PRIVATE KEY" in private_pem
    assert not any("PRIVATE" in body for body in sent)
    page.click("#made-dialog .button.primary")
    expect(page.locator(f'[data-key="{key}"]')).to_contain_text("desk one")
    assert private_pem.splitlines()[1] not in page.content()
    assert account_with(stack.url, key, private_pem).status_code == 200

    page.click(f'[data-key="{key}"] button.danger')
    page.click("#revoke-yes")
    expect(page.locator(f'[data-key="{key}"]')).to_have_count(0)
    answer = account_with(stack.url, key, private_pem)

    assert answer.json()["code"] == -2015
    assert opened.complaints == []


def test_a_secret_is_shown_once_and_a_key_that_withdraws_wants_addresses(tab, stack):
    page = tab().log_in(stack.demo["bob"], to=PATH)
    page.click("#new-key")
    page.click('#kind button[value="hmac"]')
    page.check("#can-withdraw")
    page.click("#make-form button[type=submit]")
    expect(page.locator("#make-error")).to_contain_text("list of addresses")

    page.fill("#networks", "192.0.2.7, 2001:db8::/48")
    page.click("#make-form button[type=submit]")
    secret = page.inner_text("#made-secret")
    key = page.inner_text("#made-key")
    page.click("#made-dialog .button.primary")

    expect(page.locator(f'[data-key="{key}"]')).to_contain_text("192.0.2.7/32")
    page.reload()
    expect(page.locator(f'[data-key="{key}"]')).to_be_visible()
    assert secret not in page.content()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_fits_a_phone(tab, stack, theme, tmp_path: Path):
    page = tab(PHONE, theme=theme).log_in(stack.demo["bob"], to=PATH)
    expect(page.locator("#keys")).to_have_attribute("aria-busy", "false")

    page.click("#new-key")

    wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
    assert not page.evaluate(wide)
    page.screenshot(path=tmp_path / "keys.png")
