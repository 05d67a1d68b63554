"""The publisher of standings: what it says of whom, and what it survives."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest
import redis
from django.db import OperationalError, connection

from apps.users import selectors
from apps.users.contracts import Allowance, Standing
from apps.users.models import TradingAccount
from apps.users.services import accounts, people
from apps.users.standing import codes, computing, running, telling
from apps.users.standing.publishing import Publisher
from tests.helpers.factors import give_app
from tests.helpers.standings import published

PASSWORD = "correct horse battery"
SOON_S = 5.0


def open_account(name: str = "alice", *, tier: int = 2) -> int:
    person = people.register(email=f"{name}@example.org", password=PASSWORD)
    give_app(person)
    return accounts.create_account(user_id=person, kyc_tier=tier).account


def on_cache(cache: redis.Redis, account: int) -> Standing | None:
    return telling.standing_in(cache.get(telling.key_of(account)))


def until(claim: Any) -> Any:
    ends_at = time.monotonic() + SOON_S
    while not (found := claim()):
        assert time.monotonic() < ends_at, "not so in time"
        time.sleep(0.01)
    return found


def forbidden_to(cache: redis.Redis, account: int, code: str) -> bool:
    standing = on_cache(cache, account)
    return standing is not None and code in standing.reasons


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("tier", "products", "allowance"),
    [
        (0, (), Allowance(0, 0)),
        (1, ("spot",), Allowance(1_000, 10_000)),
        (2, ("spot", "perpetual"), Allowance(50_000, 500_000)),
        (4, ("spot", "perpetual"), Allowance(None, None)),
    ],
)
def test_a_tier_says_what_may_be_traded_and_withdrawn(cache, tier, products, allowance):
    (standing,) = computing.read([open_account(tier=tier)])

    assert (standing.products, standing.allowance) == (products, allowance)
    assert standing.may_trade is standing.may_withdraw is (tier > 0)


@pytest.mark.django_db
def test_every_reason_is_told_and_only_the_end_of_the_account_forbids_to_cancel(cache):
    number = open_account(tier=0)
    accounts.set_frozen(number=number, frozen=True, reason="a test")

    (frozen,) = computing.read([number])
    assert frozen.reasons == (codes.FROZEN, codes.NOT_VERIFIED)
    assert (frozen.may_read, frozen.may_cancel) == (True, True)
    assert (frozen.may_trade, frozen.may_withdraw, frozen.may_deposit) == (False,) * 3

    account = TradingAccount.objects.select_related("user").get(pk=number)
    account.user.is_active = False
    closed = computing.standing_of(account)
    assert closed.reasons[0] == codes.CLOSED
    assert (closed.may_read, closed.may_cancel) == (False, False)


def test_only_a_closed_account_may_not_cancel_whatever_the_reasons():
    forbid = {code for code, acts in codes.FORBIDS.items() if codes.CANCEL in acts}

    assert forbid == {codes.CLOSED}


@pytest.mark.django_db
def test_a_log_in_is_told_what_the_publisher_tells_edges(cache):
    number = open_account()

    (published_standing,) = computing.read([number])

    assert selectors.standing_for_user(published_standing.user_id) == published_standing


@pytest.mark.usefixtures("transactional_db")
def test_a_change_is_on_the_cache_at_once_and_one_nobody_announced_a_little_later(cache):
    number = open_account()
    with published():
        assert on_cache(cache, number).may_trade

        accounts.set_frozen(number=number, frozen=True, reason="a test")
        until(lambda: forbidden_to(cache, number, codes.FROZEN))

        other = open_account("bob")
        until(lambda: on_cache(cache, other))

        TradingAccount.objects.filter(pk=other).update(kyc_tier=0)
    with published() as publisher:
        publisher.sweep()
        assert forbidden_to(cache, other, codes.NOT_VERIFIED)


@pytest.mark.usefixtures("transactional_db")
def test_a_cache_that_forgot_everything_is_written_anew_and_edges_are_told(cache):
    number = open_account()
    with published(), cache.pubsub(ignore_subscribe_messages=True) as ears:
        before = telling.decode_beat(cache.get(telling.BEAT))
        ears.subscribe(telling.CHANNEL)
        cache.flushall()

        until(lambda: on_cache(cache, number))

        heard = until(lambda: ears.get_message(timeout=1))
        told = telling.decode_message(heard["data"])
        assert isinstance(told, telling.Beat)
        assert told.life != before.life


@pytest.mark.usefixtures("transactional_db")
def test_beats_go_on_while_postgresql_is_away_with_the_last_answers(cache, monkeypatch):
    number = open_account()
    with published(beat_s=0) as publisher:

        def away(*_args: Any, **_options: Any) -> Any:
            raise OperationalError("away")

        monkeypatch.setattr(computing, "read", away)
        monkeypatch.setattr(running, "connection_that_listens", away)
        accounts.set_frozen(number=number, frozen=True, reason="a test")
        first = telling.decode_beat(cache.get(telling.BEAT)).at
        until(lambda: telling.decode_beat(cache.get(telling.BEAT)).at > first)
        assert on_cache(cache, number).may_trade  # As of the last word.

        monkeypatch.undo()
        until(lambda: forbidden_to(cache, number, codes.FROZEN))
        assert publisher.is_ready


@pytest.mark.django_db
def test_a_new_life_without_postgresql_goes_on_with_what_the_cache_holds(cache, monkeypatch):
    number = open_account()
    first = Publisher(cache, beat_s=5)
    first.read_all()
    first.mind()

    second = Publisher(cache, beat_s=5)
    second.mind()
    assert not second.is_ready, "who knows nothing says nothing"
    second.adopt()
    cache.flushall()
    second.mind()

    assert second.is_ready
    assert on_cache(cache, number).may_trade


@pytest.mark.django_db
def test_a_new_life_without_postgresql_and_with_an_empty_cache_keeps_silent(cache):
    publisher = Publisher(cache, beat_s=5)

    publisher.adopt()
    publisher.mind()

    assert cache.get(telling.BEAT) is None
    assert not publisher.is_ready


@pytest.mark.django_db
def test_what_edges_looked_for_in_vain_is_told(cache):
    number = open_account()
    publisher = Publisher(cache, beat_s=5)
    publisher.read_all()
    publisher.mind()
    cache.delete(telling.key_of(number))
    cache.sadd(telling.WANTED, str(number), "999999")

    publisher.mind()

    assert on_cache(cache, number).may_trade


@pytest.mark.django_db
def test_a_change_that_could_not_be_told_is_told_when_the_cache_is_back(cache):
    number = open_account()
    gone = redis.Redis(port=1, socket_connect_timeout=0.1)
    publisher = Publisher(cache, beat_s=5)
    publisher.read_all()
    publisher.mind()

    publisher._cache = gone
    accounts.set_frozen(number=number, frozen=True, reason="a test")
    publisher.take([number])
    publisher.mind()
    assert not publisher.is_ready
    publisher._cache = cache
    publisher.mind()

    assert forbidden_to(cache, number, codes.FROZEN)


@pytest.mark.usefixtures("transactional_db")
def test_a_change_is_heard_through_postgresql_whether_or_not_the_cache_answers(cache):
    number = open_account()
    where = connection.settings_dict
    with psycopg.connect(
        host=where["HOST"], port=where["PORT"], dbname=where["NAME"],
        user=where["USER"], password=where["PASSWORD"], autocommit=True,
    ) as ears:  # fmt: skip
        ears.execute("LISTEN standing")
        accounts.set_frozen(number=number, frozen=True, reason="a test")
        heard = [notice.payload for notice in ears.notifies(timeout=5, stop_after=1)]

    assert heard == [str(number)]


@pytest.mark.usefixtures("transactional_db")
def test_a_publisher_at_rest_costs_next_to_nothing(cache):
    for number in range(20):
        open_account(f"p{number}")
    with published() as publisher:
        publisher.sweep()
        began = time.thread_time()
        for _ in range(20):
            publisher.sweep()
        sweep_s = (time.thread_time() - began) / 20
        began = time.thread_time()
        for _ in range(100):
            publisher.mind()
        mind_s = (time.thread_time() - began) / 100
        assert threading.active_count() < 20
    share = sweep_s / running.SWEEP_S + mind_s
    print(f"sweep {sweep_s * 1e3:.1f} ms, minding {mind_s * 1e3:.2f} ms: {share:.2%} of a core")
    assert share < 0.01
