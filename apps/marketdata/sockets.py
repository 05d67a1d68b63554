"""A WebSocket of ours: a bounded queue out, limited messages in, no exception for a caller.

Plain ASGI, because a consumer per message and socket costs more than the message. Subclasses say
what a socket hears (`hear`) and with what it starts (`begin`).
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import msgspec

from apps.common import addresses, refusal_log
from apps.common.errors import Unavailable
from apps.marketdata.hub import hub
from apps.users import memory as users_memory
from apps.users.memory import EdgeMemory
from apps.users.watchers import Name, Watchers

QUEUE_MAX = 1_000  # Messages that wait for one reader.
QUEUE_BYTES_MAX = 4_000_000
MESSAGES_PER_S = 10  # What one socket may ask; the dialect allows 5.
BURST = 20
TEXT_MAX = 32_768
CLOSE_S = 1.0
ENDED_S = 0.1  # Looked at so long after its end, a log-in has surely ended.
WATCH_S = 30.0  # Changes are announced; this is the net for an announcement that was lost.

POLICY, TOO_BIG, NOT_LOGGED_IN, OTHER_ORIGIN, TOO_SLOW = 1008, 1009, 4001, 4003, 4008
REFUSED = (POLICY, TOO_BIG, NOT_LOGGED_IN, OTHER_ORIGIN)  # What the log hears of.

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

encode_json = msgspec.json.Encoder().encode


def remembered() -> EdgeMemory:
    """Return what this edge knows of keys and log-ins: what private streams live on."""
    memory = users_memory.in_use()
    if memory is None:
        raise Unavailable("Private streams")
    return memory


class Closed(Exception):
    """This socket is over: with this code, for this reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


