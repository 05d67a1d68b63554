"""What is refused, or strikes a limit, is a line of the log: with a code, and never in a flood."""

from __future__ import annotations

from typing import Any

import pytest

from apps.common import refusal_log
from apps.common.refusal_log import ALL_MAX, EACH_MAX, PER_S, RefusalLog

pytestmark = pytest.mark.django_db


class Lines:
    """What was written, in place of a logger."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []

    def warning(self, event: str, **words: Any) -> None:
        self.all.append({"event": event, **words})


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lines(monkeypatch) -> Lines:
    made = Lines()
    monkeypatch.setattr(refusal_log, "_log", made)
    monkeypatch.setattr(refusal_log, "in_use", RefusalLog())
    return made


def codes(lines: Lines) -> list[str]:
    return [str(line.get("code")) for line in lines.all]


# -- at the doors


@pytest.mark.parametrize(
    ("door", "who", "code"),
    [
        ("POST /api/v1/account/keys", "admin", "no_trading_account"),
        ("GET /api/v1/account [of an account]", "other", "no_such_account"),
        ("DELETE /api/v1/account/keys/<str:public_id>", "other", "no_such_key"),
        ("GET /admin/users/tradingaccount/<int:number>/freeze/", "support", "forbidden"),
        ("POST /admin/users/tradingaccount/<int:number>/freeze/", "operator", "forbidden"),
        ("POST /api/v3/order", "read", "-2015"),
        ("POST /api/v3/order", "forged", "-1022"),
        ("GET /sapi/v1/asset/tradeFee", "admin", "-2015"),
    ],
)
def test_a_refused_right_is_a_line_with_its_code(site, lines, door, who, code):
    site.ask(door, site.world.callers[who])

    said = [line for line in lines.all if line["code"] == code]
    assert said, codes(lines)
    for line in said:
        assert line["event"] == "http.request.refused"
        assert line["route"]
        assert line["method"] == door.split()[0]
        assert set(line) == {"event", "code", "address", "status", "method", "route", "user"}


def test_a_line_names_who_was_logged_in_and_never_what_they_sent(site, lines):
    site.ask("DELETE /api/v1/account/keys/<str:public_id>", site.world.callers["other"])

    (line,) = (line for line in lines.all if line["code"] == "no_such_key")
    assert isinstance(line["user"], int)
    assert line["route"] == "api/v1/account/keys/<str:public_id>"


def test_a_stranger_who_claims_nothing_is_no_news(site, lines):
    for door in ("GET /api/v1/account", "GET /api/v3/account", "GET /"):
        site.ask(door, site.world.callers["stranger"])

    assert lines.all == []


def test_a_page_of_another_site_is_a_line(client, lines):
    from django.test import Client

    Client(enforce_csrf_checks=True).post("/api/v1/session", {}, content_type="application/json")

    assert codes(lines) == ["forbidden"]


def test_a_limit_that_strikes_is_a_line(client, cache, lines):
    for _ in range(12):
        client.post("/api/v1/session/factor/reset", {}, content_type="application/json")

    assert "too_many_requests" in codes(lines)


def test_no_refusal_is_logged_a_second_time_by_its_path(client, lines, caplog):
    client.get("/api/v1/account/keys", headers={"X-Fairbook-Account": "7"})

    assert "/api/v1/account/keys" not in caplog.text


# -- and how many


def test_one_who_is_refused_for_ever_gets_five_lines_a_minute_and_a_sum(lines):
    clock = Clock()
    log = RefusalLog(clock)
    for _ in range(100):
        log.note("x.y", code="forbidden", address="10.0.0.1")
    assert codes(lines) == ["forbidden"] * EACH_MAX

    clock.now += PER_S
    log.note("x.y", code="forbidden", address="10.0.0.1")

    assert lines.all[EACH_MAX:] == [
        {"event": "refusals.left_out", "times": 100 - EACH_MAX},
        {"event": "x.y", "code": "forbidden", "address": "10.0.0.1"},
    ]


def test_a_thousand_addresses_write_sixty_lines_a_minute(lines):
    log = RefusalLog(Clock())

    for number in range(1_000):
        log.note("x.y", code="forbidden", address=f"10.0.{number // 250}.{number % 250}")

    assert len(lines.all) == ALL_MAX
