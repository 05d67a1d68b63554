"""The ticket's orders that wait and that come in pairs, by clicks and by keys, also on a phone."""

from __future__ import annotations

from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def fair(program) -> Decimal:
    """Let two people trade, and return their price: triggers are measured from it."""
    price = program("bob").fair("BTCUSDT")
    terms = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "price": f"{price:.2f}"}
    program("bob").call("POST", "/api/v3/order", **terms, side="SELL", quantity="0.00100")
    program("alice").call("POST", "/api/v3/order", **terms, side="BUY", quantity="0.00100")
    return price


def share(price: Decimal, part: str) -> str:
    return f"{price * Decimal(part):.2f}"


def test_a_stop_limit_order_is_placed_on_a_phone_and_shows_its_trigger(stack, tab, program):
    price = fair(program)
    alices = tab(PHONE)
    page = alices.log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    page.click('#phone-tabs button[value="ticket"]')
    expect(page.locator("#submit")).to_be_enabled()

    page.click('#side button[value="SELL"]')
    page.click('#kind button[value="STOP"]')
    expect(page.locator("#trigger")).to_be_visible()
    width = page.evaluate("document.documentElement.scrollWidth")
    page.fill("#trigger", share(price, "0.95"))
    page.fill("#price", share(price, "0.94"))
    page.fill("#size", "0.01")
    page.click("#submit")

    toast = page.locator(".toast", has_text="Order placed")
    expect(toast).to_contain_text("is reached")
    page.click('#phone-tabs button[value="own"]')
    row = page.locator("#own-body tbody tr").first
    expect(row).to_contain_text("stop limit")
    expect(row).to_contain_text(f"when {price * Decimal('0.95'):,.2f}")
    row.get_by_role("button", name="Cancel order").click()
    expect(page.locator("#own-body")).to_contain_text("No open orders")
    assert width <= PHONE["width"]
    assert alices.complaints == []


def test_a_list_is_placed_by_keys_alone_and_ends_as_a_whole(stack, tab, program):
    price = fair(program)
    alices = tab()
    page = alices.log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    expect(page.locator("#submit")).to_be_enabled()
    page.locator('#side [aria-checked="true"]').focus()
    page.keyboard.press("ArrowRight")
    page.locator('#kind [aria-checked="true"]').focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.locator('#kind button[value="OCO"]')).to_have_attribute("aria-checked", "true")

    for name, value in (
        ("trigger", share(price, "0.96")),
        ("price", share(price, "1.04")),
        ("size", "0.01"),
    ):
        page.locator(f"#{name}").focus()
        page.keyboard.type(value)
    page.keyboard.press("Enter")

    expect(page.locator(".toast", has_text="Both orders placed")).to_be_visible()
    rows = page.locator("#own-body tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="post-only · OCO")).to_have_count(1)
    stop = rows.filter(has_text="stop · OCO")
    expect(stop).to_contain_text("market when")
    stop.get_by_role("button", name="Cancel order").click()
    expect(page.locator("#own-body")).to_contain_text("No open orders")
    assert alices.complaints == []


def test_a_stop_on_the_wrong_side_is_told_before_it_is_sent(stack, tab, program):
    price = fair(program)
    page = tab().log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    expect(page.locator("#submit")).to_be_enabled()
    page.click('#kind button[value="OCO"]')
    page.fill("#price", share(price, "0.96"))
    page.fill("#trigger", share(price, "0.95"))

    expect(page.locator("#ticket-message")).to_have_text("The stop belongs above the limit price.")
    expect(page.locator("#trigger")).to_have_attribute("aria-invalid", "true")


def test_the_ticket_shows_its_order_as_code(stack, tab):
    page = tab().log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    expect(page.locator("#submit")).to_be_enabled()
    page.click('#kind button[value="OCO"]')
    page.click('[data-snippet="curl"]')

    expect(page.locator("#snippet-code")).to_contain_text("/api/v3/orderList/oco")
    page.click('#snippet button[value="ccxt"]')
    expect(page.locator("#snippet-code")).to_contain_text("private_post_orderlist_oco")