class Socket:
    """One connection."""

    def __init__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self._queue: deque[str] = deque()
        self._queued_bytes = 0
        self._news = asyncio.Event()
        self._over: asyncio.Future[Closed] = asyncio.get_running_loop().create_future()
        self._allowance, self._allowed_at = float(BURST), time.monotonic()
        self._look = asyncio.Event()
        self._watchers: Watchers | None = None
        self.ends_at = float("inf")  # Unix seconds: when to look again at the latest.
        self.groups: dict[str, list[str]] = {}  # Group → the names it was asked for by.

    @classmethod
    def as_asgi(cls) -> Any:
        """Return the ASGI application that makes one of these per connection."""

        async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
            await cls(scope, receive, send).live()

        return application

    # -- what subclasses say

    async def begin(self) -> None:
        """Join what the address names, before the client hears that it is connected.

        What it reads from then on cannot miss an event. Raises `Closed` to refuse.
        """

    async def hear(self, text: str) -> None:
        """Take what the client said."""

    async def watch(self) -> None:
        """Look whether this client may still listen; to return is to allow it.

        At once when a name changes that it heeds, when `ends_at` has come, and now and then.
        """

    def frame(self, name: str, text: str) -> str:
        """Wrap an event of a group the way this client asked for."""
        return text

    # -- what goes out

    def say(self, message: Any) -> None:
        """Queue an answer."""
        self.push(encode_json(message).decode())

    def push(self, text: str) -> None:
        """Queue a text; a reader that is too far behind is cut off."""
        self._queue.append(text)
        self._queued_bytes += len(text)
        if len(self._queue) > QUEUE_MAX or self._queued_bytes > QUEUE_BYTES_MAX:
            self.end(Closed(TOO_SLOW, "too slow: connect again"))
        self._news.set()

    def offer(self, group: str, text: str) -> None:
        """Take an event from the hub."""
        for name in self.groups.get(group, ()):
            self.push(self.frame(name, text))

    def end(self, closed: Closed) -> None:
        """Close soon; the first reason counts."""
        if not self._over.done():
            self._over.set_result(closed)

    # -- what it lives on

    def heed(self, watchers: Watchers, *names: Name) -> None:
        """Look again as soon as one of these names is announced to have changed.

        And once now, if a name is new: what changed since it was asked about was not heard.
        """
        self._watchers = watchers
        if watchers.add(self.look_soon, *names):
            self.look_soon()

    def look_soon(self) -> None:
        """Watch now instead of later."""
        self._look.set()

    # -- groups

    async def follow(self, group: str, name: str) -> None:
        """Hear a group under a name."""
        names = self.groups.setdefault(group, [])
        if name in names:
            return
        names.append(name)
        await hub().join(group, self)

    async def unfollow(self, group: str, name: str) -> None:
        """Hear it under that name no more."""
        names = self.groups.get(group, [])
        if name in names:
            names.remove(name)
        if group in self.groups and not names:
            del self.groups[group]
            await hub().leave(group, self)

    # -- the life of a connection

    async def live(self) -> None:
        """Serve the connection to its end."""
        if (await self._receive())["type"] != "websocket.connect":
            return
        try:
            await self._begin()
            await self._send({"type": "websocket.accept"})
            if not self._over.done():
                await self._talk()
        finally:
            if self._watchers is not None:
                self._watchers.drop(self.look_soon)
            for group in list(self.groups):
                with contextlib.suppress(Exception):  # The cache may be away; we are leaving.
                    await hub().leave(group, self)
            self.groups.clear()
        if self._over.done():
            await self._close(self._over.result())

    async def _begin(self) -> None:
        try:
            await self.begin()
        except Closed as refused:  # It is let in all the same, so that it hears the reason.
            self.end(refused)

    async def _talk(self) -> None:
        """Read and write until one side is done."""
        lives = (self._read(), self._write(), self._watch())
        tasks = [asyncio.create_task(life) for life in lives]
        ends: list[asyncio.Future[Any]] = [*tasks, self._over]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Closed):
                self.end(fault)
            elif isinstance(fault, Exception) and not isinstance(fault, OSError):
                raise fault

    async def _close(self, closed: Closed) -> None:
        if closed.code in REFUSED:
            address = addresses.of_scope(self.scope)
            refusal_log.in_use.note("ws.socket.closed", code=str(closed.code), address=address)
        goodbye = {"type": "websocket.close", "code": closed.code, "reason": closed.reason}
        with contextlib.suppress(Exception):  # A peer that reads nothing hears no goodbye either.
            async with asyncio.timeout(CLOSE_S):
                while self._queue and closed.code != TOO_SLOW:
                    await self._send({"type": "websocket.send", "text": self._queue.popleft()})
                await self._send(goodbye)

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                return
            self._count()
            text = message.get("text")
            if text is None:
                text = (message.get("bytes") or b"").decode("utf-8", errors="replace")
            if len(text) > TEXT_MAX:
                raise Closed(TOO_BIG, "message too long")
            await self.hear(text)

    def _count(self) -> None:
        """Let so many messages pass a second, and a few at once."""
        now = time.monotonic()
        self._allowance += (now - self._allowed_at) * MESSAGES_PER_S
        self._allowance, self._allowed_at = min(self._allowance, BURST) - 1, now
        if self._allowance < 0:
            raise Closed(POLICY, "too many messages")

    async def _watch(self) -> NoReturn:
        while True:
            wait_s = min(WATCH_S, max(self.ends_at - time.time(), 0) + ENDED_S)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), wait_s)
            self._look.clear()
            self.ends_at = float("inf")  # Whoever looks says anew how long it may last.
            await self.watch()

    async def _write(self) -> NoReturn:
        while True:
            while self._queue:
                text = self._queue.popleft()
                self._queued_bytes -= len(text)
                try:
                    await self._send({"type": "websocket.send", "text": text})
                except RuntimeError as left:  # So a server says that the peer has; we have not yet.
                    raise ConnectionResetError("the peer has left") from left
            self._news.clear()
            await self._news.wait()
