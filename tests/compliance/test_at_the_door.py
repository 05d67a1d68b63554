"""Who is not served learns so at the door: strangers at sign-up, owners after their password."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from apps.common.audit import records_about
from apps.users.models import User
from apps.users.services import people

PASSWORD = "correct horse battery"
WISH = {
    "email": "new@example.org",
    "password": PASSWORD,
    "full_name": "New",
    "country": "CH",
}

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(cache, sample_places) -> Client:
    return Client()


def post(browser: Client, path: str, address: str, **body: str) -> Any:
    return browser.post(
        f"/api/v1/{path}", body, content_type="application/json", REMOTE_ADDR=address
    )


@pytest.mark.parametrize("how", ["country", "address"])
def test_a_sign_up_from_where_nobody_is_served_is_refused(browser, sample_places, how):
    address = sample_places.sanctioned if how == "address" else sample_places.swiss
    wish = WISH | ({"country": "KP"} if how == "country" else {})

    refused = post(browser, "users", address, **wish)

    assert (refused.status_code, refused.json()["code"]) == (403, "country_not_served")
    assert not User.objects.filter(email=WISH["email"]).exists()
    assert post(browser, "users", sample_places.swiss, **WISH).status_code == 202


@pytest.mark.parametrize("how", ["country", "address"])
def test_a_log_in_is_refused_only_after_the_password_was_right(browser, sample_places, how):
    country = "KP" if how == "country" else "CH"
    address = sample_places.sanctioned if how == "address" else sample_places.swiss
    people.register(email="kim@example.org", password=PASSWORD, country=country)

    wrong = post(browser, "session", address, login="kim@example.org", password="x" * 12)
    stranger = post(browser, "session", address, login="no@example.org", password="x" * 12)
    right = post(browser, "session", address, login="kim@example.org", password=PASSWORD)

    assert (wrong.status_code, wrong.json()) == (stranger.status_code, stranger.json())
    assert wrong.json()["code"] == "wrong_login"
    assert (right.status_code, right.json()["code"]) == (403, "country_not_served")
    assert "sessionid" not in browser.cookies


def test_an_unknown_address_logs_in_and_leaves_one_signal(browser, sample_places):
    person = people.register(email="alice@example.org", password=PASSWORD)

    near = post(
        browser, "session", sample_places.swiss, login="alice@example.org", password=PASSWORD
    )
    far = post(browser, "session", "127.0.0.1", login="alice@example.org", password=PASSWORD)

    assert (near.status_code, far.status_code) == (200, 200)
    signals = [r.data for r in records_about(f"user:{person}") if r.kind == "session.signals"]
    assert signals == [{"signals": ["address_unknown"]}]
