"""The hot doors: who comes in, what goes out, and what happens while a server is away."""

from __future__ import annotations

import asyncio
import time

import msgspec
from django.db import OperationalError

from apps.common.redis_clients import async_cache_client
from apps.journals.pressure import KEY as PRESSURE
from apps.ledger import lag
from apps.marketdata import store
from apps.orders import gate, limits
from apps.users import selectors as users_selectors
from apps.users.services import accounts, keys, people
from tests.orders.conftest import in_thread
from tests.orders.dialect_cases import LIMIT

SOON_S = 1.0


async def test_a_signed_order_goes_out_once_with_its_terms(alice, postbox):
    answer = await alice.asks("POST", "order", **LIMIT, newClientOrderId="mine-1")

    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert (body["clientOrderId"], body["engine"]) == ("mine-1", "risk:0")
    assert {"engineSeq", "journalHash", "orderId", "transactTime"} <= set(body)
    (worker, kind, order), *others = postbox.sent
    assert (worker, kind, others) == ("risk:0", "commands", [])
    assert (order.account, order.market, order.derived) == (alice.account, "BTC-USDT", False)
    assert (order.price_ticks, order.lots, order.response) == (5_000_001, 50_000, "FULL")
    assert answer["X-MBX-ORDER-COUNT-10S"] == "1"
    assert answer["X-MBX-USED-WEIGHT-1M"] == "1"


async def test_parameters_in_the_body_are_signed_too(alice, postbox):
    body = alice.query(**LIMIT)

    answer = await alice.send("POST", "order", "", body)

    assert answer.status_code == 200
    assert len(postbox.orders) == 1


async def test_an_exact_repeat_names_the_same_order_so_that_the_engine_knows_it(alice, postbox):
    query = alice.query(**LIMIT)

    await alice.send("POST", "order", query)
    await alice.send("POST", "order", query)

    first, second = postbox.orders
    assert first.derived
    assert first.client_id == second.client_id


async def test_a_test_order_is_checked_and_goes_nowhere(alice, postbox):
    good = await alice.asks("POST", "order/test", **LIMIT)
    bad = await alice.asks("POST", "order/test", **(LIMIT | {"price": "0.001"}))

    assert (good.status_code, good.json()) == (200, {})
    assert bad.json()["code"] == -1013
    assert postbox.sent == []


def _now(ahead_ms: int = 0) -> str:
    return str(int(time.time() * 1000) + ahead_ms)


async def _sent_as_it_stands(bot, change):
    """Send a good signed query after somebody changed it."""
    query, body, headers = change(bot.query(**LIMIT))
    return await bot.send("POST", "order", query, body, **headers)


CHANGED_ON_THE_WAY = {
    "altered query": lambda good: (good.replace("quantity=0.5", "quantity=0.6"), "", {}),
    "added to the body": lambda good: (good, "newOrderRespType=ACK", {}),
    "parameter twice": lambda good: (good, "quantity=0.6", {}),
    "no timestamp": lambda good: (good.replace("timestamp", "timestump"), "", {}),
    "no signature": lambda good: (good.partition("&signature")[0], "", {}),
    "two signatures": lambda good: (f"{good}&signature={'0' * 64}", "", {}),
    "unknown key": lambda good: (good, "", {"X-MBX-APIKEY": "k" * 64}),
    "malformed key": lambda good: (good, "", {"X-MBX-APIKEY": "no key"}),
}
SIGNED_WRONG = {
    "another endpoint's parameter": lambda: {"origClientOrderId": "x"},
    "stale": lambda: {"timestamp": _now(-5_500)},
    "from the future": lambda: {"timestamp": _now(1_500)},
    "window too long": lambda: {"recvWindow": "60001"},
}


async def _forged(bot, how: str):
    if how in CHANGED_ON_THE_WAY:
        return await _sent_as_it_stands(bot, CHANGED_ON_THE_WAY[how])
    if how in SIGNED_WRONG:
        return await bot.asks("POST", "order", **LIMIT, **SIGNED_WRONG[how]())
    if how == "no key":
        return await bot.client.post(f"/api/v3/order?{bot.query(**LIMIT)}")
    bot.secret = "x" * 64  # "signed with another secret"
    return await bot.asks("POST", "order", **LIMIT)


