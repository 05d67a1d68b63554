"""Private streams: only their owner opens them, by log-in or by a signature."""

import asyncio
import hashlib
import hmac
import json
import time
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.conf import settings

from apps.common.errors import Unavailable
from apps.common.redis_clients import async_cache_client
from apps.marketdata import sockets
from apps.marketdata.groups import USER_EVENT, channel_of, message, user_group
from apps.marketdata.hub import hub
from apps.orders import feeds, runtime
from apps.orders.gate import Gate
from apps.orders.routing import websocket_urlpatterns
from apps.users import memory as users_memory
from apps.users.contracts import KeyGrant, SessionGrant, Standing
from apps.users.key_uses import KeyUses
from apps.users.watchers import Watchers

ALICE = Standing(
    user_id=1,
    account=1025,
    partition=1,
    kyc_tier=2,
    vip_tier=0,
    may_read=True,
    may_trade=True,
    may_cancel=True,
)
KEY, SECRET = "alices-key-0123456789", b"alices secret"


class Memory:
    """What an edge remembers, without its database."""

    def __init__(self) -> None:
        self.sessions = {"alices-session": SessionGrant(standing=ALICE, expires_at=2e9)}
        self.keys = {KEY: KeyGrant(public_id=KEY, secret=SECRET, standing=ALICE)}
        self.is_away = False
        self.watchers, self.uses = Watchers(), KeyUses()

    async def session(self, name: str, *, admit=None):
        if self.is_away:
            raise Unavailable
        return self.sessions.get(name)

    async def key(self, name: str, *, admit=None):
        return self.keys.get(name)


@pytest.fixture(autouse=True)
async def memory(cache, monkeypatch):
    """An edge that knows alice."""
    memory = Memory()

    async def edge():
        return SimpleNamespace(gate=Gate(client))

    monkeypatch.setattr(runtime, "edge", edge)
    monkeypatch.setattr(users_memory, "in_use", lambda: memory)
    async with async_cache_client() as client:
        yield memory
    await hub().close()
    await get_channel_layer().flush()


def headers(*, session: str = "alices-session", origin: str = "http://us") -> list:
    cookie = f"{settings.SESSION_COOKIE_NAME}={session}; other=1"
    return [
        (b"host", b"us"),
        (b"origin", origin.encode()),
        (b"cookie", cookie.encode()),
    ]


@asynccontextmanager
async def socket(path: str, *more):
    communicator = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path, *more)
    connected, _ = await communicator.connect()
    assert connected
    try:
        yield communicator
    finally:
        await communicator.disconnect()


async def tell_alice(text: str) -> int:
    group = user_group(ALICE.account)
    async with async_cache_client() as client:
        return await client.publish(channel_of(group), message(USER_EVENT, group, text))


def subscription(key: str = KEY, secret: bytes = SECRET, **more) -> str:
    params = {"apiKey": key, "timestamp": time.time_ns() // 1_000_000, **more}
    signed = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
    signature = hmac.new(secret, signed.encode(), hashlib.sha256).hexdigest()
    request = {"id": "7", "method": feeds.SUBSCRIBE, "params": {**params, "signature": signature}}
    return json.dumps(request)


async def answer(communicator, text: str) -> dict:
    await communicator.send_to(text)
    return json.loads(await communicator.receive_from(timeout=2))


async def test_a_log_in_opens_its_own_stream_and_has_joined_before_it_is_connected():
    async with socket("/ws/user", headers()) as alice:
        joined = json.loads(await alice.receive_from(timeout=2))
        assert (joined["e"], joined["account"]) == ("joined", ALICE.account)
        assert await tell_alice('{"e":"executionReport"}') == 1
        assert await alice.receive_from(timeout=2) == '{"e":"executionReport"}'


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"session": "nobodys"}, sockets.NOT_LOGGED_IN),
        ({"session": ""}, sockets.NOT_LOGGED_IN),
        ({"origin": "http://evil.example"}, sockets.OTHER_ORIGIN),
        ({"origin": "null"}, sockets.OTHER_ORIGIN),
        ({"origin": ""}, sockets.OTHER_ORIGIN),
    ],
)
async def test_strangers_and_other_sites_are_turned_away(wrong, code):
    async with socket("/ws/user", headers(**wrong)) as mallory:
        assert (await mallory.receive_output(timeout=2))["code"] == code
        assert await tell_alice("{}") == 0


async def test_a_log_in_that_ended_closes_its_stream(memory, monkeypatch):
    monkeypatch.setattr(sockets, "WATCH_S", 0.05)
    async with socket("/ws/user", headers()) as alice:
        await alice.receive_from(timeout=2)
        memory.is_away = True  # While nobody can say, it stays open.
        await asyncio.sleep(0.2)
        assert await tell_alice("{}") == 1
        await alice.receive_from(timeout=2)
        memory.is_away = False
        memory.sessions.clear()
        assert (await alice.receive_output(timeout=2))["code"] == sockets.NOT_LOGGED_IN


async def test_a_signature_opens_the_stream_of_its_key():
    async with socket("/ws-api/v3") as alice:
        assert await answer(alice, subscription(recvWindow=5000)) == {
            "id": "7",
            "status": 200,
            "result": {"subscriptionId": 0},
        }
        assert await tell_alice('{"e":"x"}') == 1
        event = json.loads(await alice.receive_from(timeout=2))
        assert event == {"subscriptionId": 0, "event": {"e": "x"}}
        await answer(alice, '{"id":1,"method":"userDataStream.unsubscribe"}')
        assert await tell_alice('{"e":"x"}') == 0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        (subscription(secret=b"guessed"), -1022),
        (subscription(key="nobodys-key-0123456789"), -2015),
        (subscription(key="x"), -2014),
        (subscription(timestamp=1), -1021),
        ('{"id":1,"method":"userDataStream.subscribe.signature"}', -1102),
        ('{"id":1,"method":"userDataStream.subscribe.signature","params":[1]}', -1130),
        ('{"id":1,"method":"userDataStream.subscribe.signature","params":{"a":{}}}', -1130),
        ('{"id":1,"method":"order.place","params":{}}', -1020),
        ("{", -1100),
        ("[]", -1130),
    ],
)
async def test_what_is_not_signed_well_gets_the_dialects_number_and_no_stream(text, number):
    async with socket("/ws-api/v3") as mallory:
        said = await answer(mallory, text)
        assert said["status"] in {400, 401}
        assert said["error"]["code"] == number
        assert await tell_alice("{}") == 0
        assert (await answer(mallory, '{"id":2,"method":"ping"}'))["status"] == 200
