"""Cancel on disconnect: a stream holds the switches while it lives, and lets go of them with it."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import pytest
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator

from apps.marketdata.hub import hub
from apps.orders import disconnect, feeds
from apps.orders.dialect.refusals import DialectRefusal
from apps.orders.routing import websocket_urlpatterns
from apps.users.contracts import Standing
from matching_worker.contracts.from_book import CancelRefused
from matching_worker.contracts.to_book import CancelAfter

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


@pytest.fixture(autouse=True)
async def _quiet_after_it():
    yield
    await hub().close()


def signed(bot: Any) -> str:
    text = f"apiKey={bot.key}&timestamp={time.time_ns() // 1_000_000}"
    params = dict(pair.split("=") for pair in text.split("&"))
    params["signature"] = bot.signature(text)
    return json.dumps({"id": 1, "method": feeds.SUBSCRIBE, "params": params})


async def opened(bot: Any, query: str) -> tuple[WebsocketCommunicator, dict[str, Any]]:
    """Open a stream by an API key, and return it with the answer to its subscription."""
    stream = WebsocketCommunicator(URLRouter(websocket_urlpatterns), f"/ws-api/v3?{query}")
    assert (await stream.connect())[0]
    await stream.send_to(signed(bot))
    return stream, json.loads(await stream.receive_from())


def set_in(postbox: Any) -> list[tuple[str, int]]:
    return [
        (worker, command.delay_ns // 10**9)
        for worker, _, command in postbox.sent
        if isinstance(command, CancelAfter)
    ]


async def test_a_stream_sets_a_switch_in_each_market_it_names(alice, postbox):
    stream, answer = await opened(alice, "cancelOnDisconnect=10&symbols=BTCUSDT,ETHUSDT")

    assert answer["status"] == 200, answer
    assert sorted(set_in(postbox)) == [("book:BTC-USDT", 10), ("book:ETH-USDT", 10)]
    await stream.disconnect()


async def test_it_renews_them_while_it_lives_and_not_after(alice, postbox, monkeypatch):
    monkeypatch.setattr(disconnect, "RENEWALS", 60)  # Every 50 ms.
    stream, _ = await opened(alice, "cancelOnDisconnect=3&symbols=BTCUSDT")

    await asyncio.sleep(0.3)
    renewed = len(set_in(postbox))
    await stream.disconnect()
    let_go = len(set_in(postbox))
    await asyncio.sleep(0.2)

    assert renewed >= 3
    assert len(set_in(postbox)) == let_go
    assert all(seconds == 3 for _, seconds in set_in(postbox)), "it takes none back: it fires"


async def test_a_stream_that_asks_for_nothing_sets_nothing(alice, postbox):
    stream, answer = await opened(alice, "")

    assert answer["status"] == 200
    assert set_in(postbox) == []
    await stream.disconnect()


async def test_who_cannot_have_the_switch_is_not_subscribed_either(alice, postbox):
    postbox.says[CancelAfter] = lambda asked: CancelRefused(asked.request, 1, "undecided")

    stream, answer = await opened(alice, "cancelOnDisconnect=10&symbols=BTCUSDT")

    assert (answer["status"], answer["error"]["code"]) == (504, -1007)
    await stream.disconnect()


@pytest.mark.parametrize(
    ("query", "number"),
    [
        (b"cancelOnDisconnect=2", -1130),
        (b"cancelOnDisconnect=3601", -1130),
        (b"cancelOnDisconnect=", -1105),
        (b"cancelOnDisconnect=soon", -1100),
    ],
)
def test_a_delay_is_three_seconds_to_an_hour(query, number):
    with pytest.raises(DialectRefusal) as refused:
        disconnect.switch_of(query, ALICE)

    assert refused.value.number == number
