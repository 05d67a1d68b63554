"""A key that is revoked at one edge ends at every other, within a second."""

from __future__ import annotations

import asyncio
import contextlib
import time

import aiohttp
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from tests.helpers.dialect_client import Keys, signed_path
from tests.helpers.factors import phone
from tests.orders.test_private_feeds import subscription

pytestmark = pytest.mark.stack

TRIALS = 100
NOT_LOGGED_IN = 4001


class Person:
    """Alice in her browser, logged in at the first edge."""

    def __init__(self, stack) -> None:
        self.http = aiohttp.ClientSession(stack.url, cookie_jar=aiohttp.CookieJar(unsafe=True))
        self.url, self.alice = stack.url, stack.demo["alice"]

    async def _says(self, method: str, path: str, **body: object) -> dict:
        jar = {cookie.key: cookie.value for cookie in self.http.cookie_jar}
        headers = {"X-CSRFToken": jar.get("csrftoken", ""), "Referer": self.url}
        async with self.http.request(method, path, json=body, headers=headers) as answer:
            assert answer.status < 300 or method == "GET", await answer.text()
            return await answer.json() if answer.status != 204 else {}

    async def logs_in(self) -> None:
        await self._says("GET", "/api/v1/session")
        password, secret = self.alice["password"], self.alice["totp_secret"]
        await self._says("POST", "/api/v1/session", login="alice", password=password)
        code = await asyncio.to_thread(phone.code, secret)
        await self._says("POST", "/api/v1/session/factor", code=code)

    async def makes_a_key(self) -> Keys:
        made = await self._says("POST", "/api/v1/account/keys", kind="hmac", can_trade=True)
        return Keys(made["public_id"], made["secret"])

    async def revokes(self, keys: Keys) -> None:
        await self._says("DELETE", f"/api/v1/account/keys/{keys.api_key}")


async def _closed_at(socket) -> float:
    with contextlib.suppress(ConnectionClosed):
        while True:
            await socket.recv()
    at = time.monotonic()
    assert socket.close_code == NOT_LOGGED_IN
    return at


async def _refused_at(http, keys: Keys) -> float:
    header = {"X-MBX-APIKEY": keys.api_key}
    for _ in range(1_000):
        async with http.get(signed_path(keys, "/api/v3/openOrders", {}), headers=header) as answer:
            if answer.status == 401:
                return time.monotonic()
            assert answer.status == 200
        await asyncio.sleep(0.002)
    raise AssertionError("it was never refused")


async def _trial(alice: Person, edges: list[aiohttp.ClientSession], urls: list[str]) -> float:
    keys = await alice.makes_a_key()
    sockets = []
    for http, url in zip(edges, urls, strict=True):
        async with http.post(
            "/api/v3/userDataStream", headers={"X-MBX-APIKEY": keys.api_key}
        ) as answer:
            name = (await answer.json())["listenKey"]
        site = url.replace("http", "ws", 1)
        sockets += [await connect(f"{site}/ws/{name}"), await connect(f"{site}/ws-api/v3")]
        await sockets[-1].send(subscription(keys.api_key, keys.api_secret.encode()))
        assert '"status":200' in await sockets[-1].recv()
    ends = [asyncio.create_task(_closed_at(socket)) for socket in sockets]
    began = time.monotonic()
    await alice.revokes(keys)
    closed = await asyncio.gather(*ends, *(_refused_at(http, keys) for http in edges))
    return max(closed) - began


async def test_a_key_revoked_at_one_edge_ends_at_both(stack):
    urls = [stack.edge_url(number) for number in (1, 2)]
    alice, edges = Person(stack), [aiohttp.ClientSession(url) for url in urls]
    try:
        await alice.logs_in()
        took = sorted([await _trial(alice, edges, urls) for _ in range(TRIALS)])
    finally:
        for session in (alice.http, *edges):
            await session.close()

    p99 = took[int(TRIALS * 0.99) - 1]
    print(f"revoked at both: p50 {took[TRIALS // 2]:.3f} s, p99 {p99:.3f} s, most {took[-1]:.3f} s")
    assert p99 < 1
