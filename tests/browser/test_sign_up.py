"""From a stranger to a person, and in again after a forgotten password: clicks and mails."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.stack, pytest.mark.browser]
PASSWORD, ANOTHER = "correct horse battery", "another horse battery"
NINA = "nina@example.org"


@pytest.fixture
def mailbox(stack):
    """Return what reads the newest link that was mailed to an address."""

    def newest_link(to: str) -> str:
        done = stack.manage("mails", "--to", to)
        assert done.returncode == 0, done.stderr
        text = json.loads(done.stdout)[0]["text"]
        return re.search(r"https?://[^/]+(/\S+)", text)[1]

    return newest_link


def test_nina_signs_up_confirms_logs_in_and_resets_her_password(stack, tab, mailbox):
    ninas = tab(PHONE)
    page = ninas.open("/signup/")
    page.fill("#full_name", "Nina New")
    page.select_option("#country", "CH")
    page.fill("#email", NINA)
    page.fill("#password", "short")
    page.click("button[type=submit]")
    expect(page.locator("#password-error")).to_have_text("7 more characters, please.")
    page.fill("#password", f"{NINA}")
    page.click("button[type=submit]")
    expect(page.locator("#password-error")).to_have_text("Your e-mail address is no password.")
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator('[data-panel="sent"]')).to_contain_text(NINA)

    page = ninas.open(mailbox(NINA))
    assert page.url == f"{stack.url}/verify/"
    page.click("button[type=submit]")
    expect(page.locator("#done-title")).to_have_text("Your account is open")

    ninas.log_in({"login": NINA, "password": PASSWORD}, to="/trade/BTC-USDT")
    expect(page.locator("#own-body")).to_contain_text("No open orders")

    others = tab()
    page = others.open("/login")
    page.click("text=Forgot your password?")
    page.fill("#email", NINA)
    page.click("button[type=submit]")
    expect(page.locator('[data-panel="sent"]')).to_contain_text("10 minutes")
    link = mailbox(NINA)
    page = others.open(link)
    page.fill("#password", ANOTHER)
    page.click("button[type=submit]")
    expect(page.locator('[data-panel="done"] h1')).to_have_text("Your password is set")
    page = others.open(link)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator('[data-panel="spoiled"] h1')).to_be_visible()

    others.log_in({"login": NINA, "password": ANOTHER}, to="/")
    page = ninas.open("/trade/BTC-USDT")  # Her phone was logged out by the reset.
    expect(page.locator("#own-body")).to_contain_text("Log in to see")
    assert others.complaints == []


def test_a_made_up_link_says_that_it_does_not_work(tab):
    for path in ("/verify/", "/verify/#x", "/reset/#<script>"):
        page = tab().open(path)
        expect(page.locator('[data-panel="spoiled"] h1')).to_have_text("This link does not work")
