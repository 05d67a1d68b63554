"""From the log-in page to the ledger's entries, by clicks alone."""

from __future__ import annotations

import re
from decimal import ROUND_DOWN, Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.stack, pytest.mark.browser]


def shown(amount: Decimal) -> re.Pattern[str]:
    """Match an amount as the page shows it: six decimals at most, cut, at least two."""
    whole, _, fraction = f"{amount.quantize(Decimal('0.000001'), ROUND_DOWN):,}".partition(".")
    return re.compile("^" + re.escape(f"{whole}.{fraction.rstrip('0').ljust(2, '0')}") + "( |$)")


def free(person, asset: str) -> Decimal:
    """Return what a person has available, as the API says."""
    rows = person.call("GET", "/api/v3/account")["balances"]
    return next(Decimal(row["free"]) for row in rows if row["asset"] == asset)


def test_alice_buys_in_the_browser_and_the_auditor_finds_the_entries(stack, tab, program):
    bob = program("bob")
    price = f"{bob.fair('BTCUSDT'):.2f}"
    terms = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "price": price}
    bob.call("POST", "/api/v3/order", **terms, side="SELL", quantity="0.01000")

    alices = tab()
    page = alices.log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    base = page.locator('[data-balance="BTC"]')
    before = free(program("alice"), "BTC")
    expect(base).to_have_text(shown(before))
    page.fill("#price", price)
    page.fill("#size", "0.01")
    expect(page.locator("#submit")).to_be_enabled()
    page.click("#submit")

    expect(page.locator(".toast", has_text="Order filled")).to_be_visible()
    after = before + Decimal("0.01") * (1 - Decimal("0.0015"))
    expect(base).to_have_text(shown(after))
    assert free(program("alice"), "BTC") == after
    page.click("#tab-fills")
    fill = page.locator("#own-body tbody tr").first
    expect(fill).to_contain_text("0.01000")
    order_id = fill.get_attribute("data-order")

    fill.locator(".life-link").click()
    for station in (
        "Journal made it durable",
        "Risk engine held its cost",
        "Book traded it",
        "Told its owner",
        "Ledger booked it",
    ):
        expect(page.locator("#life .timeline")).to_contain_text(station)
    page.keyboard.press("Escape")
    assert alices.complaints == []

    auditors = tab()
    page = auditors.log_in(stack.demo["auditor"], to="/admin/")
    auditors.open(f"/admin/ledger/settledfill/?order_id={order_id}")
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    trade_id = page.locator("#result_list .field-trade_id").inner_text()
    auditors.open(f"/admin/ledger/entry/?q=BTC-USDT:{trade_id}:")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    page.locator("#result_list tbody tr th a").first.click()
    expect(page.locator(".inline-group tr.has_original").nth(3)).to_be_visible()
    expect(page.locator("[type=submit][name=_save]")).to_have_count(0)
    assert auditors.complaints == []


def test_an_open_order_shows_everywhere_and_goes_by_one_click(stack, tab, program):
    low = f"{program('alice').fair('BTCUSDT') * Decimal('0.95'):.2f}"
    page = tab(PHONE).log_in(stack.demo["alice"], to="/trade/BTC-USDT")

    page.click('#phone-tabs button[value="ticket"]')
    page.fill("#price", low)
    page.fill("#size", "0.01")
    page.select_option("#tif", "POST")
    page.click("#submit")

    expect(page.locator(".toast", has_text="Order placed")).to_be_visible()
    page.click('#phone-tabs button[value="own"]')
    row = page.locator("#own-body tbody tr").first
    expect(row).to_contain_text("post-only")
    row.get_by_role("button", name=re.compile("Cancel order")).click()
    expect(page.locator("#own-body")).to_contain_text("No open orders")


def test_a_refusal_is_shown_in_the_exchanges_own_words(stack, tab):
    page = tab().log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    page.click('#side button[value="SELL"]')
    page.fill("#price", "900000")
    page.fill("#size", "0.01")
    page.click("#submit")

    toast = page.locator(".toast", has_text="Order refused")
    expect(toast).to_contain_text("PERCENT_PRICE")
    expect(page.locator("#own-body")).not_to_contain_text("900,000.00")
