"""One edge process: its mailbox to the engines, its memory, its gate, in the loop that serves.

`lifespan.py` starts and stops it; a request that comes earlier (or a test) starts it on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from typing import Any

import msgspec
import redis
import redis.asyncio
import structlog

from apps.common.config import config
from apps.common.kernel.ids import BEFORE_ALL, StreamId, parse_stream_id
from apps.common.redis_clients import (
    async_cache_client,
    async_journal_client,
    lean_async_client,
)
from apps.journals import keys, mailbox
from apps.journals.mailbox import Answer, Mailbox, StreamKind
from apps.orders import market_news
from apps.orders.dialect import refusals
from apps.orders.gate import TIMEOUT_S, Gate
from apps.orders.readmodels import ReadModels
from apps.orders.recent import Recent
from apps.users import memory as users_memory
from apps.users.memory import EdgeMemory
from apps.users.standing.following import Standings

ANSWER_S = 5.0
NOTHING_SENT = "The journals do not answer; nothing was sent."
TOLD_S, TOLD_ACCOUNTS_MAX = 10.0, 50_000
LIFE_KEPT_S = 24 * 3600
LIVES_EVERY_S = 0.5
LIVES_MAX = 10_000  # Waiting to be written; more are not kept.

log = structlog.get_logger("fairbook.edge")


def life_key(order_id: int) -> str:
    """Return where the edge notes when it met an order."""
    return f"life:{order_id}"


class EdgeTimes(msgspec.Struct, frozen=True, gc=False):
    """When an edge met an order, by its own clock (ns)."""

    edge: str
    received_ns: int
    sent_ns: int
    answered_ns: int


class Told:
    """What this edge has told accounts of late, so that their next reads do not know less.

    Per account: each engine that answered it, and the batch of the newest answer. A partition's
    batch is in its own log; what a book answered reaches the partition over their link.
    """

    def __init__(self) -> None:
        self._accounts: OrderedDict[int, tuple[float, dict[str, int]]] = OrderedDict()

    def note(self, account: int, answer: Answer) -> None:
        """Remember the batch of an answer."""
        marks = self.of(account)
        marks[answer.engine] = max(answer.batch, marks.get(answer.engine, 0))
        self._accounts[account] = (time.monotonic(), marks)
        self._accounts.move_to_end(account)
        while len(self._accounts) > TOLD_ACCOUNTS_MAX:
            self._accounts.popitem(last=False)

    def of(self, account: int) -> dict[str, int]:
        """Return what an account was told within the last seconds; older news stands everywhere."""
        told_at, marks = self._accounts.get(account, (float("-inf"), {}))
        return marks if time.monotonic() - told_at < TOLD_S else {}


class Edge:
    """All that a request on the hot path needs, and no database."""

    def __init__(self) -> None:
        self.mailbox = Mailbox(config)
        self.cache = lean_async_client(
            config.text("REDIS_URL"), socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S
        )
        self.ears = async_cache_client(socket_timeout=None, socket_connect_timeout=2)
        self.journal = async_journal_client(socket_timeout=1, socket_connect_timeout=1)
        self.memory = EdgeMemory()
        self.memory.standings = self.standings = Standings(
            self.ears,
            stale_s=config.integer("FAIRBOOK_STANDING_STALE_S"),
            on_news=self.memory.distrust,
        )
        self.gate = Gate(self.cache)
        self.models = ReadModels(self.cache)
        self.name = str(config.environ.get("FAIRBOOK_SERVICE", "edge"))
        self.told = Told()
        self.recent = Recent()
        self._lives: deque[tuple[int, EdgeTimes]] = deque()
        self._has_lives = asyncio.Event()
        self._tasks: list[asyncio.Task[Any]] = []

    async def start(self) -> None:
        """Learn keys and markets, begin to hear changes, open the mailbox."""
        await asyncio.to_thread(market_news.learn)
        await asyncio.to_thread(self.memory.warm)
        await self.standings.warm(self.memory.accounts)
        users_memory.put_to_use(self.memory)
        await self.mailbox.start()
        self._tasks = [
            asyncio.create_task(self.memory.listen(self.ears), name="edge-ears"),
            asyncio.create_task(self.standings.listen(), name="edge-standings"),
            asyncio.create_task(
                market_news.keep_learning(self.name, self.cache, self.ears), name="edge-markets"
            ),
            asyncio.create_task(self._write_lives(), name="edge-lives"),
            asyncio.create_task(self.memory.uses.keep_writing(), name="edge-key-uses"),
        ]

    async def stop(self) -> None:
        """Stop hearing, close the mailbox and the connections."""
        users_memory.put_to_use(None)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.mailbox.stop()
        await market_news.fall_silent(self.name, self.cache)
        await self.cache.aclose()
        await self.ears.aclose()
        await self.journal.aclose()

    # -- asking engines

    async def ask(
        self, worker: str, stream: StreamKind, command: msgspec.Struct, *, request: int
    ) -> Answer:
        """Ask an engine, and wait for its answer for as long as the dialect says."""
        try:
            return await self.mailbox.ask(
                worker, stream, command, request=request, timeout_s=ANSWER_S
            )
        except mailbox.Unknown:
            raise refusals.unknown_outcome() from None
        except mailbox.JournalDown:
            raise refusals.not_now(NOTHING_SENT) from None

    async def newest_command(self, worker: str) -> StreamId:
        """Return the last entry of a worker's command stream."""
        try:
            return await self.mailbox.last_command_id(worker)
        except mailbox.JournalDown:
            raise refusals.not_now(NOTHING_SENT) from None

    async def newest_frame(self, writer: str, reader: str) -> StreamId:
        """Return the last frame on a link. It is at least as new as any answer of its writer."""
        try:
            info = await self.journal.xinfo_stream(keys.link(writer, reader))
        except redis.ResponseError:
            return BEFORE_ALL  # Nothing was written yet.
        except (redis.RedisError, OSError):
            raise refusals.not_now(NOTHING_SENT) from None
        return parse_stream_id(info["last-generated-id"])

    # -- the life of an order: noted beside the answer, never before it

    def note_life(self, order_id: int, *, received_ns: int, sent_ns: int) -> None:
        """Note when this edge met an order; written in the background."""
        if len(self._lives) < LIVES_MAX:
            times = EdgeTimes(self.name, received_ns, sent_ns, time.time_ns())
            self._lives.append((order_id, times))
            self._has_lives.set()

    async def _write_lives(self) -> None:
        while True:
            await self._has_lives.wait()
            await asyncio.sleep(LIVES_EVERY_S)
            self._has_lives.clear()
            batch = [self._lives.popleft() for _ in range(len(self._lives))]
            with contextlib.suppress(redis.RedisError, OSError):
                async with self.cache.pipeline(transaction=False) as pipe:
                    for order_id, times in batch:
                        body = msgspec.msgpack.encode(times)
                        pipe.set(life_key(order_id), body, ex=LIFE_KEPT_S, nx=True)
                    await pipe.execute()


class _Process:
    """The edge of this process, once it is started."""

    edge: Edge | None = None
    lock: asyncio.Lock | None = None


async def edge() -> Edge:
    """Return this process's edge; the first caller starts it."""
    if _Process.edge is not None:
        return _Process.edge
    if _Process.lock is None:
        _Process.lock = asyncio.Lock()
    async with _Process.lock:
        if _Process.edge is None:
            starting = Edge()
            await starting.start()
            _Process.edge = starting
    return _Process.edge


async def close() -> None:
    """Stop this process's edge, if it was started."""
    running, _Process.edge, _Process.lock = _Process.edge, None, None
    if running is not None:
        await running.stop()


def running() -> Edge | None:
    """Return this process's edge if it was started, for views that run in threads."""
    return _Process.edge
