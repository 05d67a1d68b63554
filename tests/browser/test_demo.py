"""The demo as a visitor meets it: bots trade, one click logs in, and a kill is accounted for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.helpers.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.browser, pytest.mark.chaos, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def demo() -> Iterator[Stack]:
    """Run an exchange of its own, with FAIRBOOK_ENV=demo and bots."""
    running = Stack(FAIRBOOK_ENV="demo", FAIRBOOK_BOTS="1")
    try:
        running.up(seconds=240)
        yield running
    finally:
        running.down()


def test_one_click_logs_in_and_the_market_is_alive(demo: Stack, browser: Browser):
    page = browser.new_page()
    page.goto(f"{demo.url}/demo/")
    page.click('[data-log-in="alice"]')
    page.wait_for_url("**/trade/BTC-USDT")
    expect(page.locator("#bids .level:not([hidden])").nth(5)).to_be_visible(timeout=20_000)
    expect(page.locator("#asks .level:not([hidden])").nth(5)).to_be_visible(timeout=20_000)
    expect(page.locator("#prints .print").nth(2)).to_be_visible(timeout=30_000)
    page.close()


@pytest.mark.parametrize("language", ["en-US", "de-DE"])
def test_who_is_logged_in_on_a_phone_has_everything_on_the_screen(
    demo: Stack, browser: Browser, language: str
):
    phone = browser.new_context(locale=language, viewport={"width": 390, "height": 844})
    page = phone.new_page()
    page.goto(f"{demo.url}/demo/")
    page.click('[data-log-in="alice"]')
    page.wait_for_url("**/trade/BTC-USDT")
    expect(page.locator("#log-out")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.close()


@pytest.mark.parametrize("target", ["matching", "risk", "cache"])
def test_a_killed_process_loses_nothing_and_doubles_nothing(
    demo: Stack, browser: Browser, target: str
):
    page = browser.new_page()
    page.goto(f"{demo.url}/demo/")
    card = page.locator(f'.kill[data-target="{target}"]')
    card.get_by_role("button", name="Kill it").click()

    expect(card.locator('[data-run="books"]')).to_have_text("tie", timeout=120_000)
    expect(card.locator('[data-run="lost"]')).to_have_text("0")
    expect(card.locator('[data-run="doubled"]')).to_have_text("0")
    recovered = float(card.locator('[data-run="recovered"]').inner_text().removesuffix(" s"))
    print(f"{target}: trading again after {recovered} s")
    assert recovered <= 10
    page.close()


def test_the_tour_tells_each_step_with_its_figure(demo: Stack):
    done = demo.manage("tour", seconds=180)
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("deposit", "trade", "settle", "kill", "recover", "verify"):
        assert f" {step}" in done.stdout
    assert "0 lost, 0 doubled" in done.stdout
