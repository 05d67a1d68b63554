"""An edge in this process, with real servers and a postbox in place of the engines' journals."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import msgspec
import pytest
from asgiref.sync import sync_to_async
from django.db import connections
from django.test import AsyncClient

from apps.journals.mailbox import Answer
from apps.journals.pressure import KEY as PRESSURE
from apps.markets import demo as demo_markets
from apps.markets import services as markets
from apps.orders import runtime
from apps.risk.contracts.commands import PlaceOrder
from apps.risk.contracts.replies import OrderAck
from apps.users import services as users
from matching_worker.contracts.from_book import CancelRefused

CALM = msgspec.msgpack.encode({"refuse": False, "reason": ""})
PASSWORD = "correct horse battery"


class Postbox:
    """Takes what an edge sends, and answers orders with an ack. No engine is behind it."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self._requests = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def next_request(self) -> int:
        self._requests += 1
        return self._requests

    async def ask(self, worker: str, kind: str, command: Any, *, timeout_s: float) -> Answer:
        self.sent.append((worker, kind, command))
        reply: Any = CancelRefused(request=command.request, seq=1, code="unknown_order")
        if isinstance(command, PlaceOrder):
            number = 1024 * len(self.sent)
            reply = OrderAck(command.request, number, command.client_id, 1, time.time_ns())
        return Answer(msgspec.Raw(msgspec.msgpack.encode(reply)), worker, 1, bytes(32))

    async def last_command_id(self, _worker: str) -> tuple[int, int]:
        return (0, 0)

    @property
    def orders(self) -> list[PlaceOrder]:
        return [command for _, _, command in self.sent if isinstance(command, PlaceOrder)]


@dataclass
class Bot:
    """A person's program: its key, and how it signs."""

    client: AsyncClient
    user_id: int
    account: int
    key: str
    secret: str

    def signature(self, *parts: str) -> str:
        return hmac.new(self.secret.encode(), "".join(parts).encode(), hashlib.sha256).hexdigest()

    def query(self, **params: Any) -> str:
        """Return signed parameters."""
        text = urlencode({"timestamp": int(time.time() * 1000)} | params)
        return f"{text}&signature={self.signature(text)}"

    async def send(self, method: str, path: str, query: str, body: str = "", **headers: str) -> Any:
        return await self.client.generic(
            method,
            f"/api/v3/{path}?{query}",
            body,
            content_type="application/x-www-form-urlencoded",
            headers={"X-MBX-APIKEY": self.key} | headers,
        )

    async def asks(self, method: str, path: str, **params: Any) -> Any:
        return await self.send(method, path, self.query(**params))


async def in_thread(act: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Do something with the database in a thread that leaves no connection behind."""

    def run() -> Any:
        try:
            return act(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(run)


def _alice() -> tuple[int, int, str, str]:
    user_id = users.register(email="alice@example.org", password=PASSWORD)
    account = users.create_account(user_id=user_id, kyc_tier=2).account
    key = users.create_api_key(account=account, can_trade=True)
    return user_id, account, key.public_id, key.secret


def _list_markets(journal: Any) -> None:
    for spec in demo_markets.MARKETS:
        markets.list_market(spec, journal=journal)
        markets.set_state(spec.symbol, "trading", reason="test")


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def edge(transactional_db, django_db_serialized_rollback, journal, cache, postbox):
    """Run an edge in this test's loop, with calm journals."""
    await in_thread(_list_markets, journal)
    cache.set(PRESSURE, CALM)
    running = runtime.Edge()
    await running.mailbox.stop()
    running.mailbox = postbox
    await running.start()
    runtime._Process.edge = running
    yield running
    await runtime.close()
    await sync_to_async(connections.close_all)()  # Those of the middleware's one thread.


@pytest.fixture
async def alice(edge) -> Bot:
    user_id, account, key, secret = await in_thread(_alice)
    client = AsyncClient()
    await client.get("/api/v3/ping")  # The first request imports the whole site.
    return Bot(client, user_id, account, key, secret)
