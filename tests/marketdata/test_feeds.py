"""Stream sockets over a real cache server: what is sent to a group reaches those who asked."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from channels.layers import get_channel_layer
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from apps.common.redis_clients import async_cache_client
from apps.marketdata import feeds, listen_keys, sockets, store
from apps.marketdata.groups import (
    CHANNELS_PREFIX,
    MARKET_EVENT,
    channel_of,
    market_group,
    message,
    user_group,
)
from apps.marketdata.hub import hub
from apps.marketdata.routing import websocket_urlpatterns
from apps.users import memory as users_memory
from apps.users import selectors
from apps.users.contracts import Changed, KeyGrant, Standing
from exchange_site.settings import CHANNEL_LAYERS

LISTEN_KEY, MAKER = "k" * 64, "alices-key-0123456789"
ALICE = KeyGrant(
    public_id=MAKER,
    secret=b"secret",
    standing=Standing(
        user_id=1,
        account=1025,
        partition=1,
        kyc_tier=2,
        vip_tier=0,
        may_read=True,
        may_trade=True,
        may_cancel=True,
    ),
)


@pytest.fixture(autouse=True)
async def memory(cache, monkeypatch):
    """One market, one listen key made by alice's API key, and no memory of other tests."""
    cache.sadd(store.SYMBOLS, "BTCUSDT")
    async with async_cache_client() as client:
        await listen_keys.make(client, LISTEN_KEY, account=1025, kind="key", maker=MAKER)
    feeds._Known.read_at = float("-inf")
    monkeypatch.setattr(selectors, "key_grant", {MAKER: ALICE}.get)
    known = users_memory.EdgeMemory()
    users_memory.put_to_use(known)
    yield known
    users_memory.put_to_use(None)
    await hub().close()
    await get_channel_layer().flush()


@asynccontextmanager
async def socket(path: str):
    communicator = WebsocketCommunicator(URLRouter(websocket_urlpatterns), path)
    connected, _ = await communicator.connect()
    assert connected
    try:
        yield communicator
    finally:
        await communicator.disconnect()


async def publish(group: str, text: str) -> int:
    async with async_cache_client() as client:
        return await client.publish(channel_of(group), message(MARKET_EVENT, group, text))


async def heard(communicator, group: str, text: str = '{"e":"x"}') -> str:
    """Send to a group once somebody listens to it, and return what the socket got."""
    for _ in range(100):
        if await publish(group, text):
            return await communicator.receive_from(timeout=2)
        await asyncio.sleep(0.01)
    raise AssertionError(f"nobody listens to {group}")


async def ask(communicator, **request) -> dict:
    await communicator.send_to(json.dumps(request))
    return json.loads(await communicator.receive_from(timeout=2))


async def test_our_bytes_are_what_the_layer_itself_receives(cache):
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add("market.BTCUSDT.trade", channel)

    await publish("market.BTCUSDT.trade", "{}")
    ours = await asyncio.wait_for(layer.receive(channel), 2)

    assert ours == {"type": "market.event", "group": "market.BTCUSDT.trade", "text": "{}"}
    assert CHANNEL_LAYERS["default"]["CONFIG"]["prefix"] == CHANNELS_PREFIX


async def test_the_address_names_a_stream_and_events_come_bare():
    async with socket("/ws/btcusdt@depth@100ms") as bob:
        assert await heard(bob, market_group("BTCUSDT", "depth100")) == '{"e":"x"}'


async def test_the_combined_socket_wraps_events_with_their_stream():
    async with socket("/stream?streams=btcusdt@trade/!time@1s") as bob:
        event = json.loads(await heard(bob, market_group("all", "time"), '{"E":1}'))
        assert event == {"stream": "!time@1s", "data": {"E": 1}}


async def test_a_numbered_socket_follows_what_it_subscribes():
    async with socket("/ws/7") as bob:
        assert await ask(
            bob, method="SUBSCRIBE", params=["btcusdt@trade", "btcusdt@kline_1m"], id=1
        ) == {"result": None, "id": 1}
        assert await heard(bob, market_group("BTCUSDT", "kline_1m")) == '{"e":"x"}'
        listed = await ask(bob, method="LIST_SUBSCRIPTIONS", id="two")
        assert listed == {"result": ["btcusdt@kline_1m", "btcusdt@trade"], "id": "two"}
        await ask(bob, method="UNSUBSCRIBE", params=["btcusdt@trade"], id=3)
        assert await publish(market_group("BTCUSDT", "trade"), "{}") == 0


async def test_two_sockets_of_one_stream_share_one_group():
    async with socket("/ws/btcusdt@trade") as bob, socket("/ws/btcusdt@trade") as carol:
        await heard(bob, market_group("BTCUSDT", "trade"))
        await asyncio.sleep(0.05)
        await publish(market_group("BTCUSDT", "trade"), "2")
        assert await bob.receive_from(timeout=2) == "2"
        assert "2" in {await carol.receive_from(timeout=2) for _ in range(2)}
    await asyncio.sleep(0.05)
    assert await publish(market_group("BTCUSDT", "trade"), "3") == 0


