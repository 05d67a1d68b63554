"""What holds for every page: the policy, small screens, staleness, who may see what."""

from __future__ import annotations

import re
import signal
from decimal import Decimal

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import DESKTOP, PHONE

pytestmark = [pytest.mark.stack, pytest.mark.browser]

PUBLIC = ["/", "/trade/BTC-USDT", "/login", "/signup/", "/verify/", "/forgot/", "/reset/"]
STAFF = [
    "/admin/",
    "/admin/journals/",
    "/admin/services/",
    "/admin/ledger/entry/",
    "/admin/ledger/posting/",
    "/admin/ledger/balance/",
    "/admin/ledger/settledorder/",
    "/admin/ledger/settledfill/",
    "/admin/users/user/",
    "/admin/users/tradingaccount/",
    "/admin/users/apikey/",
    "/admin/markets/market/",
    "/admin/common/outboxmessage/",
]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PUBLIC)
def test_a_page_breaks_no_policy_and_fits_a_phone(tab, path, theme):
    phone = tab(PHONE, theme=theme)
    page = phone.open(path)
    expect(page.locator('#trust [data-trust="state"]')).not_to_have_text("checking…")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert phone.complaints == []


def test_the_back_office_breaks_no_policy_and_changes_nothing(stack, tab):
    office = tab()
    page = office.log_in(stack.demo["auditor"], to="/admin/")
    for path in STAFF:
        answer = page.goto(f"{stack.url}{path}")
        assert answer is not None
        assert answer.status == 200, path
        assert "'unsafe-" not in answer.headers["content-security-policy"]
        expect(page.locator(".addlink")).to_have_count(0)
    page.goto(f"{stack.url}/admin/users/apikey/")
    assert "sealed" not in page.content()
    answer = page.goto(f"{stack.url}/admin/ledger/entry/add/")
    assert answer is not None
    assert answer.status == 403
    assert [said for said in office.complaints if "403" not in said] == []


def test_customers_do_not_get_into_the_back_office(stack, tab):
    page = tab().log_in(stack.demo["alice"], to="/")
    answer = page.goto(f"{stack.url}/admin/ledger/entry/")
    assert answer is not None
    assert answer.status == 403
    expect(page.locator("#content")).to_contain_text("staff's side")


def test_prices_that_stop_are_called_stale_and_the_ticket_waits(stack, tab):
    page = tab().log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    expect(page.locator("#submit")).to_be_enabled()
    pid = stack.services()["marketdata"]["pid"]

    stack.kill("marketdata", signal=signal.SIGSTOP)
    try:
        expect(page.locator("#stale")).to_be_visible(timeout=8000)
        expect(page.locator("#submit")).to_be_disabled()
    finally:
        stack.kill("marketdata", signal=signal.SIGCONT)

    expect(page.locator("#submit")).to_be_enabled(timeout=15000)
    expect(page.locator("#stale")).to_be_hidden()
    assert stack.services()["marketdata"]["pid"] == pid


def test_the_theme_is_the_readers_choice_and_stays(tab):
    desktop = tab(DESKTOP, theme="light")
    page = desktop.open("/")
    page.click("#theme-toggle")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_a_wrong_password_says_so_and_no_more(stack, tab):
    page = tab().open("/login")
    page.fill("#login", "alice")
    page.fill("#password", "not-her-password")
    page.click("button[type=submit]")
    expect(page.locator("#form-error")).to_have_text("The name or the password is wrong.")


def test_a_click_on_the_ladder_fills_the_ticket(tab, program):
    maker = program("maker")
    low = f"{maker.fair('ETHUSDT') * Decimal('0.97'):.2f}"
    terms = {"symbol": "ETHUSDT", "side": "BUY", "type": "LIMIT_MAKER", "price": low}
    order = maker.call("POST", "/api/v3/order", **terms, quantity="1")
    page = tab().open("/trade/ETH-USDT")

    level = page.locator("#bids .level", has_text=re.compile(f"{Decimal(low):,.2f}"))
    level.locator(".price").click()

    expect(page.locator("#price")).to_have_value(low)
    maker.call("DELETE", "/api/v3/order", symbol="ETHUSDT", orderId=order["orderId"])


def test_there_is_no_demo_outside_the_demo(tab, stack):
    answer = tab().page.goto(f"{stack.url}/demo/")
    assert answer is not None
    assert answer.status == 404


def test_the_page_opens_and_trades_while_postgresql_is_down(stack, tab, program):
    low = f"{program('alice').fair('BTCUSDT') * Decimal('0.96'):.2f}"
    tab_of_alice = tab()
    page = tab_of_alice.log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    expect(page.locator("#submit")).to_be_enabled()

    stopped = stack.manage("services", "stop", "postgres")
    assert stopped.returncode == 0, stopped.stderr
    try:
        page.reload()
        expect(page.locator("#submit")).to_be_enabled(timeout=15_000)
        page.fill("#price", low)
        page.fill("#size", "0.01")
        page.click("#submit")
        expect(page.locator(".toast", has_text="Order placed")).to_be_visible()
        page.get_by_role("button", name="Cancel all").click()
        expect(page.locator("#own-body")).to_contain_text("No open orders")
    finally:
        started = stack.manage("services", "start", "postgres")
    assert started.returncode == 0, started.stderr
    assert tab_of_alice.complaints == []


def test_a_log_out_leaves_the_chosen_theme_and_nothing_else(stack, tab):
    reader = tab(theme="light")
    page = reader.log_in(stack.demo["bob"], to="/", anew=True)
    page.click("#theme-toggle")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")

    page.click("#log-out")

    expect(page.locator("body")).not_to_have_attribute("data-signed-in", "true")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert reader.complaints == []
