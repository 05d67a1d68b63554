"""An edge in this process, with real servers and a postbox in place of the engines' journals."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable
from contextlib import ExitStack
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
from apps.risk.contracts.commands import AmendOrder, PlaceExtra, PlaceOrder, PlacePair
from apps.risk.contracts.replies import AmendDone, OrderAck, OrderResult
from apps.users.services import accounts, keys, people
from matching_worker.contracts.from_book import AfterSet, CancelRefused
from matching_worker.contracts.to_book import CancelAfter
from tests.helpers.factors import give_app
from tests.helpers.standings import published

CALM = msgspec.msgpack.encode({"refuse": False, "reason": ""})
PASSWORD = "correct horse battery"


class Postbox:
    """Takes what an edge sends, and answers orders with an ack. No engine is behind it.

    A test may put answers of its own into `says`: by the type of command, a function of it.
    """

    def __init__(self) -> None:
        self.sent: list[tuple[str, str, Any]] = []
        self.says: dict[type, Callable[[Any], Any]] = {}
        self._requests = 0

    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    def next_request(self) -> int:
        self._requests += 1
        return self._requests

    async def ask(
        self, worker: str, kind: str, command: Any, *, request: int, timeout_s: float
    ) -> Answer:
        self.sent.append((worker, kind, command))
        say = self.says.get(type(command))
        reply = say(command) if say else self._reply(command, request)
        return Answer(msgspec.Raw(msgspec.msgpack.encode(reply)), worker, 1, bytes(32))

    def _reply(self, command: Any, request: int) -> Any:
        number, now_ns = 1024 * len(self.sent), time.time_ns()
        match command:
            case PlaceOrder():
                return OrderAck(request, number, command.client_id, 1, now_ns)
            case PlaceExtra():
                return OrderAck(request, number, command.order.client_id, 1, now_ns)
            case PlacePair():
                name = command.first.order.client_id
                return result(request, number, name, at_ns=now_ns)
            case AmendOrder():
                named = command.client_id or "named"
                return AmendDone(
                    request, number, named, command.lots, 0, 0, now_ns, "book:X", 1, bytes(32)
                )
            case CancelAfter():
                return AfterSet(request, 1, command.delay_ns and now_ns + command.delay_ns)
        return CancelRefused(request=request, seq=1, code="unknown_order")

    async def last_command_id(self, _worker: str) -> tuple[int, int]:
        return (0, 0)

    @property
    def commands(self) -> list[Any]:
        return [command for _, _, command in self.sent]

    @property
    def orders(self) -> list[PlaceOrder]:
        return [command for command in self.commands if isinstance(command, PlaceOrder)]


def result(
    request: int,
    number: int,
    name: str,
    *,
    at_ns: int = 1,
    ended: str | None = None,
    code: str = "",
) -> OrderResult:
    """A book's first word on an order that has no fills."""
    return OrderResult(
        *(request, number, name, at_ns, at_ns, 0, 0, ended, code, [], "book:BTC-USDT", 1, bytes(32))
    )


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
        address = path if path.startswith("/") else f"/api/v3/{path}"
        return await self.client.generic(
            method,
            f"{address}?{query}",
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
    user_id = people.register(email="alice@example.org", password=PASSWORD)
    give_app(user_id)
    account = accounts.create_account(user_id=user_id, kyc_tier=2).account
    key = keys.create_api_key(account=account, can_trade=True)
    return user_id, account, key.public_id, key.secret


def _list_markets(journal: Any) -> None:
    for spec in demo_markets.MARKETS:
        markets.list_market(spec, journal=journal)
        markets.set_state(spec.symbol, "trading", reason="test")


@pytest.fixture
def postbox() -> Postbox:
    return Postbox()


@pytest.fixture
async def edge(transactional_db, journal, cache, postbox):
    """Run an edge in this test's loop, with calm journals."""
    await in_thread(_list_markets, journal)
    cache.set(PRESSURE, CALM)
    stage = ExitStack()
    await asyncio.to_thread(stage.enter_context, published())
    running = runtime.Edge()
    await running.mailbox.stop()
    running.mailbox = postbox
    await running.start()
    runtime._Process.edge = running
    yield running
    await runtime.close()
    await asyncio.to_thread(stage.close)
    await sync_to_async(connections.close_all)()  # Those of the middleware's one thread.


@pytest.fixture
async def alice(edge) -> Bot:
    user_id, account, key, secret = await in_thread(_alice)
    client = AsyncClient()
    await client.get("/api/v3/ping")  # The first request imports the whole site.
    return Bot(client, user_id, account, key, secret)
