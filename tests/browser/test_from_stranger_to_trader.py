"""The whole way of a customer: a stranger, a person, verified by staff, a trader, and frozen."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_security_page import FINGER, link_to
from tests.helpers.factors import phone
from tests.helpers.staff import Staff

pytestmark = [pytest.mark.stack, pytest.mark.browser]

PETRA, PASSWORD = "petra@example.org", "correct horse battery"
DECIDED_MS = 30_000  # Checks run each 5 s.
FROZEN_S = 1.0
LITE = {"legal_name": "Petra Patient", "birth_date": "1990-05-17", "country": "DE"}
STANDARD = {
    "id_kind": "passport",
    "id_number": "P1234567",
    "id_country": "DE",
    "id_expires_on": "2030-06-01",
    "address": "Main Street 1",
    "city": "Berlin",
    "postal_code": "10115",
    "address_country": "DE",
}


def signs_up(stack: Any, petras: Any) -> Page:
    page = petras.open("/signup/")
    page.fill("#full_name", LITE["legal_name"])
    page.select_option("#country", LITE["country"])
    page.fill("#email", PETRA)
    page.fill("#password", PASSWORD)
    page.click("button[type=submit]")
    expect(page.locator('[data-panel="sent"]')).to_contain_text(PETRA)
    page = petras.open(link_to(stack, PETRA))
    page.click("button[type=submit]")
    expect(page.locator("#done-title")).to_have_text("Your account is open")
    return petras.log_in({"login": PETRA, "password": PASSWORD}, to="/account/security/")


def proves_it_is_her(page: Page) -> None:
    """Add an app and a passkey."""
    page.click("#add-app")
    expect(page.locator("#app-qr")).to_be_visible()
    secret = page.locator("#app-secret").inner_text().replace(" ", "")
    page.fill("#app-code", phone.code(secret))
    page.click("#app-form button[type=submit]")
    page.click("#codes-kept")
    cdp = page.context.new_cdp_session(page)
    cdp.send("WebAuthn.enable")
    cdp.send("WebAuthn.addVirtualAuthenticator", {"options": FINGER})
    page.click("#add-passkey")
    expect(page.locator("#factors li")).to_have_count(2)


def applies(page: Page, tier: int, answers: dict[str, str]) -> None:
    page.click(f'[data-begin="{tier}"]')
    expect(page.locator("#wizard-title")).to_contain_text(f"tier {tier}")
    for name, text in answers.items():
        control = page.locator(f"#answer-{name}")
        if control.evaluate("it => it.tagName") == "SELECT":
            control.select_option(text)
        else:
            control.fill(text)
    page.click("#save-answers")
    expect(page.locator("#wizard .progress")).to_contain_text(f"{len(answers)} of ")


def sends(page: Page, paper: str, outcome: str) -> None:
    place = page.locator(f'[data-paper="{paper}"]')
    place.locator(f'[data-specimen="{outcome}"]').click()
    expect(place.get_by_role("button", name="Take it back")).to_be_visible()  # Drawn anew.


def is_approved(page: Page) -> None:
    """Staff of compliance find her in the queue, look at her papers, and approve."""
    page.locator(".kyc-queue tbody th a").first.click()
    page.click('input[value="Take it"]')
    look = page.locator("form", has=page.locator('input[name="act"][value="reveal"]'))
    for box in look.locator("input[type=checkbox]").all():
        box.check()
    look.locator("select").select_option(index=0)
    look.locator('input[name="reason"]').fill("a case of the queue")
    look.locator('input[value="Show"]').click()
    expect(page.locator(".papers img").first).to_be_visible()
    approve = page.locator("form", has=page.locator('input[name="act"][value="approve"]'))
    for choice in approve.locator("select").all():
        choice.select_option(index=1)
    approve.locator('input[value="Approve"]').click()


def test_petra_becomes_a_trader_through_the_queue_and_is_stopped_by_staff(stack, tab):
    petras = tab(host="localhost")
    page = signs_up(stack, petras)
    proves_it_is_her(page)

    page = petras.open("/account/verification/")
    expect(page.locator("#tier-badge")).to_have_text("Not verified")
    applies(page, 1, LITE)
    page.click("#submit-application")
    expect(page.locator("#tier-badge")).to_contain_text("Tier 1", timeout=DECIDED_MS)

    applies(page, 2, STANDARD)
    sends(page, "government_id", "pass")
    sends(page, "selfie", "refer")  # Perhaps not alive: a person has to look.
    sends(page, "address_proof", "pass")
    page.click("#submit-application")
    expect(page.locator("#wizard-state")).to_contain_text(
        re.compile("review|person|look", re.IGNORECASE), timeout=DECIDED_MS
    )

    desk = tab().log_in(stack.demo["compliance1"], to="/admin/kyc/application/queue/")
    is_approved(desk)
    page.reload()
    expect(page.locator("#tier-badge")).to_contain_text("Tier 2")

    page = petras.open("/trade/BTC-USDT")
    stack.give(PETRA, "USDT", 10_000 * 10**8)
    expect(page.locator('[data-balance="USDT"]')).to_have_text(re.compile(r"^10,000\.00"))
    page.fill("#price", page.locator("#price").get_attribute("placeholder") or "50000")
    page.fill("#size", "0.001")
    expect(page.locator("#submit")).to_be_enabled()
    page.click("#submit")
    expect(
        page.locator(".toast", has_text=re.compile("Order (filled|placed|rests)")).first
    ).to_be_visible()

    account = page.evaluate("fetch('/api/v1/account').then(said => said.json())")["account"]
    with Staff(stack.url, stack.demo["compliance1"]) as staff:
        said = staff.post(f"/admin/users/tradingaccount/{account}/freeze/", reason="a test")
        frozen_at = time.monotonic()
        assert "is frozen" in said.text
    refused = page.evaluate(PLACES)
    took = time.monotonic() - frozen_at
    print(f"frozen, and the next order refused after {took:.2f} s: {refused}")
    assert refused["status"] == 400
    assert took < FROZEN_S


PLACES = """async () => {
  const token = document.cookie.match(/csrftoken=([^;]+)/)[1];
  const order = new URLSearchParams({symbol: "BTCUSDT", side: "BUY", type: "LIMIT",
    timeInForce: "GTC", quantity: "0.00100", price: "49000.00"});
  const said = await fetch("/api/v3/order", {method: "POST", body: order,
    headers: {"X-CSRFToken": token, "Content-Type": "application/x-www-form-urlencoded"}});
  return {status: said.status, body: await said.json()};
}"""
