"""An edge's mailbox: asks workers, and waits for their answers, in one event loop.

    mailbox = Mailbox(config)
    await mailbox.start()
    command = PlaceOrder(request=mailbox.next_request(), ...)
    answer = await mailbox.ask("risk:0", "commands", command)

One task writes: what was asked while the last round was on its way leaves together, in frames of
at most 64 commands per stream. One task reads the answers of all workers.
"""

import asyncio
import contextlib
import itertools
from typing import Any, Literal, Protocol, cast

import msgspec
import redis
import structlog

from apps.common.kernel.ids import BEFORE_ALL, StreamId, format_stream_id, parse_stream_id
from apps.common.redis_clients import lean_async_client
from apps.journals import keys, wire
from apps.journals.frame_writer import FrameWriter, JournalDown, Outgoing
from apps.journals.sender import new_source

StreamKind = Literal["commands", "cancels"]
READ_BLOCK_MS = 1_000
LISTENER_TIMEOUT_S = READ_BLOCK_MS / 1000 + 4  # A host that vanished sends no reset.
BACKOFF_S = 0.25
__all__ = ["Answer", "JournalDown", "Mailbox", "Unknown"]

_log = structlog.get_logger("fairbook.journals")


class Unknown(Exception):
    """No answer came in time: the command may have been taken, or may yet be."""


class Config(Protocol):
    """What a mailbox reads of the settings."""

    def text(self, name: str) -> str:
        """Return a setting."""
        ...


class Answer(msgspec.Struct, frozen=True, gc=False):
    """A worker's answer, undecoded, with the receipt of the batch that made it."""

    reply_raw: msgspec.Raw
    engine: str
    batch: int
    hash: bytes


class _ReplyHead(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """How every reply begins: its tag, and the request it answers."""

    tag: str
    request: int


_frame_decoder = msgspec.msgpack.Decoder(wire.ReplyFrame)
_head_decoder = msgspec.msgpack.Decoder(_ReplyHead)
_STREAM_OF = {"commands": keys.commands, "cancels": keys.cancels}


class Mailbox:
    """Asks workers on behalf of one edge process."""

    def __init__(self, config: Config) -> None:
        self._url = config.text("JOURNAL_URL")
        self._client = lean_async_client(self._url)
        self._listener = lean_async_client(self._url, socket_timeout=LISTENER_TIMEOUT_S)
        self._writer = FrameWriter(self._client, first_source=new_source())
        self._requests = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._workers: set[str] = set()
        self._positions: dict[str, StreamId] = {}  # Reply stream → last entry read.
        self._tasks: list[asyncio.Task[None]] = []
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Learn the workers, and begin to write and to listen."""
        with contextlib.suppress(redis.RedisError, OSError):
            names = await self._client.smembers(keys.WORKERS)
            self._workers |= {cast(bytes, name).decode() for name in names}
        self._tasks = [
            asyncio.create_task(self._listen(), name="mailbox-listener"),
            asyncio.create_task(self._writer.run(), name="mailbox-writer"),
        ]

    async def stop(self) -> None:
        """End both tasks; who still waits is told that the outcome is unknown."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(Unknown("the edge stops"))
        await self._client.aclose()
        await self._listener.aclose()

    def next_request(self) -> int:
        """Return the number that the next command's answer will carry."""
        return next(self._requests)

    async def ask(
        self,
        worker: str,
        stream_kind: StreamKind,
        command: msgspec.Struct,
        *,
        request: int | None = None,
        timeout_s: float = 5.0,
    ) -> Answer:
        """Send a command (its `request` from `next_request`), and wait for its answer.

        `request` names the answer of a command whose number stands in one of its parts.

        Raises JournalDown if nothing was written, Unknown if that is not known or nothing answers.
        """
        self._know(worker)
        if request is None:
            request = int(command.request)  # type: ignore[attr-defined]  # Of a command with one.
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        outgoing = Outgoing(wire.encode(command), answer, until=loop.time() + timeout_s)
        self._waiting[request] = answer
        try:
            self._writer.put(_STREAM_OF[stream_kind](worker), outgoing)
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError:
            if not outgoing.is_sent:
                raise JournalDown("the command never left") from None
            raise Unknown(f"{worker} did not answer within {timeout_s} s") from None
        finally:
            del self._waiting[request]

    async def last_command_id(self, worker: str) -> StreamId:
        """Return the last id of a worker's command stream, trimmed or not; (0, 0) for none yet."""
        try:
            info = await self._client.xinfo_stream(keys.commands(worker))
        except redis.ResponseError as error:
            if "no such key" in str(error):
                return BEFORE_ALL
            raise JournalDown(str(error)) from error
        except (redis.RedisError, OSError) as error:
            raise JournalDown(str(error)) from error
        return parse_stream_id(info["last-generated-id"])

    # -- listening

    def _know(self, worker: str) -> None:
        """Listen to a worker that is new to us: the reader starts again with one stream more."""
        if worker not in self._workers:
            self._workers.add(worker)
            if self._reading is not None:
                self._reading.cancel()

    async def _listen(self) -> None:
        while True:
            self._reading = asyncio.create_task(self._read_once(), name="mailbox-reading")
            try:
                await asyncio.wait({self._reading})
            finally:  # Also when we are stopped: what it still has to say is nobody's to hear.
                self._reading.cancel()
                await asyncio.gather(self._reading, return_exceptions=True)
            if self._reading.cancelled():  # For a new worker's sake: its stream is waited for next.
                self._listener.drop()
            elif (error := self._reading.exception()) is not None:
                _log.warning("journals.mailbox.listener_lost", why=repr(error))
                await asyncio.sleep(BACKOFF_S)

    async def _read_once(self) -> None:
        """Wait for answers on the reply streams of all workers, from where we have read to."""
        wanted = self._reply_streams()
        if not wanted:
            await asyncio.sleep(BACKOFF_S)
            return
        found: Any = await self._listener.xread(
            {
                stream: format_stream_id(self._positions.get(stream, BEFORE_ALL))
                for stream in wanted
            },
            block=READ_BLOCK_MS,
        )
        for stream, entries in found:
            for entry, fields in entries:
                self._positions[stream.decode()] = parse_stream_id(entry)
                self._give_out(fields[keys.FRAME_FIELD])

    def _reply_streams(self) -> list[str]:
        sources = self._writer.sources()
        return [keys.replies(worker, source) for worker in self._workers for source in sources]

    def _give_out(self, frame: bytes) -> None:
        read = _frame_decoder.decode(frame)
        for reply in read.replies:
            waiting = self._waiting.get(_head_decoder.decode(reply).request)
            if waiting is not None and not waiting.done():
                waiting.set_result(Answer(reply, read.engine, read.batch, read.hash))
