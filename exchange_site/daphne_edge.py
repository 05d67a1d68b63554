"""Daphne as our edges need it: what uvicorn does by itself, said in Twisted's words.

Startups before the first request and shutdowns after the last one (Daphne has no lifespan
protocol), bodies that end where ours may, sockets that make their writer wait, every close code.
"""

from __future__ import annotations

import asyncio
import sys
from io import BytesIO
from typing import Any

import uvloop

uvloop.install()  # Before Daphne makes the loop of its reactor, at import.

from daphne.endpoints import build_endpoint_description_strings  # noqa: E402
from daphne.http_protocol import HTTPFactory, WebRequest  # noqa: E402
from daphne.server import Server  # noqa: E402
from daphne.ws_protocol import WebSocketProtocol  # noqa: E402
from structlog import get_logger  # noqa: E402
from twisted.internet import defer, reactor  # noqa: E402

from apps.common.bodies import body_bytes_max  # noqa: E402
from exchange_site.asgi import application, lifespan  # noqa: E402

GRACE_S = 3
PING_S = 20
MESSAGE_MAX = 64 * 1024
TOO_LONG = b"HTTP/1.1 413 Payload Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"

log = get_logger("fairbook.edge")


class BoundedRequest(WebRequest):  # type: ignore[misc]
    """A request whose body ends where ours may, and stays in memory: Twisted writes it to disk."""

    _came = 0

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name.
        """Begin to take a body: papers that people send are never on a disk in the clear."""
        self.content = BytesIO()

    def _bytes_max(self) -> int:
        """Look at the address in the request's first line: the rest is read after the body."""
        line = getattr(self.channel, "_path", b"")
        return body_bytes_max(line.partition(b"?")[0].decode("latin1"))

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name.
        """Take a part of the body, or hang up with a 413."""
        self._came += len(data)
        if self._came <= self._bytes_max():
            super().handleContentChunk(data)
        else:
            self.channel.transport.write(TOO_LONG)
            self.channel.loseConnection()


class BoundedFactory(HTTPFactory):  # type: ignore[misc]
    """Makes bounded requests."""

    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802 - Twisted's name.
        """Return the protocol of one connection."""
        protocol = super().buildProtocol(addr)
        protocol.requestFactory = BoundedRequest
        return protocol


class Socket(WebSocketProtocol):  # type: ignore[misc]
    """A WebSocket whose writer waits while its reader does not read. Its own push producer."""

    def __init__(self) -> None:
        super().__init__()
        self.may_write = asyncio.Event()
        self.may_write.set()

    def onOpen(self) -> None:  # noqa: N802 - Autobahn's name.
        """Begin to hear from the transport how full it is."""
        self.transport.unregisterProducer()  # What it was, while it spoke HTTP.
        self.transport.registerProducer(self, True)
        super().onOpen()

    def pauseProducing(self) -> None:  # noqa: N802 - Twisted's name.
        """Hear that nothing more fits."""
        self.may_write.clear()

    def resumeProducing(self) -> None:  # noqa: N802 - Twisted's name.
        """Hear that there is room again."""
        self.may_write.set()

    def stopProducing(self) -> None:  # noqa: N802 - Twisted's name.
        """Hear that the connection is gone: nobody waits for it."""
        self.may_write.set()

    def handle_reply(self, message: dict[str, Any]) -> None:
        """Close with the code and reason that were asked for: Autobahn would take few of them."""
        if message["type"] == "websocket.close" and self.state != self.STATE_CONNECTING:
            reason = (message.get("reason") or "").encode()
            self.sendCloseFrame(code=message.get("code", 1000), reasonUtf8=reason)
        else:
            super().handle_reply(message)


class EdgeServer(Server):  # type: ignore[misc]
    """Daphne's server with a beginning and an end."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, ready_callable=self._when_ready, **kwargs)
        self.failed = False
        self._ports: list[Any] = []
        self._starting: asyncio.Future[None] | None = None

    def _when_ready(self) -> None:
        self.http_factory.buildProtocol = BoundedFactory(self).buildProtocol
        self.ws_factory.protocol = Socket
        reactor.callWhenRunning(self._start)  # type: ignore[attr-defined]

    def _start(self) -> None:
        """Run the startups; a request that comes before they are done waits for them."""
        self._starting = asyncio.ensure_future(lifespan.ensure_started())
        self._starting.add_done_callback(self._started)

    def _started(self, starting: asyncio.Future[None]) -> None:
        if not starting.cancelled() and (error := starting.exception()) is not None:
            log.critical("edge.start.failed", exc_info=error)
            self._fail()

    def listen_success(self, port: Any) -> None:
        """Note what to close at the end."""
        super().listen_success(port)
        self._ports.append(port)

    def listen_error(self, failure: Any) -> None:
        """Say that it could not listen, also by the process's exit code."""
        super().listen_error(failure)
        self.failed = True

    def _fail(self) -> None:
        self.failed = True
        self.stop()

    def create_application(self, protocol: Any, scope: dict[str, Any]) -> Any:
        """Serve a connection at our root, whatever root its `Daphne-Root-Path` header names."""
        return super().create_application(protocol, scope | {"root_path": self.root_path})

    async def handle_reply(self, protocol: Any, message: dict[str, Any]) -> None:
        """Pass a message on; who writes to a full socket waits here."""
        await super().handle_reply(protocol, message)
        if message["type"] == "websocket.send":
            await protocol.may_write.wait()

    def kill_all_applications(self) -> Any:
        """End in order; the reactor waits for it."""
        return defer.Deferred.fromFuture(asyncio.ensure_future(self._end()))

    async def _end(self) -> None:
        """Take nothing new, answer what was asked, close the rest, run the shutdowns."""
        for port in self._ports:
            port.stopListening()
        running = {
            protocol: details["application_instance"]
            for protocol, details in self.connections.items()
            if "application_instance" in details
        }
        asked = [task for protocol, task in running.items() if isinstance(protocol, WebRequest)]
        if asked:
            await asyncio.wait(asked, timeout=GRACE_S)
        for protocol, task in running.items():
            if isinstance(protocol, Socket) and protocol.state == Socket.STATE_OPEN:
                protocol.sendCloseFrame(code=1012)
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        await lifespan.stop()


def serve(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    server = EdgeServer(
        application=application,
        endpoints=build_endpoint_description_strings(host=host, port=port),
        action_logger=None,
        server_name="",
        ping_interval=PING_S,
        ping_timeout=PING_S,
        websocket_max_message_size=MESSAGE_MAX,
        websocket_max_frame_size=MESSAGE_MAX,
        application_close_timeout=GRACE_S,
    )
    server.run()
    if server.failed or server.abort_start:
        sys.exit(1)