REFUSED_AS = {
    "altered query": (400, -1022),
    "added to the body": (400, -1022),
    "parameter twice": (400, -1101),
    "another endpoint's parameter": (400, -1104),
    "stale": (400, -1021),
    "from the future": (400, -1021),
    "window too long": (400, -1131),
    "no timestamp": (400, -1102),
    "no signature": (400, -1102),
    "two signatures": (400, -1101),
    "unknown key": (401, -2015),
    "no key": (401, -2014),
    "malformed key": (401, -2014),
    "signed with another secret": (400, -1022),
}


async def test_what_is_not_signed_as_it_stands_does_nothing(alice, postbox):
    answers = {how: await _forged(alice, how) for how in REFUSED_AS}

    told = {how: (answer.status_code, answer.json()["code"]) for how, answer in answers.items()}
    assert told == REFUSED_AS
    assert postbox.sent == []


GARBAGE = ["%", "a=%ff", "timestamp=&signature=", "=&=&=", "symbol=%00", "&" * 99, "é=1"]


async def test_garbage_is_the_clients_mistake(alice, postbox):
    for path in ("order", "order/test", "openOrders", "account", "ping", "userDataStream"):
        for method in ("GET", "POST", "DELETE", "PUT"):
            for query in GARBAGE:
                answer = await alice.send(method, path, query, "\x00%zz&&=")
                assert 400 <= answer.status_code < 500, (method, path, query)
                assert set(answer.json()) == {"code", "msg"}
    assert postbox.sent == []


async def test_a_key_that_may_only_look_places_and_cancels_nothing(alice, postbox):
    made = await in_thread(keys.create_api_key, account=alice.account, label="looks")
    alice.key, alice.secret = made.public_id, made.secret

    placed = await alice.asks("POST", "order", **LIMIT)
    canceled = await alice.asks("DELETE", "openOrders", symbol="BTCUSDT")
    tested = await alice.asks("POST", "order/test", **LIMIT)

    assert [one.json()["code"] for one in (placed, canceled, tested)] == [-2015] * 3
    assert postbox.sent == []


async def _until(claim, seconds: float = SOON_S) -> bool:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if await claim():
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_revoked_key_ends_at_once(alice, edge, postbox):
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200

    await in_thread(keys.revoke_api_key, user_id=alice.user_id, public_id=alice.key)

    async def refused() -> bool:
        return (await alice.asks("POST", "order/test", **LIMIT)).status_code == 401

    assert await _until(refused)


async def test_orders_go_on_from_memory_while_postgresql_is_away(alice, edge, postbox, monkeypatch):
    def away(*_args, **_kwargs):
        raise OperationalError("the server is away")

    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200
    monkeypatch.setattr(users_selectors, "key_grant", away)
    edge.memory._distrust_all()

    placed = await alice.asks("POST", "order", **LIMIT)
    alice.key = "n" * 64
    stranger = await alice.asks("POST", "order", **LIMIT)

    assert placed.status_code == 200
    assert stranger.status_code == 503
    assert stranger["Retry-After"]
    assert len(postbox.orders) == 2


async def test_orders_go_on_while_the_cache_is_away(alice, edge, postbox):
    nowhere = async_cache_client("redis://127.0.0.1:1/0", socket_timeout=0.1)
    edge.gate = gate.Gate(nowhere)

    answers = [await alice.asks("POST", "order", **LIMIT) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200] * 3
    assert answers[-1]["X-MBX-ORDER-COUNT-10S"] == "3"


async def test_new_orders_wait_while_the_journals_are_full_and_cancels_pass(
    alice, edge, postbox, cache
):
    cache.set(PRESSURE, msgspec.msgpack.encode({"refuse": True, "reason": "the disk is full"}))

    placed = await alice.asks("POST", "order", **LIMIT)
    canceled = await alice.asks("DELETE", "openOrders", symbol="BTCUSDT")

    assert (placed.status_code, placed.json()["code"]) == (503, -1016)
    assert placed["Retry-After"]
    assert canceled.json()["code"] == -2011
    assert [kind for _, kind, _ in postbox.sent] == ["cancels"]


