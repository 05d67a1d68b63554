"""One ear per process: joins a Channels group once, and hands its messages to the sockets.

A message is decoded once per process, not once per socket. A socket's own queue is bounded; who
does not read in time is cut off, and nobody else notices.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

import structlog
from channels.layers import get_channel_layer

log = structlog.get_logger(__name__)


class Listener(Protocol):
    """Somebody who wants a group's messages."""

    def offer(self, group: str, text: str) -> None:
        """Take a message now; never blocks."""


class Hub:
    """The groups that this process's sockets follow."""

    def __init__(self, layer: Any = None) -> None:
        self._layer = layer or get_channel_layer()
        self._groups: dict[str, set[Listener]] = {}
        self._channel = ""
        self._ear: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()

    async def join(self, group: str, listener: Listener) -> None:
        """Hear a group from now on. When this returns, nothing that is sent later is missed."""
        async with self._turn:
            if self._ear is None:
                self._channel = await self._layer.new_channel()
                self._ear = asyncio.create_task(self._listen())
            listeners = self._groups.setdefault(group, set())
            if not listeners:
                await self._layer.group_add(group, self._channel)
            listeners.add(listener)

    async def leave(self, group: str, listener: Listener) -> None:
        """Hear it no more. The last one to leave closes the group."""
        async with self._turn:
            listeners = self._groups.get(group)
            if listeners is None:
                return
            listeners.discard(listener)
            if not listeners:
                del self._groups[group]
                await self._layer.group_discard(group, self._channel)

    async def close(self) -> None:
        """Stop hearing."""
        if self._ear is not None:
            self._ear.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ear
            self._ear = None
        self._groups.clear()

    async def _listen(self) -> None:
        while True:
            message = await self._layer.receive(self._channel)
            try:
                group, text = message["group"], message["text"]
            except (TypeError, KeyError):
                log.warning("marketdata.hub.strange_message")
                continue
            for listener in tuple(self._groups.get(group, ())):
                listener.offer(group, text)


_hubs: dict[asyncio.AbstractEventLoop, Hub] = {}


def hub() -> Hub:
    """Return the hub of the running event loop."""
    loop = asyncio.get_running_loop()
    if loop not in _hubs:
        for other in [one for one in _hubs if one.is_closed()]:
            del _hubs[other]
        _hubs[loop] = Hub()
    return _hubs[loop]
