"""What browsers are told, on every answer of every door: pages, data, refusals, faults, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import httpx
import pytest

from apps.common.config import ROOT
from apps.web import views
from exchange_site.ops.check import PRODUCTION
from tests.security.parts import PASSWORD
from tests.security.table import Row, table

pytestmark = pytest.mark.django_db

ROWS = [row for row in table().rows.values() if not row.name.startswith("WS ")]
FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
NEVER = ("server", "x-powered-by", "access-control-allow-origin")
YEAR_S = 365 * 24 * 3600


def problems(headers: httpx.Headers, *, is_private: bool = True) -> list[str]:
    """Return what is wrong with the headers of an answer."""
    wrong = [name for name, value in FIXED.items() if headers.get(name) != value]
    wrong += [name for name in NEVER if name in headers]
    wrong += [] if "permissions-policy" in headers else ["permissions-policy"]
    if is_private and "no-store" not in headers.get("cache-control", ""):
        wrong.append(f"cache-control: {headers.get('cache-control')}")
    return wrong + _policy_problems(headers.get("content-security-policy", ""))


def _policy_problems(policy: str) -> list[str]:
    found = {
        name: value
        for name, _, value in (part.strip().partition(" ") for part in policy.split(";"))
    }
    wrong = [word for word in ("unsafe-inline", "unsafe-eval", "*", "http:") if word in policy]
    closed = ("base-uri", "frame-ancestors")
    wrong += [f"{name} of {policy!r}" for name in closed if found.get(name) != "'none'"]
    if found.get("object-src", found.get("default-src")) != "'none'":
        wrong.append(f"object-src of {policy!r}")
    if found.get("script-src", found.get("default-src", "")).split("'nonce-")[0].strip() not in (
        "'self'",
        "'none'",
    ):
        wrong.append(f"script-src of {policy!r}")
    return wrong


def callers_of(row: Row) -> list[str]:
    """Return who asks: a stranger, who is mostly refused, and who is let in."""
    return ["stranger", "admin" if "/admin/" in row.door else "user"]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_answer_carries_every_header(site, row):
    for name in callers_of(row):
        for answer in site.ask(row.name, site.world.callers[name]):
            assert problems(answer.headers) == [], f"{name} at {answer.sent}"


@pytest.mark.parametrize(
    ("request_of", "status"),
    [
        ({"method": "GET", "url": "/nowhere"}, 404),
        ({"method": "GET", "url": "/api/v1/nowhere"}, 404),
        ({"method": "GET", "url": "/api/v3/order/nowhere"}, 404),
        ({"method": "GET", "url": "/admin/users/nowhere/"}, 302),
        ({"method": "POST", "url": "/trade/BTC-USDT"}, 405),
        ({"method": "PUT", "url": "/api/v3/depth"}, 405),
        ({"method": "PUT", "url": "/api/v3/account"}, 405),
        ({"method": "POST", "url": "/api/v1/session", "content": b"{"}, 400),
        ({"method": "POST", "url": "/api/v1/session", "content": b"x" * 300_000}, 413),
        ({"method": "GET", "url": "/api/v3/depth?symbol=%ff"}, 400),
        ({"method": "TRACE", "url": "/api/v3/ping"}, 405),
    ],
    ids=lambda one: f"{one['method']} {one['url']}" if isinstance(one, dict) else str(one),
)
def test_a_refusal_carries_them_too(site, request_of, status):
    caller = site.world.callers["stranger"]
    headers = {"Content-Type": "application/json", "X-CSRFToken": caller.csrf}
    answer = site.kept(request_of | {"headers": headers | {"Cookie": caller.cookies}}, caller)

    assert answer.status == status, answer.text[:200]
    assert problems(answer.headers) == []


def test_a_fault_carries_them_and_says_nothing(site, monkeypatch):
    def fail(*_words: Any, **_named: Any) -> None:
        raise RuntimeError("what nobody should read")

    monkeypatch.setattr(views, "page", fail)
    answer = site.kept({"method": "GET", "url": "/"}, site.world.callers["stranger"])

    assert answer.status == 500
    assert problems(answer.headers) == []
    assert "nobody should read" not in answer.text
    assert "Traceback" not in answer.text


def test_files_carry_them_and_may_be_kept(site):
    answer = site.kept(
        {"method": "GET", "url": "/static/js/markets.js"}, site.world.callers["user"]
    )

    assert answer.status == 200
    assert problems(answer.headers, is_private=False) == []


# ── Cookies ─────────────────────────────────────────────────────────────────────────────────────


def test_cookies_are_closed_to_scripts_and_other_sites(site):
    caller = site.world.callers["stranger"]
    headers = {"Cookie": caller.cookies, "X-CSRFToken": caller.csrf}
    body = json.dumps({"login": "pia@example.org", "password": PASSWORD}).encode()
    sent = {"method": "POST", "url": "/api/v1/session", "content": body}
    answer = site.kept(sent | {"headers": headers | {"Content-Type": "application/json"}}, caller)

    assert answer.status == 200
    cookies = {one.partition("=")[0]: one for one in answer.headers.get_list("set-cookie")}
    assert {"sessionid", "device", "csrftoken"} <= set(cookies)
    for name, cookie in cookies.items():
        words = {word.strip().lower() for word in cookie.split(";")[1:]}
        assert "samesite=lax" in words, cookie
        assert ("httponly" in words) == (name != "csrftoken"), "pages read that one, no other"
        assert not [word for word in words if word.startswith("domain=")], cookie


SAY = """
import json
from exchange_site.settings.environments import production as p
from django.conf import settings as s
kinds = tuple("SESSION_ CSRF_ SECURE_ DEVICE_ THEME_ LANGUAGE_ MESSAGE_".split())
names = [n for n in dir(s) if n.startswith(kinds)]
print(json.dumps({n: getattr(s, n) for n in names}, default=str))
"""


def test_production_binds_cookies_to_its_host_and_stays_with_https(tmp_path):
    plain = {k: v for k, v in os.environ.items() if not k.startswith("FAIRBOOK_")}
    environ = plain | PRODUCTION | {
        "FAIRBOOK_VAR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "exchange_site.settings",
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", SAY], cwd=ROOT, env=environ, capture_output=True, text=True,
        check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)

    cookies = ("SESSION", "CSRF", "DEVICE", "THEME", "LANGUAGE")
    names = [said[f"{cookie}_COOKIE_NAME"] for cookie in cookies]
    assert all(name.startswith("__Host-") for name in names)
    assert said["MESSAGE_STORAGE"].endswith("SessionStorage"), "a cookie without the prefix"
    assert said["SESSION_COOKIE_SECURE"]
    assert said["LANGUAGE_COOKIE_SECURE"]
    assert said["CSRF_COOKIE_SECURE"]
    assert said["SECURE_SSL_REDIRECT"], "and programs are refused: tests/web/test_front.py"
    assert said["SECURE_HSTS_SECONDS"] >= YEAR_S
    assert said["SECURE_HSTS_INCLUDE_SUBDOMAINS"]


def test_a_page_names_the_cookie_that_it_keeps_its_theme_in(site, settings):
    settings.THEME_COOKIE_NAME = "__Host-theme"
    sent = {"method": "GET", "url": "/", "headers": {"Cookie": "__Host-theme=dark"}}

    page = site.kept(sent, site.world.callers["stranger"]).text

    assert 'data-theme="dark"' in page
    assert '<meta name="theme-cookie" content="__Host-theme">' in page
    for script in (ROOT / "static/js").rglob("*.js"):
        if "document.cookie =" in script.read_text():
            assert script.name == "theme.js", "a cookie of a page: secure, under its prefix"


@pytest.mark.parametrize("door", ["DELETE /api/v1/session", "POST /admin/logout/"])
def test_a_log_out_clears_what_the_browser_keeps_of_it(site, door):
    (answer,) = site.ask(door, site.world.callers["support"])

    assert answer.status in (204, 302), answer.text
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
