"""Redis clients for the hot path: the library's commands, without what it does around each one.

A pool, a retry policy and telemetry around every command cost several times what the command
costs. Both clients here are the library's own, with one method replaced.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

import hiredis
import redis
import redis.asyncio


class LeanClient(redis.Redis):
    """One thread, one connection: a command costs no pool, no retry and no telemetry around it.

    For an owner, whose every batch is two commands: a quarter less CPU per small batch. After an
    error the connection is dropped, and the next command makes a new one.
    """

    _line: Any = None

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its parsed answer; errors are those of any client."""
        options.pop("keys", None)  # For caches on the client's side, which we have none of.
        if self._line is None:
            self._line = self.connection_pool.make_connection()
        try:
            self._line.send_command(*args)
            return self.parse_response(self._line, args[0], **options)
        except redis.ResponseError:
            raise  # The answer was read whole.
        except BaseException:
            self._line.disconnect()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            self._line.disconnect()
        super().close()


class Line(asyncio.Protocol):
    """A connection with many commands on their way at a time: answers come in their order."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection  # It closes what it made when nobody knows it any more.
        self._reader = hiredis.Reader(replyError=connection._parser.parse_error)  # noqa: SLF001
        self._transport = connection._writer.transport  # noqa: SLF001
        self._transport.set_protocol(self)
        self._waiting: deque[asyncio.Future[Any]] = deque()
        self._error: Exception | None = None

    @property
    def is_open(self) -> bool:
        """Whether commands can be sent."""
        return self._error is None

    def send(self, *args: Any) -> asyncio.Future[Any]:
        """Send a command; its answer comes as the future's result, an error reply as that too."""
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._error is not None:
            answer.set_exception(self._error)
            return answer
        self._waiting.append(answer)
        self._transport.write(hiredis.pack_command((*args[0].split(), *args[1:])))
        return answer

    def data_received(self, data: bytes) -> None:
        """Give out the answers that are whole."""
        self._reader.feed(data)
        try:
            while (answer := self._reader.gets()) is not False:
                if isinstance(answer, hiredis.PushNotification):
                    continue
                waiting = self._waiting.popleft()
                if not waiting.done():  # Else its sender has gone.
                    waiting.set_result(answer)
        except (hiredis.ProtocolError, IndexError) as error:
            self.drop(redis.ConnectionError(f"not understood: {error}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell all who wait that no answer will come."""
        self.drop(redis.ConnectionError(str(exc or "the server closed the connection")))

    def drop(self, error: Exception) -> None:
        """Close at once: what was sent may be done or not."""
        if self._error is None:
            self._error = error
            self._transport.abort()
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_exception(error)


class LeanAsyncClient(redis.asyncio.Redis):
    """One connection for an event loop; commands of many tasks share it.

    A third of the pooled client's CPU per command. A command that gets no answer within
    `socket_timeout` takes the connection down, and all that wait on it: the next one connects.
    """

    _line: Line | None = None
    _connecting: asyncio.Task[Line] | None = None

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its parsed answer; errors are those of any client."""
        options.pop("keys", None)  # For caches on the client's side, which we have none of.
        line = await self.line()
        answer = await self._answer(line, line.send(*args))
        if isinstance(answer, Exception):
            raise answer
        callback = self.response_callbacks.get(args[0])
        return callback(answer, **options) if callback else answer

    async def _answer(self, line: Line, answer: asyncio.Future[Any]) -> Any:
        timeout_s = self.connection_pool.connection_kwargs.get("socket_timeout")
        timer = None
        if timeout_s is not None:
            late = redis.TimeoutError(f"no answer within {timeout_s} s")
            timer = asyncio.get_running_loop().call_later(timeout_s, line.drop, late)
        try:
            return await answer
        finally:
            if timer is not None:
                timer.cancel()

    async def line(self) -> Line:
        """Return the open connection; whoever comes first makes it."""
        if self._line is not None and self._line.is_open:
            return self._line
        if self._connecting is None:
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(self._connected)
        return await asyncio.shield(self._connecting)

    def _connected(self, task: asyncio.Task[Line]) -> None:
        self._connecting = None
        if not task.cancelled() and task.exception() is None:
            self._line = task.result()

    async def _connect(self) -> Line:
        """Let the library connect and log in, which knows TLS and users; then take over."""
        make: Any = self.connection_pool.make_connection  # It has no types.
        connection = make()
        await connection.connect()
        return Line(connection)

    def drop(self) -> None:
        """Close the connection: the next command makes a new one."""
        if self._line is not None:
            self._line.drop(redis.ConnectionError("dropped"))

    async def aclose(self, close_connection_pool: bool | None = None) -> None:
        """Close everything."""
        self.drop()
        if self._connecting is not None:
            self._connecting.cancel()
        await super().aclose(close_connection_pool)
