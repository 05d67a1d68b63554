"""The whole site in this process, asked at every door by everybody.

The application is the one that servers serve, both ways through Django; behind it are real servers,
and a postbox in place of the engines' journals. What a request writes to PostgreSQL is undone.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from asgiref.sync import ThreadSensitiveContext, sync_to_async
from channels.layers import get_channel_layer
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, connections, transaction

from apps.marketdata import listen_keys
from apps.marketdata.hub import hub
from apps.orders import limits, runtime
from apps.orders.views import base
from apps.users.memory import KEY
from exchange_site.asgi import application
from tests.helpers.standings import published
from tests.orders.conftest import Postbox, in_thread
from tests.security import parts, sockets
from tests.security.doors import MODEL, all_models
from tests.security.table import Row, table
from tests.security.world import Caller, World

DIALECT = ("/api/v3/", "/sapi/")
ENDS_LOG_INS = (
    *("/api/v1/session", "/api/v1/session/passkey", "/admin/logout/", "/api/v1/account/password"),
    *("/api/v1/account/sessions", "/api/v1/account/factors/recovery-codes"),
    "/api/v1/account/factors/<str:kind>/<int:number>",
)
NO_LIMITS = limits.Limits(weight_1m=10**9, orders_10s=10**9)


@dataclass
class Answer:
    """What a door said to one caller."""

    status: int
    text: str
    headers: httpx.Headers
    sent: str
    commands: list[Any] = field(default_factory=list)
    """What left for the engines."""

    @property
    def cell(self) -> str:
        """The answer as the table writes it: a status, in the dialect with its code."""
        try:
            code = json.loads(self.text).get("code")
        except (ValueError, AttributeError):
            code = None
        return f"{self.status}{code}" if isinstance(code, int) and code < 0 else str(self.status)


class Site:
    """An edge in a loop of its own, and the people in front of it."""

    def __init__(self, journal: Any, cache: Any) -> None:
        self.world = World(journal, cache)
        self._runner = asyncio.Runner()
        self._stack = ExitStack()
        for signal in (request_started, request_finished):  # They end what is to be undone.
            signal.disconnect(close_old_connections)
            self._stack.callback(signal.connect, close_old_connections)
        self._stack.enter_context(published())
        self.postbox = Postbox()
        self._answers: dict[str, dict[str, list[Answer]]] = {}
        self.run(self._start())

    def run(self, act: Any) -> Any:
        """Do something in the site's loop."""
        return self._runner.run(act)

    async def _start(self) -> None:
        self.edge = runtime.Edge()
        await self.edge.mailbox.stop()
        self.edge.mailbox = self.postbox  # type: ignore[assignment]
        await self.edge.start()
        runtime._Process.edge = self.edge
        self.edge.gate._limits = base.gate()._limits = NO_LIMITS
        self._context = ThreadSensitiveContext()
        await self._context.__aenter__()

    def close(self) -> None:
        """Stop all of it."""
        self.run(self._stop())
        self._runner.close()
        self._stack.close()
        base.gate.cache_clear()
        connections.close_all()

    async def _stop(self) -> None:
        await runtime.close()
        await hub().close()
        await get_channel_layer().flush()
        await sync_to_async(connections.close_all)()
        await self._context.__aexit__(None, None, None)

    # -- asking

    def survey(self, row: Row) -> dict[str, set[str]]:
        """Ask at one door as everybody; return what each of them got (models: from each model)."""
        return {
            name: {answer.cell for answer in answers} for name, answers in self.answers(row).items()
        }

    def answers(self, row: Row, *, again: bool = False) -> dict[str, list[Answer]]:
        """Return what everybody was answered at a door; asked once, unless it is to be again."""
        found = self._answers.get(row.name)
        if found is None or again:
            found = {name: self.ask(row.name, self.world.callers[name]) for name in row.cells}
            self._answers[row.name] = found
        return found

    def ask(self, name: str, caller: Caller, **changed: Any) -> list[Answer]:
        """Send what a row sends; `changed` names replace Alice's. Undo what it wrote."""
        method, path = name.partition(" [")[0].split(" ", 1)
        self.postbox.sent.clear()
        if method == "WS":
            return [self.run(self._socket(name, path, caller))]
        answers = []
        for real in self._paths(path):
            request = self._request(name, method, real, caller, changed)
            answer: Answer = self.run(self._sent(request, caller))
            answer.commands = list(self.postbox.commands)
            answers.append(answer)
        if path in ENDS_LOG_INS:
            self.run(in_thread(caller.log_in))  # It must be committed: edges read by themselves.
        return answers

    def _paths(self, path: str) -> list[str]:
        if not path.startswith(MODEL):
            return [parts.PATHS.get(path, path)]
        shown = {name: model for name, model in all_models().items() if name in table().models}
        found = []
        for name, model in shown.items():
            row = model.objects.order_by("pk").first() if "<" in path else None
            page = path.replace(MODEL, f"/admin/{name}/")
            if "<" not in path or table().models[name]:
                found.append(page.replace("<path:object_id>", str(row.pk) if row else "1"))
        return found

    def _request(
        self, name: str, method: str, path: str, caller: Caller, changed: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what httpx sends."""
        names = self.world.names_for(caller) | {"listen_key": self._listen_key()} | changed
        path = parts.filled(path, names) if "{" in path else path
        query = parts.filled(parts.QUERIES.get(name, {}), names)
        body = parts.filled(parts.BODIES.get(name, {}), names)
        headers = {}
        if not caller.key:
            headers = {"Cookie": caller.cookies, "X-CSRFToken": caller.csrf_header}
        request: dict[str, Any] = {"method": method, "headers": headers}
        if name in parts.UPLOADS:
            request["data"] = parts.UPLOADS[name]
            request["files"] = {"file": ("paper.png", self.world.paper, "image/png")}
        elif method not in ("GET", "DELETE") and path.startswith("/admin/"):
            request["data"] = body
        elif method not in ("GET", "DELETE") and name not in parts.QUERIES:
            request["content"] = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        text = urlencode(query)
        if caller.key and path.startswith(DIALECT):
            text = caller.signed(query) if path.startswith(parts.SIGNED) else text
            headers["X-MBX-APIKEY"] = caller.key
        elif caller.key:
            headers |= caller.v1_headers(method, path, text, request.get("content", b""))
        request["url"] = f"{path}?{text}" if text else path
        return request

    def _listen_key(self) -> str:
        """Make a listen key of Alice's, as her key would."""
        name, alice = secrets.token_hex(32), self.world.callers["user"]
        maker = self.world.callers["read"].key.encode()
        made = listen_keys._encode(listen_keys.ListenKey(alice.account, KEY, maker))
        self.world.cache.set(listen_keys.kept_as(name), made, ex=60)
        return name

    def kept(self, request: dict[str, Any], caller: Any) -> Answer:
        """Send a request, and let it have its effects."""
        answer: Answer = self.run(self._plainly(request, caller))
        return answer

    async def _sent(self, request: dict[str, Any], caller: Caller) -> Answer:
        undo = await sync_to_async(_begin)()
        try:
            return await self._plainly(request, caller)
        finally:
            await sync_to_async(_undo)(undo)

    async def _plainly(self, request: dict[str, Any], caller: Any) -> Answer:
        transport = httpx.ASGITransport(
            app=application, client=(caller.address, 1), raise_app_exceptions=False
        )
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
            said = await http.request(**request)
        return Answer(said.status_code, said.text, said.headers, f"{request['url']}")

    async def _socket(self, name: str, path: str, caller: Caller) -> Answer:
        path = path.replace("<names>", self._listen_key() if "[" in name else "btcusdt@trade")
        said = await sockets.opened(application, path, caller)
        return Answer(
            int(said.partition("-")[0]),
            json.dumps({"code": sockets.code_of(said)}),
            httpx.Headers(),
            path,
        )


def _begin() -> Any:
    """Begin what is undone. It looks to Django like a test case's, which services may be in."""
    undo = transaction.atomic()
    undo._from_testcase = True
    undo.__enter__()
    return undo


def _undo(undo: Any) -> None:
    if connection.in_atomic_block:
        transaction.set_rollback(True)
    undo.__exit__(None, None, None)
