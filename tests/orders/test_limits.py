"""Who asks too much is refused before it costs anything, at every door there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace

import httpx
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.urls import URLPattern, URLResolver, get_resolver

from apps.orders import limits
from apps.orders.views import base
from apps.users import selectors
from exchange_site.asgi import application
from tests.orders.conftest import PASSWORD
from tests.orders.dialect_cases import LIMIT
from tests.orders.test_edge import CHANGED_ON_THE_WAY, SIGNED_WRONG, _forged

FORGED = [*CHANGED_ON_THE_WAY, *SIGNED_WRONG, "no key", "signed with another secret"]
# Public addresses that are not counted, each with its reason.
UNCOUNTED = {
    "/health/live": "supervisors and load balancers ask it all the time, and it reads nothing",
    "/health/ready": "the same",
}


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """Note every time that PostgreSQL is asked about a key or a cookie."""
    asked: list[str] = []
    for where, name in ((selectors, "key_grant"), (SessionStore, "_get_session_from_db")):
        load = getattr(where, name)

        def noted(*words, load=load):
            asked.append(load.__name__)
            return load(*words)

        monkeypatch.setattr(where, name, noted)
    return asked


@pytest.fixture
def tight(edge, monkeypatch) -> Iterator[limits.Limits]:
    """Let an address have five requests a minute, in the loop that serves and in threads."""
    most = limits.Limits(weight_1m=5, orders_10s=100)
    edge.gate._limits = most
    base.gate.cache_clear()
    base.gate()._limits = most
    yield most
    base.gate.cache_clear()


@pytest.fixture
async def stranger(edge):
    """Somebody before the whole site, as a server has it: both ways through Django."""
    transport = httpx.ASGITransport(app=application, client=("127.0.0.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        yield client


def counted(cache, who: str) -> int:
    """Return what was counted, whichever minutes it was."""
    return sum(int(cache.get(name)) for name in cache.scan_iter(f"rate:w:{who}:*"))


@pytest.mark.parametrize("path", ["openOrders", "allOrders"])
async def test_an_address_over_its_limit_costs_no_read_of_invented_keys(
    alice, tight, reads, postbox, path
):
    key, secret = alice.key, alice.secret
    answers = []
    for number in range(30):
        alice.key = f"invented{number:056d}"
        answers.append(await alice.asks("GET", path, symbol="BTCUSDT"))

    codes = [answer.status_code for answer in answers]
    assert codes[0] == 401
    assert set(codes) == {401, 429}
    assert all(answer["Retry-After"] for answer in answers if answer.status_code == 429)
    assert len(reads) <= 2 * tight.weight_1m  # Twice, if the minute turned over.
    assert len(reads) == codes.count(401)
    alice.key, alice.secret = key, secret
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200


@pytest.mark.parametrize(
    ("path", "looks"),
    [("/api/v3/openOrders", 1), ("/api/v3/allOrders", 2), ("/api/v1/session", 2), ("/", 2)],
)
async def test_an_address_over_its_limit_costs_no_read_of_invented_cookies(
    stranger, tight, reads, path, looks
):
    codes = []
    for number in range(30):
        stranger.cookies.set("sessionid", f"{number:032d}")
        codes.append((await stranger.get(f"{path}?symbol=BTCUSDT")).status_code)

    let_in = len(codes) - codes.count(429)
    assert let_in <= 2 * tight.weight_1m  # Twice, if the minute turned over.
    assert 0 < len(reads) <= looks * (let_in + 2)  # And the one that went over, looked at first.


@pytest.mark.parametrize("how", FORGED)
async def test_what_fails_before_it_is_believed_counts_once_against_the_address(alice, cache, how):
    before = counted(cache, "ip:127.0.0.1")

    answer = await _forged(alice, how)

    assert answer.status_code in (400, 401)
    assert counted(cache, "ip:127.0.0.1") == before + 1
    assert counted(cache, f"a:{alice.account}") == 0


async def test_what_a_known_person_asks_wrongly_counts_against_their_account(alice, cache):
    before = counted(cache, "ip:127.0.0.1")

    answer = await alice.asks("POST", "order", **(LIMIT | {"price": "0.001"}))

    assert answer.status_code == 400
    assert counted(cache, f"a:{alice.account}") == 1
    assert counted(cache, "ip:127.0.0.1") == before


async def test_an_order_that_is_well_signed_asks_the_cache_once(alice, edge, reads, monkeypatch):
    await alice.asks("POST", "order", **LIMIT)
    asked, ask = [], edge.cache.execute_command
    reads.clear()

    async def noted(*words, **options):
        asked.append(words[0])
        return await ask(*words, **options)

    monkeypatch.setattr(edge.cache, "execute_command", noted)
    answer = await alice.asks("POST", "order", **LIMIT)

    assert answer.status_code == 200
    assert [word for word in asked if word == "EVALSHA"] == ["EVALSHA"]
    assert len(asked) == 1
    assert reads == []


async def test_the_addresses_of_one_ipv6_network_count_as_one(alice, cache):
    for last in ("1", "2:3", "ffff"):
        plain = SimpleNamespace(META={"REMOTE_ADDR": f"2001:db8:1:2::{last}"})
        assert base.callers.address_of(plain) == "2001:db8:1:2::/64"
    mapped = SimpleNamespace(META={"REMOTE_ADDR": "::ffff:10.1.2.3"})
    assert base.callers.address_of(mapped) == "10.1.2.3"


# ── Every door ──────────────────────────────────────────────────────────────────────────────────


def _paths(resolver: URLResolver, before: str = "/") -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        text = re.sub(r"<[^>]*>", "1", str(entry.pattern))
        text = "anything" if text.startswith(("(?P", "^")) else text
        if isinstance(entry, URLResolver):
            yield from _paths(entry, before + text)
        else:
            yield before + text, entry


def _method(pattern: URLPattern) -> str:
    handlers = getattr(pattern.callback, "hot_handlers", None)
    allowed = set(handlers or ()) or {
        name.upper() for name in dir(getattr(pattern.callback, "cls", None)) if name.islower()
    }
    return next((name for name in ("GET", "POST", "DELETE", "PUT") if name in allowed), "GET")


EVERY_DOOR = sorted({(path, _method(pattern)) for path, pattern in _paths(get_resolver())})


async def test_every_address_of_the_site_is_counted_or_says_why_not(stranger, edge, tight):
    edge.gate._limits = base.gate()._limits = limits.Limits(weight_1m=0, orders_10s=0)
    answers = {path: await stranger.request(method, path) for path, method in EVERY_DOOR}

    assert len(answers) > 60
    assert {"/api/schema/", "/api/v1/proofs/heads", "/api/v1/trust", "/api/v3/order"} <= set(
        answers
    )
    free = {path for path, answer in answers.items() if answer.status_code != 429}
    assert free == set(UNCOUNTED), "count it (apps/orders/middleware.py), or say above why not"
    assert all(answers[path].headers["Retry-After"] for path in set(answers) - free)


@pytest.mark.parametrize(("path", "most"), [("session", 60), ("users", 20)])
async def test_log_ins_and_sign_ups_have_a_limit_of_their_own(alice, path, most):
    answers = []
    for number in range(2 * most + 1):  # More than a turn of the minute lets through.
        body = {"login": f"nobody{number}", "email": "nobody", "password": PASSWORD}
        send = alice.client.post(f"/api/v1/{path}", body, content_type="application/json")
        answers.append(await send)

    refused = [answer for answer in answers if answer.status_code == 429]
    assert all(answer.status_code in (400, 401) for answer in answers[:most])
    assert {answer.json()["code"] for answer in refused} == {"too_many_requests"}
    assert all(answer["Retry-After"] for answer in refused)
