"""A browser that completed a log-in is known for 90 days, to the one person who logged in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from apps.users.contracts import KnownDevice
from apps.users.models import Device
from apps.users.services import devices, people

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def alice() -> int:
    return people.register(email="alice@example.org", password=PASSWORD)


@pytest.fixture
def bob() -> int:
    return people.register(email="bob@example.org", password=PASSWORD)


class Browser:
    """Keeps the cookie as a browser would."""

    def __init__(self, user_agent: str = FIREFOX) -> None:
        self.cookie = ""
        self.user_agent = user_agent

    def request(self):
        made = RequestFactory().post("/", headers={"user-agent": self.user_agent})
        if self.cookie:
            made.COOKIES[devices.COOKIE] = self.cookie
        return made

    def logs_in(self, user_id: int) -> KnownDevice:
        response = HttpResponse()
        known = devices.remember(self.request(), response, user_id=user_id)
        self.morsel = response.cookies[devices.COOKIE]
        self.cookie = self.morsel.value
        return known

    def known_to(self, email: str) -> KnownDevice | None:
        return devices.recognise(self.request(), email=email)


def test_the_cookie_is_for_the_server_alone_and_lasts_ninety_days(alice):
    browser = Browser()
    browser.logs_in(alice)

    assert browser.morsel["httponly"]
    assert browser.morsel["samesite"] == "Lax"
    assert browser.morsel["max-age"] == 90 * 86_400


def test_a_browser_is_known_to_whom_it_logged_in_and_to_nobody_else(alice, bob):
    browser = Browser()
    known = browser.logs_in(alice)

    assert browser.known_to("ALICE@example.org") == known
    assert browser.known_to("bob@example.org") is None
    assert Browser().known_to("alice@example.org") is None


def test_two_people_may_share_a_browser(alice, bob):
    browser = Browser()
    first, second = browser.logs_in(alice), browser.logs_in(bob)

    assert browser.known_to("alice@example.org").mark == first.mark
    assert browser.known_to("bob@example.org").mark == second.mark


def test_the_first_device_is_no_news_and_each_further_one_is(alice):
    first = Browser()

    assert not first.logs_in(alice).is_new
    assert not first.logs_in(alice).is_new
    assert Browser(SAFARI).logs_in(alice).is_new
    assert [row.name for row in devices.list_devices(user_id=alice)] == [
        "Mobile Safari on iOS",
        "Firefox on Linux",
    ]


@pytest.mark.parametrize("changed", ["", "x", "eyJ1IjoxfQ:1xxxxx:sssssssssssssss"])
def test_a_cookie_that_somebody_made_up_is_no_device(alice, changed):
    browser = Browser()
    browser.logs_in(alice)
    browser.cookie = f"{browser.cookie[:-4]}AAAA" if changed == "x" else changed

    assert browser.known_to("alice@example.org") is None


def test_a_revoked_device_is_a_stranger_at_once(alice, bob):
    browser = Browser()
    known = browser.logs_in(alice)
    with pytest.raises(devices.NoSuchDevice):
        devices.revoke(user_id=bob, number=known.number)

    devices.revoke(user_id=alice, number=known.number)

    assert browser.known_to("alice@example.org") is None
    assert browser.logs_in(alice).is_new


def test_a_device_that_was_not_used_for_ninety_days_is_a_stranger(alice):
    browser = Browser()
    browser.logs_in(alice)
    Device.objects.update(known_until=timezone.now() - timedelta(seconds=1))

    assert browser.known_to("alice@example.org") is None


def test_the_oldest_of_too_many_devices_is_forgotten(alice):
    browsers = [Browser() for _ in range(devices.DEVICES_PER_PERSON_MAX + 1)]
    for browser in browsers:
        browser.logs_in(alice)

    assert browsers[0].known_to("alice@example.org") is None
    assert browsers[-1].known_to("alice@example.org") is not None


@pytest.mark.parametrize("said", ["", "curl/8.5", "x" * 20_000, "\x00\u2028Firefox"])
def test_whatever_a_program_calls_itself_it_gets_a_short_name(said):
    request = RequestFactory().post("/", headers={"user-agent": said})

    assert 0 < len(devices.name_of(request)) <= 80


def test_a_log_in_by_the_api_makes_the_browser_known(alice, cache):
    browser = Client(headers={"user-agent": FIREFOX})
    body = {"login": "alice@example.org", "password": PASSWORD}

    wrong = body | {"password": "wrong horse battery"}
    browser.post("/api/v1/session", wrong, content_type="application/json")
    assert devices.COOKIE not in browser.cookies
    browser.post("/api/v1/session", body, content_type="application/json")

    assert [row.name for row in devices.list_devices(user_id=alice)] == ["Firefox on Linux"]
    assert devices.COOKIE in browser.cookies
