"""The security centre, and every way in: a code, a passkey, a recovery code."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.helpers.factors import phone

pytestmark = [pytest.mark.stack, pytest.mark.browser]
PASSWORD, OLGA, PATH = "correct horse battery", "olga@example.org", "/account/security/"
FINGER = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def link_to(stack: Any, address: str) -> str:
    done = stack.manage("mails", "--to", address)
    text = json.loads(done.stdout)[0]["text"]
    return re.search(r"https?://[^/]+(/\S+)", text)[1]


def signs_up(stack: Any, olgas: Any) -> None:
    page = olgas.open("/signup/")
    page.fill("#full_name", "Olga Old")
    page.select_option("#country", "CH")
    page.fill("#email", OLGA)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator('[data-panel="sent"]')).to_contain_text(OLGA)
    page = olgas.open(link_to(stack, OLGA))
    page.click("button[type=submit]")
    expect(page.locator("#done-title")).to_have_text("Your account is open")


def fits(page: Page) -> bool:
    """Say whether nothing hangs over the side of the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_olga_gets_an_app_then_a_passkey_and_logs_in_by_each(stack, tab):
    olgas = tab(PHONE, theme="dark", host="localhost")
    signs_up(stack, olgas)
    page = olgas.log_in({"login": OLGA, "password": PASSWORD}, to=PATH)
    expect(page.locator("#factors")).to_contain_text("None yet")

    page.click("#add-app")
    expect(page.locator("#app-qr")).to_be_visible()
    secret = page.locator("#app-secret").inner_text().replace(" ", "")
    page.fill("#app-code", "000000")
    page.click("#app-form button[type=submit]")
    expect(page.locator("#app-error")).to_contain_text("not right")
    page.fill("#app-code", phone.code(secret))
    page.click("#app-form button[type=submit]")
    codes = page.locator("#codes li")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    page.click("#codes-kept")
    expect(page.locator("#factors li")).to_have_count(1)
    expect(page.locator("#codes-left")).to_have_text("10 of 10 left")
    assert fits(page)

    page.context.clear_cookies(name="sessionid")
    olga = {"login": OLGA, "password": PASSWORD, "totp_secret": secret}
    page = olgas.log_in(olga, to=PATH, anew=True)

    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": FINGER})
    page.click("#add-passkey")
    expect(page.locator("#factors li")).to_have_count(2)
    expect(page.locator("#sessions li")).to_have_count(1)  # The one before ended.

    page.context.clear_cookies(name="sessionid")
    page = olgas.open(f"/login?next={PATH}")
    page.click("#passkey-alone")
    page.wait_for_url(f"{olgas.url}{PATH}")
    expect(page.locator("#sessions")).to_contain_text("by passkey")
    expect(page.locator("#happenings")).to_contain_text("A second factor was added")

    page.context.clear_cookies(name="sessionid")
    page = olgas.open(f"/login?next={PATH}")
    page.fill("#login", OLGA)
    page.fill("#password", PASSWORD)
    page.click("#auth-form button[type=submit]")
    expect(page.locator("#passkey-second")).to_be_visible()
    page.fill("#code", recovery)
    page.click("#factor-go")
    page.wait_for_url(f"{olgas.url}{PATH}")
    expect(page.locator("#codes-left")).to_have_text("9 of 10 left")
    assert olgas.complaints == []


def test_stale_proof_is_asked_for_and_the_act_is_done(stack, tab):
    bobs = tab(host="localhost")
    page = bobs.log_in(stack.demo["bob"], to="/account/keys/")
    page.route(
        "**/api/v1/account/keys",
        lambda route: route.fulfill(
            status=403,
            json={"code": "step_up_needed", "message": "…", "data": {"factors": ["totp"]}},
        ),
        times=2,  # The list, then the wish.
    )
    page.reload()
    page.click("#new-key")
    page.fill("#key-label", "after a look")
    page.click("#make-form button[type=submit]")
    expect(page.locator("#step-up")).to_be_visible()
    page.fill("#step-up-word", phone.code(stack.demo["bob"]["totp_secret"]))
    page.click("#step-up button[type=submit]")

    expect(page.locator("#made-key")).to_be_visible()
    assert bobs.complaints == []


def test_a_log_in_elsewhere_is_seen_and_ended(stack, tab):
    here, there = tab(), tab()
    page = here.log_in(stack.demo["bob"], to=PATH)
    there.log_in(stack.demo["bob"], to=PATH, anew=True)

    page.reload()
    expect(page.locator("#sessions li").nth(1)).to_be_visible()
    page.click("#end-others")
    expect(page.locator("#sessions li")).to_have_count(1)

    there.open(PATH)
    expect(there.page).to_have_url(re.compile("/login"))
