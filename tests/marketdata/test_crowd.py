"""WebSockets are capped per address and per edge, before they are let in."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest
from channels.testing import WebsocketCommunicator
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from apps.marketdata import crowd
from tests.helpers.served import served


class Room:
    """An application that lets everybody in, and keeps them until they go."""

    def __init__(self) -> None:
        self.let_in = 0

    async def __call__(self, _scope, receive, send):
        self.let_in += 1
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass


@pytest.fixture
def room(monkeypatch):
    monkeypatch.setenv("FAIRBOOK_SOCKETS_PER_ADDRESS", "2")
    monkeypatch.setenv("FAIRBOOK_SOCKETS_PER_EDGE", "3")
    return Room()


async def refused(site: str) -> int:
    with pytest.raises(InvalidStatus) as refusal:
        await connect(f"ws://{site}/")
    assert refusal.value.response.headers["Retry-After"]
    return refusal.value.response.status_code


async def test_an_address_has_so_many_and_who_leaves_makes_room(room):
    capped = crowd.Crowd(room)
    async with served(capped) as site, AsyncExitStack() as opened:
        first, _ = [await opened.enter_async_context(connect(f"ws://{site}/")) for _ in range(2)]
        assert await refused(site) == 429
        assert room.let_in == 2

        await first.close()
        for _ in range(400):
            if capped._of.total() < 2:
                break
            await asyncio.sleep(0.005)

        await opened.enter_async_context(connect(f"ws://{site}/"))
        assert room.let_in == 3


def caller(app, address: str) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(app, "/")
    communicator.scope["client"] = [address, 1]
    return communicator


async def test_an_edge_has_so_many_in_all_and_a_server_without_words_closes_by_code(room):
    capped = crowd.Crowd(room)
    people = [caller(capped, f"10.0.0.{number}") for number in range(4)]

    answers = [await person.connect() for person in people]

    assert answers == [(True, None)] * 3 + [(False, crowd.TOO_MANY)]
    assert room.let_in == 3
    for person in people[:3]:
        await person.disconnect()
    assert capped._of == {}


async def test_a_whole_ipv6_network_counts_as_one_address(room):
    capped = crowd.Crowd(room)
    people = [caller(capped, f"2001:db8::{number}") for number in range(1, 4)]

    answers = [(await person.connect())[0] for person in people]

    assert answers == [True, True, False]
    for person in people[:2]:
        await person.disconnect()


async def test_a_handshake_that_fails_gives_its_place_back(room):
    async def broken(_scope, _receive, _send):
        raise OSError

    capped = crowd.Crowd(broken)
    for _ in range(5):
        with pytest.raises(OSError):  # noqa: PT011
            await capped({"client": ("10.0.0.1", 1)}, None, None)
    assert capped._of == {}
