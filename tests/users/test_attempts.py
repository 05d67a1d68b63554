"""Guessing is slowed down before anything is hashed, and the owner is never locked out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client, RequestFactory

from apps.common.errors import TooManyRequests
from apps.users import buckets
from apps.users.buckets import Bucket, Buckets
from apps.users.services import accounts, attempts, people
from apps.users.services.attempts import Attempt

PASSWORD = "correct horse battery"
SESSION = "/api/v1/session"


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(cache, monkeypatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(buckets, "in_use", Buckets(made))
    return made


@pytest.fixture
def alice(db, clock) -> int:
    user_id = people.register(email="alice@fairbook.example", password=PASSWORD)
    accounts.create_account(user_id=user_id, kyc_tier=2)
    return user_id


def log_in(browser: Client, password: str = PASSWORD, login: str = "alice"):
    body = {"login": login, "password": password}
    return browser.post(SESSION, body, content_type="application/json")


def guess(account: str, address: str, *, times: int) -> int:
    """Try again and again without success; return how many tries were looked at."""
    looked_at = 0
    for _ in range(times):
        try:
            attempts.check_may_try(Attempt(account=account, address=address))
        except TooManyRequests:
            continue
        looked_at += 1
    return looked_at


def account_of(email: str) -> str:
    request = RequestFactory().get("/")
    return attempts.of_request(request, login=email).account


def test_a_few_come_at_once_then_one_now_and_again(clock):
    bucket = Bucket("b", burst=3, every_ms=1_000)
    took = [buckets.in_use.take([bucket]) for _ in range(4)]

    clock.now += 1
    later = [buckets.in_use.take([bucket]) for _ in range(2)]

    assert took == [0, 0, 0, 1_000]
    assert later == [0, 1_000]


def test_a_refused_try_is_counted_nowhere(clock):
    narrow, wide = Bucket("n", burst=1, every_ms=1_000), Bucket("w", burst=2, every_ms=1_000)
    assert buckets.in_use.take([narrow, wide]) == 0
    assert buckets.in_use.take([narrow, wide]) > 0

    assert buckets.in_use.take([wide]) == 0


def test_of_a_hundred_at_once_only_the_burst_is_looked_at(clock):
    attempt = Attempt(account="a", address="10.0.0.1")

    with ThreadPoolExecutor(20) as pool:
        waits = list(pool.map(lambda _: buckets.in_use.take(attempt.own_buckets), range(100)))

    assert waits.count(0) == attempts.AT_ONCE_HERE


def test_without_the_cache_each_process_counts_by_itself(clock, monkeypatch):
    def away(*_args: object) -> int:
        raise redis.ConnectionError("away")

    monkeypatch.setattr(Buckets, "_ask", staticmethod(away))
    bucket = Bucket("b", burst=2, every_ms=1_000)

    took = [buckets.in_use.take([bucket]) for _ in range(3)]
    buckets.in_use.give_back(bucket)

    assert took == [0, 0, 1_000]
    assert buckets.in_use.take([bucket]) == 0


def test_after_a_thousand_failures_elsewhere_the_owners_known_device_passes_at_once(alice):
    owners = Client(REMOTE_ADDR="10.1.1.1")
    assert log_in(owners).status_code == 200
    owners.delete(SESSION)

    tried = sum(
        guess(account_of("alice@fairbook.example"), f"10.2.{net}.1", times=10) for net in range(100)
    )

    assert tried == attempts.AT_ONCE_ACCOUNT
    assert log_in(Client(REMOTE_ADDR="10.3.3.3")).status_code == 429  # A stranger's browser.
    assert log_in(owners).status_code == 200


def test_a_known_device_is_slowed_down_by_its_own_guesses(alice):
    browser = Client()
    assert log_in(browser).status_code == 200

    answers = [log_in(browser, "wrong horse battery").status_code for _ in range(11)]

    assert answers == [401] * 10 + [429]


def test_a_known_device_of_another_person_is_a_stranger(alice, clock):
    people.register(email="mallory@example.org", password=PASSWORD)
    mallory = Client()
    assert log_in(mallory, login="mallory@example.org").status_code == 200
    guess(account_of("alice@fairbook.example"), "127.0.0.1", times=10)

    assert log_in(mallory).status_code == 429


def test_one_address_tries_few_names_however_many_it_knows(clock):
    looked_at = sum(guess(f"name{number}", "10.0.0.1", times=1) for number in range(1_000))

    assert looked_at == attempts.AT_ONCE_ADDRESS
    assert guess("name1", "10.0.0.2", times=1) == 1


def test_a_success_ends_the_counts_of_its_place_and_costs_the_others_nothing(clock):
    for _ in range(3 * attempts.AT_ONCE_ACCOUNT):
        attempt = Attempt(account="alice", address="10.0.0.1")
        attempts.check_may_try(attempt)
        attempts.note_success(attempt)

    assert guess("alice", "10.0.0.1", times=20) == attempts.AT_ONCE_HERE


def test_nothing_is_hashed_for_a_try_that_is_refused(alice, monkeypatch):
    guess(account_of("alice@fairbook.example"), "127.0.0.1", times=10)
    hashed: list[str] = []
    verify = MD5PasswordHasher.verify
    monkeypatch.setattr(
        MD5PasswordHasher, "verify", lambda *args: hashed.append("x") or verify(*args)
    )

    request = RequestFactory().post("/")
    user = authenticate(request, username="alice@fairbook.example", password=PASSWORD)

    assert user is None
    assert attempts.refusal_on(request) is not None
    assert hashed == []
