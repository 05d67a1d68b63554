"""The whole way in German: pages, scripts and refusals, with no English sentence left over."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from exchange_site.words import catalogues
from tests.browser.conftest import PHONE

pytestmark = [pytest.mark.stack, pytest.mark.browser]

SHOWN = """() => {
  const names = ["aria-label", "title", "placeholder", "alt"];
  const read = [...document.querySelectorAll("[aria-label],[title],[placeholder],img[alt]")]
    .filter((one) => one.checkVisibility())
    .flatMap((one) => names.map((name) => one.getAttribute(name)));
  return [document.title, document.body.innerText, ...read].join("\\n");
}"""
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|<[^>]+>")
WORDS_LEAST = 3


def sentences() -> list[str]:
    """Return English sentences of the catalogue, in the parts that stand between placeholders."""
    found = set()
    for message in catalogues.texts_of(catalogues.read("de")):
        forms = message.id if isinstance(message.id, tuple) else (message.id,)
        if message.string not in forms:
            found |= {part.strip() for form in forms for part in PLACES.split(form)}
    return sorted(text for text in found if len(text.split()) >= WORDS_LEAST)


ENGLISH = sentences()


def speaks_german(page: Page) -> None:
    """Check that the page says so, and that no English sentence of ours is to be seen."""
    expect(page.locator("html")).to_have_attribute("lang", "de")
    shown = page.evaluate(SHOWN)
    assert [text for text in ENGLISH if text in shown] == []


def test_strangers_read_german(tab):
    visitor = tab(language="de-DE")
    page = visitor.open("/")
    expect(page.locator("h1")).to_have_text("Die Börse, die Sie prüfen können.")
    expect(page.locator("#feed-badge")).to_have_text("live")
    expect(page.locator('#trust [data-trust="state"]')).not_to_have_text("wird geprüft …")
    speaks_german(page)
    for path in ("/trade/BTC-USDT", "/verify/", "/forgot/", "/reset/", "/signup/", "/login"):
        page = visitor.open(path)
        expect(page.locator('#trust [data-trust="state"]')).not_to_have_text("wird geprüft …")
        speaks_german(page)

    page.fill("#login", "alice")
    page.fill("#password", "not-her-password")
    page.click("#auth-form button[type=submit]")

    expect(page.locator("#form-error")).to_have_text("Der Name oder das Passwort ist falsch.")
    speaks_german(page)
    page = visitor.open("/signup/")
    expect(page.locator("#country option", has_text="Deutschland")).to_have_count(1)
    page.fill("#password", "short")
    page.click("#signup-form button[type=submit]")
    expect(page.locator("#password-error")).to_have_text("Bitte noch 7 Zeichen.")
    assert visitor.complaints == []


def test_a_trader_trades_in_german_with_the_same_numbers(stack, tab, program):
    low = f"{program('alice').fair('BTCUSDT') * Decimal('0.96'):.2f}"
    alices = tab(language="de-DE")
    page = alices.log_in(stack.demo["alice"], to="/trade/BTC-USDT")
    expect(page.locator("#submit")).to_have_text("BTC kaufen")
    expect(page.locator("#submit")).to_be_enabled()
    page.fill("#price", "1.005")
    expect(page.locator("#ticket-message")).to_have_text(
        "Kurse bewegen sich in Schritten von 0.01 USDT."
    )
    page.fill("#price", low)
    page.fill("#size", "0.01")
    speaks_german(page)

    page.click("#submit")

    expect(page.locator(".toast", has_text="Order platziert")).to_be_visible()
    row = page.locator("#own-body tr[data-order]").first
    expect(row).to_contain_text(f"{Decimal(low):,.2f}")
    row.locator(".life-link").click()
    expect(page.locator("#life-body")).to_contain_text("Das Buch hat sie angenommen")
    speaks_german(page)
    page.locator("#life [data-close]").click()
    page.get_by_role("button", name="Alle stornieren").click()
    expect(page.locator("#own-body")).to_contain_text("Keine offenen Orders")
    for name in ("Verlauf", "Ausführungen", "Guthaben"):
        page.get_by_role("tab", name=name).first.click()
        speaks_german(page)
    assert alices.complaints == []


def test_the_pages_of_an_account_are_german(stack, tab):
    alices = tab(language="de-DE")
    page = alices.log_in(stack.demo["alice"], to="/account/security/")
    for name in ("factors", "sessions", "devices", "happenings"):
        expect(page.locator(f"#{name}")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#happenings")).to_contain_text("Angemeldet")
    speaks_german(page)

    page = alices.open("/account/keys/")
    expect(page.locator("#keys")).to_have_attribute("aria-busy", "false")
    page.click("#new-key")
    expect(page.locator("#kind-hint")).to_contain_text("entsteht in diesem Browser")
    speaks_german(page)

    page = alices.open("/account/verification/")
    expect(page.locator("#tiers")).to_have_attribute("aria-busy", "false")
    expect(page.locator("#tier-badge")).to_contain_text("Stufe")
    for details in page.locator("#tiers summary").all():
        details.click()
    speaks_german(page)
    assert alices.complaints == []


def test_the_switch_is_a_choice_that_stays_and_needs_no_mouse(tab):
    reader = tab(PHONE, language="de-DE")
    page = reader.open("/login")
    page.get_by_role("button", name="English").focus()
    page.keyboard.press("Enter")

    expect(page.locator("h1").first).to_have_text("Log in")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page = reader.open("/trade/BTC-USDT")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="Deutsch")).to_be_visible()
    assert reader.complaints == []


@pytest.mark.parametrize("path", ["/", "/trade/BTC-USDT", "/login", "/signup/"])
def test_german_fits_a_phone(tab, path):
    phone = tab(PHONE, language="de-DE")
    page = phone.open(path)
    expect(page.locator('#trust [data-trust="state"]')).not_to_have_text("wird geprüft …")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert phone.complaints == []


def test_the_word_of_a_mailed_link_outlives_the_switch(tab):
    reader = tab(language="de-DE")
    page = reader.open(f"/reset/#{'w' * 43}")
    expect(page.locator("#reset-form")).to_be_visible()

    page.get_by_role("button", name="English").click()

    expect(page.locator("h1").first).to_have_text("Set a new password")
    expect(page.locator("#reset-form")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/reset/$"))


def test_the_back_office_is_german(stack, tab):
    office = tab(language="de-DE")
    page = office.log_in(stack.demo["auditor"], to="/admin/")
    for path in ("/admin/", "/admin/journals/", "/admin/services/", "/admin/compliance/rules/"):
        page = office.open(path)
        speaks_german(page)
    assert office.complaints == []