async def test_new_orders_wait_when_nobody_watches_the_journals(alice, edge, postbox, cache):
    cache.delete(PRESSURE)
    edge.gate._heard_at = time.monotonic() - gate.SILENCE_MAX_S - 0.1

    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 503
    assert postbox.orders == []


async def test_new_orders_wait_while_settlement_is_behind(alice, edge, postbox, cache):
    lag.publish(cache, worker="risk:0", lag_s=30)

    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 503
    lag.publish(cache, worker="risk:0", lag_s=0.2)
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200


async def test_who_is_too_fast_is_told_when_to_come_again(alice, edge, postbox):
    edge.gate._limits = limits.Limits(weight_1m=100, orders_10s=2)

    answers = [await alice.asks("POST", "order", **LIMIT) for _ in range(3)]

    codes = [answer.status_code for answer in answers]
    assert codes in ([200, 200, 429], [200, 200, 200])  # All three, if ten seconds turned over.
    if codes[-1] == 429:
        assert answers[-1].json()["code"] == -1015
        assert 1 <= int(answers[-1]["Retry-After"]) <= 10
        assert len(postbox.orders) == 2


async def test_a_public_request_that_cannot_be_read_counts_like_any_other(alice, edge):
    edge.gate._limits = limits.Limits(weight_1m=3, orders_10s=100)

    answers = [await alice.client.get("/api/v3/ping?never=heard") for _ in range(8)]

    assert answers[0].status_code == 400
    assert answers[-1].status_code == 429
    assert int(answers[-1]["Retry-After"]) >= 1


async def test_strangers_use_up_their_addresss_weight_and_nobody_elses(alice, edge, postbox):
    edge.gate._limits = limits.Limits(weight_1m=3, orders_10s=100)
    stranger = [
        await alice.send("POST", "order", alice.query(**LIMIT), **{"X-MBX-APIKEY": "k" * 64})
        for _ in range(5)
    ]

    assert stranger[0].status_code == 401
    assert stranger[-1].status_code == 429
    spoofed = await alice.send(
        "GET", "ping", "", **{"X-Forwarded-For": "9.9.9.9", "X-MBX-APIKEY": alice.key}
    )
    assert spoofed.status_code in (429, 400)
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200


async def test_a_cancel_of_everything_is_done_once_per_signature(alice, edge, postbox):
    query = alice.query(symbol="BTCUSDT")

    first = await alice.send("DELETE", "openOrders", query)
    again = await alice.send("DELETE", "openOrders", query)

    assert first.json()["code"] == -2011
    assert again.json()["code"] == -1021
    assert len(postbox.sent) == 1


async def test_who_is_not_verified_places_no_order_but_may_cancel(alice, edge, postbox):
    user_id = await in_thread(people.register, email="dave@example.org", password="x" * 12)
    account = (await in_thread(accounts.create_account, user_id=user_id, kyc_tier=0)).account
    made = await in_thread(keys.create_api_key, account=account, can_trade=True)
    alice.key, alice.secret = made.public_id, made.secret

    placed = await alice.asks("POST", "order", **LIMIT)
    canceled = await alice.asks("DELETE", "openOrders", symbol="BTCUSDT")

    assert placed.json() == {
        "code": -2010,
        "msg": "This action is disabled on this account.",
        "data": {"reasons": ["not_verified", "factor_required"]},
    }
    assert canceled.json()["code"] == -2011
    assert postbox.orders == []


async def test_a_market_that_pauses_by_itself_is_no_longer_called_trading(alice, cache):
    async def status():
        told = (await alice.client.get("/api/v3/exchangeInfo?symbol=BTCUSDT")).json()
        return told["symbols"][0]["status"]

    assert await status() == "TRADING"  # Nobody has said more than the catalogue.

    cache.set(store.top_key("BTCUSDT"), store.encode(store.Top(1, 1, "cancel_only", *[0] * 6)))

    assert await status() == "BREAK"
