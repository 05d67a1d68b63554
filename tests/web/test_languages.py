"""Pages speak the reader's language, mails their receiver's, and the API English to everybody."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import translation
from django.utils.formats import localize
from django.utils.translation import gettext

from apps.users.models import Mail, PendingSignUp, User
from apps.users.services import accounts, mail, people
from apps.web.middleware import PageLanguage
from tests.helpers.mails import mails_to, word_to

PASSWORD = "correct horse battery"
NEW = "neu@example.org"


@pytest.fixture(autouse=True)
def as_before():
    """Leave the language of the thread as it was."""
    with translation.override(settings.LANGUAGE_CODE):
        yield


def said(path: str, *, accepts: str = "", cookie: str = "") -> tuple[str, HttpResponse]:
    """Return what a view at this address says, and its answer."""

    def view(request: HttpRequest) -> HttpResponse:
        return HttpResponse(gettext("Log in"))

    request = RequestFactory().get(path, headers={"accept-language": accepts} if accepts else {})
    if cookie:
        request.COOKIES[settings.LANGUAGE_COOKIE_NAME] = cookie
    answer: Any = PageLanguage(view)(request)
    return answer.content.decode(), answer


def test_a_page_speaks_what_the_browser_asks_for_and_else_english():
    assert said("/login")[0] == "Log in"
    assert said("/login", accepts="de-CH, de;q=0.9, en;q=0.1")[0] == "Anmelden"
    assert said("/login", accepts="fr, it")[0] == "Log in"


def test_what_a_reader_chose_counts_more_than_what_the_browser_asks_for():
    assert said("/login", accepts="de", cookie="en")[0] == "Log in"
    assert said("/login", accepts="en", cookie="de")[0] == "Anmelden"
    assert said("/login", accepts="de", cookie="xx-nonsense")[0] == "Anmelden"


@pytest.mark.parametrize("path", ["/api/v3/order", "/api/v1/session", "/sapi/v1/x", "/health/live"])
def test_the_api_speaks_english_to_everybody(path):
    text, answer = said(path, accepts="de", cookie="de")

    assert text == "Log in"
    assert "Content-Language" not in answer
    assert "Accept-Language" not in answer.get("Vary", "")


def test_numbers_are_the_same_in_every_language():
    with translation.override("en"):
        english = [localize(value, use_l10n=True) for value in (1234567, 1234.5)]
    with translation.override("de"):
        german = [localize(value, use_l10n=True) for value in (1234567, 1234.5)]

    assert german == english == ["1234567", "1234.5"]


# ── With accounts ───────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def alice(cache, db) -> User:
    user_id = people.register(email="alice@example.org", password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return User.objects.get(pk=user_id)


def choose(browser: Client, language: str) -> Any:
    return browser.post("/language/", {"language": language, "next": "/login"})


@pytest.mark.django_db
def test_the_choice_of_a_stranger_is_kept_in_a_cookie(cache):
    browser = Client()
    answer = choose(browser, "de")

    assert (answer.status_code, answer["Location"]) == (302, "/login")
    page = browser.get("/login")
    assert '<html lang="de"' in page.content.decode()
    assert page["Content-Language"] == "de"
    assert "words/de.js" in page.content.decode()
    choose(browser, "en")
    page = browser.get("/login").content.decode()
    assert '<html lang="en"' in page
    assert "words/" not in page, "English is in the scripts already"


@pytest.mark.django_db
def test_the_choice_leads_to_no_other_site(cache):
    answer = Client().post("/language/", {"language": "de", "next": "https://evil.example/"})

    assert answer["Location"] == "/"


def test_a_choice_of_somebody_who_is_logged_in_is_that_of_their_mails(alice):
    browser = Client()
    browser.force_login(alice)

    choose(browser, "de")
    choose(browser, "nonsense")

    alice.refresh_from_db()
    assert alice.language == "de"
    mail.tell_password_changed(alice)
    row = mails_to(alice.email)[-1]
    assert row.subject == "Ihr Passwort wurde geändert"
    assert "Wenn Sie das nicht waren" in mail.text_of(row)


def test_the_choice_counts_while_postgresql_is_away(alice, monkeypatch):
    def away(*_words: object) -> None:
        raise OperationalError("away")

    browser = Client()
    browser.force_login(alice)
    monkeypatch.setattr(people, "choose_language", away)

    assert choose(browser, "de").cookies[settings.LANGUAGE_COOKIE_NAME].value == "de"


@pytest.mark.django_db
def test_a_german_sign_up_is_answered_in_english_and_mailed_in_german(cache):
    browser = Client(headers={"accept-language": "de"})
    body = {"email": NEW, "password": PASSWORD, "full_name": "Nina Neu", "country": "DE"}

    bad = browser.post("/api/v1/users", body | {"email": ""}, content_type="application/json")
    assert bad.json()["data"]["fields"]["email"] == ["This field may not be blank."]
    browser.post("/api/v1/users", body, content_type="application/json")

    assert PendingSignUp.objects.get(email=NEW).language == "de"
    assert mails_to(NEW)[-1].subject == "Bestätigen Sie Ihre E-Mail-Adresse"
    people.prove_sign_up(word_to(NEW))
    assert User.objects.get(email=NEW).language == "de"


@pytest.mark.django_db
def test_a_mail_is_in_english_whatever_the_request_speaks(alice):
    with translation.override("de"):
        mail.tell_password_changed(alice)

    assert Mail.objects.get().subject == "Your password was changed"