@pytest.mark.parametrize(
    "text",
    [
        *("{", "[]", "null", '"x"', "{}", '{"method":"SUBSCRIBE"}', "\x00", "[" * 20_000),
        '{"method":"SUBSCRIBE","params":[1],"id":1}',
        '{"method":7,"id":1}',
        '{"method":"SUBSCRIBE","params":["ethbtc@trade"],"id":1}',
        '{"method":"SUBSCRIBE","params":["btcusdt@nothing"],"id":1}',
        '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":{"a":1}}',
    ],
)
async def test_what_makes_no_sense_gets_an_error_frame_and_the_socket_lives(text):
    async with socket("/ws") as bob:
        await bob.send_to(text)
        answer = json.loads(await bob.receive_from(timeout=2))
        assert set(answer) == {"error", "id"}
        assert (await ask(bob, method="LIST_SUBSCRIPTIONS", id=9))["result"] == []


async def test_an_address_with_an_unknown_stream_is_told_so_and_closed():
    async with socket("/ws/btcusdt@magic") as bob:
        assert "unknown stream" in json.loads(await bob.receive_from(timeout=2))["msg"]
        assert (await bob.receive_output(timeout=2))["code"] == sockets.POLICY


async def test_a_listen_key_opens_its_owners_private_stream_and_no_other():
    async with socket(f"/ws/{LISTEN_KEY}") as alice:
        assert await heard(alice, user_group(1025)) == '{"e":"x"}'
    async with socket(f"/ws/{'z' * 64}") as mallory:
        assert "unknown listen key" in json.loads(await mallory.receive_from(timeout=2))["msg"]


async def test_a_listen_key_ends_with_the_api_key_that_made_it(memory):
    async with socket(f"/ws/{LISTEN_KEY}") as alice, socket(f"/ws/{LISTEN_KEY}") as both:
        await ask(both, method="SUBSCRIBE", params=["btcusdt@trade"], id=1)

        memory.take(Changed("key", MAKER, True))

        for one in (alice, both):
            assert json.loads(await one.receive_from(timeout=1))["e"] == "listenKeyExpired"
        assert (await alice.receive_output(timeout=1))["code"] == sockets.NOT_LOGGED_IN
        listed = await ask(both, method="LIST_SUBSCRIPTIONS", id=2)
        assert listed["result"] == ["btcusdt@trade"]
        assert await publish(user_group(1025), "{}") == 0
    async with socket(f"/ws/{LISTEN_KEY}") as late:
        assert "unknown listen key" in json.loads(await late.receive_from(timeout=2))["msg"]
    assert memory.watchers._of == {}


async def test_who_asks_too_fast_is_cut_off():
    async with socket("/ws") as mallory:
        for _ in range(sockets.BURST + 5):
            await mallory.send_to('{"method":"LIST_SUBSCRIPTIONS","id":1}')
        while (output := await mallory.receive_output(timeout=2))["type"] == "websocket.send":
            pass
        assert output["code"] == sockets.POLICY


async def test_who_does_not_read_is_cut_off_and_nobody_else_notices(monkeypatch):
    monkeypatch.setattr(sockets, "QUEUE_MAX", 5)
    sent, read_on = [], asyncio.Event()

    async def receive():
        if not sent:
            sent.append("connect")
            return {"type": "websocket.connect"}
        return await asyncio.Event().wait()  # Says nothing more.

    async def send(output):
        sent.append(output)
        if output["type"] == "websocket.send":
            await read_on.wait()

    scope = {"url_route": {"kwargs": {"names": "btcusdt@trade"}}}
    slow = asyncio.create_task(feeds.StreamSocket.as_asgi()(scope, receive, send))
    async with socket("/ws/btcusdt@trade") as bob:
        group = market_group("BTCUSDT", "trade")
        await heard(bob, group)
        await asyncio.sleep(0.1)
        assert len(hub()._groups[group]) == 2
        for number in range(10):
            await publish(group, str(number))
        assert [await bob.receive_from(timeout=2) for _ in range(10)] == list("0123456789")
        await asyncio.wait_for(slow, 3)
    assert sent[-1]["code"] == sockets.TOO_SLOW


async def test_a_socket_may_follow_so_many_streams_and_no_more(monkeypatch):
    monkeypatch.setattr(feeds, "STREAMS_MAX", 2)
    async with socket("/ws") as bob:
        names = ["btcusdt@trade", "btcusdt@depth", "btcusdt@ticker"]
        answer = await ask(bob, method="SUBSCRIBE", params=names, id=1)
        assert "at most 2" in answer["error"]["msg"]
        assert (await ask(bob, method="LIST_SUBSCRIPTIONS", id=2))["result"] == []


async def test_a_cache_that_drops_its_readers_is_joined_again(cache):
    async with socket("/ws/btcusdt@trade") as bob:
        await heard(bob, market_group("BTCUSDT", "trade"))
        cache.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        for _ in range(40):
            await asyncio.sleep(0.1)
            if await publish(market_group("BTCUSDT", "trade"), '"again"'):
                break
        assert await bob.receive_from(timeout=2) == '"again"'


async def test_a_peer_that_leaves_while_it_is_written_to_is_no_fault():
    told: list[str] = []
    never = asyncio.Event()

    async def receive():
        if told:
            await never.wait()
        return {"type": "websocket.connect"}

    async def send(event):
        if event["type"] == "websocket.send":  # As uvicorn does once the line is gone.
            raise RuntimeError("Unexpected ASGI message 'websocket.send'")
        told.append(event["type"])

    class Talker(sockets.Socket):
        async def begin(self):
            self.push("news")

    await asyncio.wait_for(Talker({"type": "websocket"}, receive, send).live(), 5)

    assert told == ["websocket.accept"]
