"""What a key may do binds at every door: requests, sign-in over WebSocket, listen keys, streams."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from datetime import timedelta
from urllib.parse import quote, urlencode

import aiohttp
import ccxt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone
from websockets.asyncio.client import connect

from apps.marketdata import sockets
from apps.users import signatures
from apps.users.contracts import KeyTerms
from apps.users.models import ApiKey
from apps.users.services import keys
from exchange_site.asgi import application
from tests.helpers.served import served
from tests.orders.conftest import in_thread
from tests.orders.dialect_cases import LIMIT
from tests.orders.test_endings import end_of, listen_key, refused_at
from tests.orders.test_private_feeds import subscription

ELSEWHERE = ("203.0.113.0/24",)  # Tests come from 127.0.0.1.
HERE = ("127.0.0.0/8", "::1/128")
TRADES = KeyTerms(can_trade=True)
PAIR = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PEM = PAIR.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
PUBLIC = base64.b64encode(PAIR.public_key().public_bytes_raw()).decode()
ETH = LIMIT | {"symbol": "ETHUSDT", "price": "3000.01"}
ORDER = {"symbol": "ETHUSDT", "origClientOrderId": "mine"}


@pytest.fixture
async def site(alice):
    async with served(application) as address:
        yield address


@pytest.fixture
async def http(site):
    async with aiohttp.ClientSession(f"http://{site}") as session:
        yield session


async def use(bot, *, public_key: str = "", **terms):
    """Let the bot use a fresh key of these terms."""
    made = await in_thread(
        keys.create_api_key, account=bot.account, public_key=public_key, terms=KeyTerms(**terms)
    )
    bot.key, bot.secret = made.public_id, made.secret


def ed25519_query(**params) -> str:
    text = urlencode({"timestamp": int(time.time() * 1000)} | params)
    return f"{text}&signature={quote(base64.b64encode(PAIR.sign(text.encode())), safe='')}"


# ── Ed25519 in the dialect ──────────────────────────────────────────────────────────────────────


async def test_an_order_signed_by_a_private_key_goes_out(alice, postbox):
    await use(alice, public_key=PUBLIC, can_trade=True)

    answer = await alice.send("POST", "order", ed25519_query(**LIMIT))
    repeat = await alice.send("POST", "order", ed25519_query(**LIMIT))

    assert answer.status_code == repeat.status_code == 200, answer.content
    assert len(postbox.orders) == 2


async def test_an_exact_repeat_of_an_ed25519_signature_names_the_same_order(alice, postbox):
    await use(alice, public_key=PUBLIC, can_trade=True)
    query = ed25519_query(**LIMIT)

    await alice.send("POST", "order", query)
    await alice.send("POST", "order", query)

    first, second = postbox.orders
    assert first.derived
    assert first.client_id == second.client_id


@pytest.mark.parametrize(
    "change",
    [
        lambda good: good.replace("quantity=0.5", "quantity=0.6"),
        lambda good: good.rpartition("signature=")[0] + "signature=" + "0" * 64,
        lambda good: (
            good.rpartition("signature=")[0] + "signature=" + quote("A" * 86 + "==", safe="")
        ),
        lambda good: good + "x",
    ],
)
async def test_what_the_private_key_did_not_sign_is_refused(alice, postbox, change):
    await use(alice, public_key=PUBLIC, can_trade=True)

    answer = await alice.send("POST", "order", change(ed25519_query(**LIMIT)))

    assert answer.json()["code"] == -1022
    assert postbox.sent == []


async def test_an_hmac_secret_of_the_public_half_opens_nothing(alice, postbox):
    await use(alice, public_key=PUBLIC, can_trade=True)
    alice.secret = PUBLIC  # What everybody may know, taken for a secret.

    answer = await alice.asks("POST", "order", **LIMIT)

    assert answer.json()["code"] == -1022


async def test_ccxt_trades_with_a_pem_as_its_secret(alice, postbox, site):
    await use(alice, public_key=PUBLIC, can_trade=True)
    client = ccxt.binance({"apiKey": alice.key, "secret": PEM, "enableRateLimit": False})
    client.options["fetchCurrencies"] = client.options["fetchMargins"] = False
    for name, url in client.urls["api"].items():
        if isinstance(url, str):
            client.urls["api"][name] = re.sub(r"^https://[^/]+", f"http://{site}", url)

    placed = await in_thread(client.create_order, "BTC/USDT", "limit", "buy", 0.5, 50_000.01)

    assert placed["id"]
    assert [order.lots for order in postbox.orders] == [50_000]


# ── Under /api/v1, signed with method and path ──────────────────────────────────────────────────


def v1(bot, query: str, **changes) -> dict:
    timestamp = str(int(time.time() * 1000))
    signed = signatures.v1_bytes(
        **(
            {
                "method": "POST",
                "path": AFTER,
                "query": query.encode(),
                "timestamp": timestamp,
                "window": "",
                "body": b"",
            }
            | changes
        )
    )
    return {
        "X-Fairbook-Key": bot.key,
        "X-Fairbook-Timestamp": timestamp,
        "X-Fairbook-Signature": base64.b64encode(PAIR.sign(signed)).decode(),
    }


AFTER = "/api/v1/cancelAllAfter"


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, 200), ({"method": "PUT"}, 400), ({"path": "/api/v1/orders/batch"}, 400)],
)
async def test_a_hot_door_of_v1_takes_signatures_over_method_and_path(
    alice, postbox, changes, status
):
    await use(alice, public_key=PUBLIC, can_trade=True)
    query = urlencode({"symbol": "BTCUSDT", "countdownTime": 0})

    answer = await alice.client.generic(
        "POST", f"{AFTER}?{query}", headers=v1(alice, query, **changes)
    )

    assert answer.status_code == status, answer.content
    assert status == 200 or answer.json()["code"] == -1022
    assert len(postbox.sent) == (status == 200)


# ── Scopes, markets, addresses ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("method", "path", "params"),
    [
        ("POST", "order", LIMIT),
        ("POST", "order/test", LIMIT),
        ("DELETE", "order", ORDER),
        ("DELETE", "openOrders", {"symbol": "ETHUSDT"}),
        ("PUT", "order/amend/keepPriority", ORDER | {"newQty": "0.1"}),
        (
            "POST",
            "order/cancelReplace",
            ETH | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrigClientOrderId": "mine"},
        ),
        ("POST", AFTER, {"symbol": "ETHUSDT", "countdownTime": "0"}),
    ],
)
async def test_a_key_that_only_reads_changes_nothing(alice, postbox, method, path, params):
    await use(alice)

    answer = await alice.asks(method, path, **params)

    assert (answer.status_code, answer.json()["code"]) == (401, -2015)
    assert postbox.sent == []


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("POST", "order", ETH, -2010),
        ("POST", "order/test", ETH, -2010),
        ("DELETE", "order", ORDER, -2011),
        ("DELETE", "openOrders", {"symbol": "ETHUSDT"}, -2011),
        ("PUT", "order/amend/keepPriority", ORDER | {"newQty": "0.1"}, -2011),
        (
            "POST",
            "order/cancelReplace",
            ETH | {"cancelReplaceMode": "ALLOW_FAILURE", "cancelOrigClientOrderId": "mine"},
            -2010,
        ),
        ("POST", AFTER, {"symbol": "ETHUSDT", "countdownTime": "0"}, -2011),
        (
            "DELETE",
            "/api/v1/orders/batch",
            {"symbol": "ETHUSDT", "orderIdList": json.dumps([1024])},
            -2011,
        ),
    ],
)
async def test_a_key_with_a_list_of_markets_is_refused_elsewhere(
    alice, postbox, method, path, params, code
):
    await use(alice, can_trade=True, markets=("BTC-USDT",))

    refused = await alice.asks(method, path, **params)

    assert refused.json() == {"code": code, "msg": "Symbol not whitelisted for API key."}
    assert postbox.sent == []
    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200


async def test_each_order_of_a_batch_is_held_to_the_list(alice, postbox):
    await use(alice, can_trade=True, markets=("BTC-USDT",))
    orders = json.dumps([LIMIT, ETH])

    said = (await alice.asks("POST", "/api/v1/orders/batch", batchOrders=orders)).json()

    assert [one.get("code") for one in said] == [None, -2010]
    assert [order.market for order in postbox.orders] == ["BTC-USDT"]


@pytest.mark.parametrize("path", ["order", "account", "openOrders", "allOrders"])
async def test_from_another_address_a_key_looks_like_none(alice, postbox, path):
    await use(alice, can_trade=True, networks=ELSEWHERE)
    method, params = ("POST", LIMIT) if path == "order" else ("GET", {"symbol": "BTCUSDT"})

    away = await alice.asks(method, path, **params)
    alice.key = "k" * 64
    unknown = await alice.asks(method, path, **params)

    assert (away.status_code, away.json()) == (unknown.status_code, unknown.json())
    assert away.json()["code"] == -2015
    assert postbox.sent == []


async def test_from_its_own_address_a_key_works_and_says_when_it_was_used(alice, edge):
    await use(alice, can_trade=True, networks=HERE)

    assert (await alice.asks("POST", "order", **LIMIT)).status_code == 200
    await asyncio.to_thread(edge.memory.uses.write_due)

    row = await ApiKey.objects.aget(public_id=alice.key)
    assert row.last_used_address == "127.0.0.1"
    assert timezone.now() - row.last_used_at < timedelta(seconds=30)


async def test_a_listen_key_is_made_and_renewed_only_from_the_keys_addresses(alice):
    await use(alice, networks=ELSEWHERE)
    header = {"X-MBX-APIKEY": alice.key}

    answer = await alice.client.post("/api/v3/userDataStream", headers=header)

    assert answer.json()["code"] == -2015


# ── Over WebSocket ──────────────────────────────────────────────────────────────────────────────


def ed25519_subscription(key: str) -> str:
    params = {"apiKey": key, "timestamp": int(time.time() * 1000)}
    signed = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    params["signature"] = base64.b64encode(PAIR.sign(signed.encode())).decode()
    method = "userDataStream.subscribe.signature"
    return json.dumps({"id": 1, "method": method, "params": params})


async def test_a_private_key_signs_in_over_websocket(alice, site):
    await use(alice, public_key=PUBLIC)
    async with connect(f"ws://{site}/ws-api/v3") as socket:
        await socket.send(ed25519_subscription(alice.key))
        assert '"status":200' in await socket.recv()


async def test_from_another_address_no_key_signs_in_over_websocket(alice, site):
    await use(alice, networks=ELSEWHERE)
    async with connect(f"ws://{site}/ws-api/v3") as socket:
        await socket.send(subscription(alice.key, alice.secret.encode()))
        assert json.loads(await socket.recv())["error"]["code"] == -2015


def _narrow(user_id: int, key: str) -> None:
    keys.change_api_key(user_id=user_id, public_id=key, networks=ELSEWHERE)


async def test_a_key_that_loses_an_address_loses_what_it_opened_from_there(alice, site, http):
    await use(alice, can_trade=True)
    header = {"X-MBX-APIKEY": alice.key}
    name = await listen_key(http, headers=header)

    async def order() -> int:
        async with http.post(
            f"/api/v3/order/test?{alice.query(**LIMIT)}", headers=header
        ) as answer:
            return answer.status

    async with (
        connect(f"ws://{site}/ws-api/v3") as signed,
        connect(f"ws://{site}/ws/{name}") as listening,
    ):
        await signed.send(subscription(alice.key, alice.secret.encode()))
        assert '"status":200' in await signed.recv()
        ends = [asyncio.create_task(end_of(one)) for one in (signed, listening)]
        began = time.monotonic()
        await in_thread(_narrow, alice.user_id, alice.key)
        (code, at, _), (other, later, _) = await asyncio.gather(*ends)
        took_s = max(at, later, await refused_at(order)) - began

    assert (code, other) == (sockets.NOT_LOGGED_IN, sockets.NOT_LOGGED_IN)
    assert took_s < 1.0


async def test_a_key_that_runs_out_ends_what_it_opened_without_being_told(alice, site, http):
    ends_at = timezone.now() + timedelta(seconds=1.5)
    await use(alice, can_trade=True, expires_at=ends_at)
    header = {"X-MBX-APIKEY": alice.key}
    name = await listen_key(http, headers=header)
    async with (
        connect(f"ws://{site}/ws-api/v3") as signed,
        connect(f"ws://{site}/ws/{name}") as listening,
    ):
        await signed.send(subscription(alice.key, alice.secret.encode()))
        assert '"status":200' in await signed.recv()
        said = await asyncio.wait_for(asyncio.gather(end_of(signed), end_of(listening)), 10)

    assert [code for code, _, _ in said] == [sockets.NOT_LOGGED_IN] * 2
    assert timezone.now() - ends_at < timedelta(seconds=1)
    assert (await alice.asks("POST", "order", **LIMIT)).json()["code"] == -2015
