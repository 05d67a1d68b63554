"""What an edge makes of standings: who may place, while what is alive."""

from __future__ import annotations

import asyncio
import time

import pytest

from apps.users import selectors
from apps.users.models import TradingAccount
from apps.users.services import accounts, announcing, keys
from apps.users.standing import telling
from tests.orders.conftest import in_thread
from tests.orders.dialect_cases import LIMIT

TRIALS = 60
SOON_S = 1.0


async def until(claim, *, seconds: float = 5) -> None:
    ends_at = time.monotonic() + seconds
    while not await claim():
        assert time.monotonic() < ends_at, f"not so within {seconds} s"
        await asyncio.sleep(0.005)


def waits(answer) -> bool:
    return (answer.status_code, answer.json()["code"]) == (503, -1016)


async def test_a_frozen_account_is_refused_within_a_second_and_let_in_again(alice):
    took = []
    for _ in range(TRIALS):

        async def is_refused() -> bool:
            answer = await alice.asks("POST", "order/test", **LIMIT)
            return answer.status_code != 200

        async def is_taken() -> bool:
            return not await is_refused()

        await in_thread(accounts.set_frozen, number=alice.account, frozen=True, reason="test")
        began = time.monotonic()
        await until(is_refused)
        took.append(time.monotonic() - began)
        await in_thread(accounts.set_frozen, number=alice.account, frozen=False, reason="test")
        await until(is_taken)
    took.sort()
    print(f"frozen: p50 {took[len(took) // 2]:.3f} s, most {took[-1]:.3f} s of {TRIALS}")
    assert took[-1] < SOON_S


async def test_a_freeze_is_heard_though_its_announcement_to_edges_was_lost(alice, monkeypatch):
    monkeypatch.setattr(announcing, "_announce", lambda _change: None)
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200

    await in_thread(accounts.set_frozen, number=alice.account, frozen=True, reason="test")

    async def is_refused() -> bool:
        answer = await alice.asks("POST", "order", **LIMIT)
        return answer.json().get("data") == {"reasons": ["frozen"]}

    await until(is_refused)


async def test_without_a_beat_new_orders_wait_and_cancels_pass(alice, edge, postbox):
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200
    edge.standings._beat_at -= 61

    placed = await alice.asks("POST", "order", **LIMIT)
    canceled = await alice.asks("DELETE", "openOrders", symbol="BTCUSDT")
    account = await alice.asks("GET", "account")

    assert waits(placed)
    assert placed["Retry-After"] == "2"
    assert "Cancels pass" in placed.json()["msg"]
    assert canceled.json()["code"] == -2011  # It went to the book, which had nothing to cancel.
    assert len(postbox.orders) == 1
    assert account.status_code != 401


async def test_a_beat_ends_the_wait(alice, edge, cache):
    edge.standings._beat_at = float("-inf")
    assert waits(await alice.asks("POST", "order", **LIMIT))

    async def is_taken() -> bool:
        return (await alice.asks("POST", "order/test", **LIMIT)).status_code == 200

    await until(is_taken, seconds=8)


async def test_an_account_of_which_nothing_is_known_waits_until_something_is(alice, edge, cache):
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200
    known = cache.getdel(telling.key_of(alice.account))
    edge.standings._known.clear()  # Forgotten by the edge and by the cache alike.

    async def is_taken() -> bool:
        return (await alice.asks("POST", "order/test", **LIMIT)).status_code == 200

    await until(is_taken)  # The publisher was asked for it.
    assert cache.get(telling.key_of(alice.account)) == known


async def test_while_postgresql_is_away_known_accounts_trade(alice, monkeypatch):
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200

    def away(*_args: object, **_options: object) -> object:
        raise AssertionError("nobody asks PostgreSQL on the way of an order")

    monkeypatch.setattr(selectors, "key_grant", away)
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200


async def test_while_the_cache_is_away_known_accounts_trade(alice, edge):
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200
    await edge.standings._cache.connection_pool.disconnect()

    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200


async def test_a_key_that_may_not_trade_may_not_though_its_account_may(alice):
    made = await in_thread(keys.create_api_key, account=alice.account, can_trade=False)
    alice.key, alice.secret = made.public_id, made.secret

    placed = await alice.asks("POST", "order", **LIMIT)

    assert placed.json()["code"] == -2015


async def test_an_edge_that_missed_a_message_reads_everything_again(alice, edge, monkeypatch):
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200
    monkeypatch.setattr(announcing, "_announce", lambda _change: None)
    deaf = edge.standings._take
    monkeypatch.setattr(edge.standings, "_take", lambda _standings: None)
    heard = edge.standings._heard
    await in_thread(accounts.set_frozen, number=alice.account, frozen=True, reason="test")

    async def was_told() -> bool:
        return edge.standings._heard != heard

    await until(was_told)
    monkeypatch.setattr(edge.standings, "_take", deaf)
    edge.standings._heard = heard  # As if that message had been lost on the way.

    async def is_refused() -> bool:
        return (await alice.asks("POST", "order/test", **LIMIT)).status_code != 200

    await until(is_refused, seconds=8)  # With the next beat at the latest.


@pytest.mark.parametrize("tier", [0, 1])
async def test_what_a_new_tier_allows_is_allowed_at_once(alice, edge, tier):
    def set_tier() -> None:
        TradingAccount.objects.filter(pk=alice.account).update(kyc_tier=tier)
        announcing.changed("account", str(alice.account))

    await in_thread(set_tier)

    async def is_so() -> bool:
        answer = await alice.asks("POST", "order/test", **LIMIT)
        return (answer.status_code == 200) is (tier > 0)

    await until(is_so)
