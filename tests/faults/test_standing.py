"""Standings on real processes: a freeze is felt at once, and the publisher may be gone for long."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable

import httpx
import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.common.config import Config
from apps.users.standing import telling
from tests.faults.conftest import STALE_S
from tests.faults.test_listing import Person, edges, until
from tests.helpers.stack import Stack

pytestmark = [pytest.mark.stack, pytest.mark.timeout(240)]

TRIALS = 60
FREEZES = """
import hashlib, hmac, http.client, sys, time, urllib.parse
from apps.users import selectors
from apps.users.services import accounts, people

URLS, KEY, SECRET, TRIALS = {urls!r}, {key!r}, {secret!r}, {trials}
account = selectors.standing_for_user(
    selectors.user_by_email(people.full_login("bob")).pk).account
lines = [http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc) for url in URLS]

def is_taken(line):
    query = urllib.parse.urlencode(dict(symbol="BTCUSDT", side="BUY", type="LIMIT",
        timeInForce="GTC", quantity="0.01", price="40000", timestamp=int(time.time() * 1000)))
    signature = hmac.new(SECRET.encode(), query.encode(), hashlib.sha256).hexdigest()
    line.request("POST", f"/api/v3/order/test?{{query}}&signature={{signature}}",
        headers={{"X-MBX-APIKEY": KEY}})
    answer = line.getresponse()
    answer.read()
    return answer.status == 200

def wait_for(taken):
    for line in lines:
        while is_taken(line) is not taken:
            time.sleep(0.002)

took = []
wait_for(True)
for _ in range(TRIALS):
    accounts.set_frozen(number=account, frozen=True, reason="a trial")
    began = time.monotonic()
    wait_for(False)
    took.append(time.monotonic() - began)
    accounts.set_frozen(number=account, frozen=False, reason="a trial")
    wait_for(True)
print("TOOK", *took)
"""


@pytest.fixture
def places(victim: Stack) -> Callable[..., httpx.Response]:
    """Return what places one of alice's orders, far from the market."""
    alice = Person(victim, "alice")

    def place(edge: int = 0) -> httpx.Response:
        return alice.asks(
            "POST", "/api/v3/order", edge=edge, symbol="BTCUSDT", side="BUY", type="LIMIT",
            timeInForce="GTC", quantity="0.001", price="46000",
        )  # fmt: skip

    return place


def is_taken(said: httpx.Response) -> bool:
    return said.status_code == 200


def waits(said: httpx.Response) -> bool:
    return said.status_code == 503 and said.json()["code"] == -1016


def test_a_freeze_is_felt_at_both_edges_within_a_second(victim):
    bob = victim.demo["bob"]
    script = FREEZES.format(
        urls=edges(victim), key=bob["api_key"], secret=bob["api_secret"], trials=TRIALS
    )

    done = victim.manage("shell", "-c", script, seconds=120)

    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("TOOK"))
    took = sorted(float(word) for word in line.split()[1:])
    p99 = took[int(len(took) * 0.99)]
    print(f"frozen: p50 {took[len(took) // 2]:.3f} s, p99 {p99:.3f} s of {len(took)}")
    assert len(took) == TRIALS
    assert p99 < 1.0


def test_the_publisher_is_killed_and_trading_goes_on(victim, places):
    until(lambda: is_taken(places()))
    victim.kill("standing")

    answers = [places(turn % 2) for turn in range(20)]

    assert [said.status_code for said in answers] == [200] * 20
    victim.wait_ready("standing")
    until(lambda: is_taken(places()))


def test_a_publisher_that_stays_silent_stops_new_orders_and_no_cancel(victim, places):
    placed = until(lambda: is_taken(said := places()) and said.json())
    victim.kill("standing", signal=signal.SIGSTOP)
    try:
        until(lambda: waits(places(0)) and waits(places(1)), seconds=STALE_S + 10)

        alice = Person(victim, "alice")
        canceled = alice.asks(
            "DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=placed["orderId"]
        )
        looked_up = alice.asks("GET", "/api/v3/account", edge=1)
        assert canceled.status_code == 200, canceled.text
        assert looked_up.status_code == 200
    finally:
        victim.kill("standing", signal=signal.SIGCONT)
    until(lambda: is_taken(places(0)) and is_taken(places(1)))


def test_the_cache_is_killed_and_the_model_is_there_again_within_seconds(victim, places):
    until(lambda: is_taken(places()))
    account = Person(victim, "alice").asks("GET", "/api/v3/account").json()["uid"]
    where = Config(victim.environ).text("REDIS_URL")
    with redis.Redis.from_url(where, socket_timeout=1, retry=Retry(NoBackoff(), 0)) as cache:
        assert cache.exists(telling.key_of(account))
        old = cache.info("server")["run_id"]
        victim.kill("cache")

        until(lambda: _run_id(cache) not in (None, old))
        back_at = time.monotonic()
        until(lambda: cache.exists(telling.key_of(account)))

    took_s = time.monotonic() - back_at
    print(f"the read model was there again {took_s:.2f} s after the cache")
    assert took_s < 5
    until(lambda: is_taken(places(0)) and is_taken(places(1)))


def _run_id(cache: redis.Redis) -> str | None:
    try:
        return str(cache.info("server")["run_id"])
    except redis.RedisError:
        return None
