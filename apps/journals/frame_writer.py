"""The writing half of a mailbox: commands become numbered frames, each written exactly once.

What waits goes out in rounds, one frame per stream. A frame whose answer was lost is sent again
with its number, so the worker drops the repeat. One that cannot be settled in time is given up,
and the stream goes on under a new source, because a number must never be used for two frames.
"""

import asyncio
import time
from collections import deque
from typing import Any

import msgspec
import redis
import structlog

from apps.common.lean_clients import LeanAsyncClient, Line
from apps.journals import keys, wire
from apps.journals.sender import new_source

SILENCE_S = 300.0
"""After so long without a frame, a stream gets a new source: its reader may forget the old."""
RETIRED_S = 60.0
"""How long answers to a former source are listened for."""
BACKOFF_S = 0.25
ROUND_TRIP_S = 2.0
WAITING_MAX = 10_000

_log = structlog.get_logger("fairbook.journals")


class JournalDown(Exception):
    """Nothing was written: the journal server does not answer, or takes no more."""


class Outgoing(msgspec.Struct):
    """A command on its way."""

    raw: bytes
    answer: asyncio.Future[Any]
    until: float  # By the loop's clock.
    is_sent: bool = False

    def fail(self, error: Exception) -> None:
        """Tell who waits that nothing was written."""
        if not self.answer.done():
            self.answer.set_exception(error)


class Frame(msgspec.Struct):
    """A frame of this round. From its first sending on, it may stand in the stream."""

    stream: str
    source: bytes
    number: int
    body: bytes
    commands: list[Outgoing]
    may_stand: bool = False

    def was_given_up(self, now: float) -> bool:
        """Whether somebody stopped waiting: who was told so must not be served after all."""
        return any(command.until <= now and command.answer.done() for command in self.commands)


class Sources:
    """Which source each stream is written under, and which ones answers may come to.

    A spare is listened to before it is used, so that no first answer waits for the listener.
    """

    def __init__(self, first: bytes) -> None:
        self._latest, self._spare = first, new_source()
        self._of_stream: dict[str, tuple[bytes, int]] = {}  # Source, last number.
        self._used_at: dict[str, float] = {}
        self._retired: dict[bytes, float] = {}

    def next_number(self, stream: str) -> tuple[bytes, int]:
        """Return the source and number of the stream's next frame."""
        now = time.monotonic()
        if stream not in self._of_stream:
            self._of_stream[stream] = (self._latest, 0)
        elif now - self._used_at[stream] > SILENCE_S:
            self.renew(stream)
        source, last = self._of_stream[stream]
        self._of_stream[stream] = (source, last + 1)
        self._used_at[stream] = now
        return source, last + 1

    def give_back(self, frame: Frame) -> None:
        """Use a number again: its frame was never written."""
        self._of_stream[frame.stream] = (frame.source, frame.number - 1)

    def renew(self, stream: str) -> None:
        """Go on under a source that this stream has never seen."""
        source, _ = self._of_stream[stream]
        self._retired[source] = time.monotonic()
        if source == self._latest:
            self._latest, self._spare = self._spare, new_source()
        self._of_stream[stream] = (self._latest, 0)

    def listened(self) -> set[bytes]:
        """Return all sources that an answer may come to."""
        horizon = time.monotonic() - RETIRED_S
        self._retired = {source: at for source, at in self._retired.items() if at > horizon}
        used = {source for source, _ in self._of_stream.values()}
        return used | {self._latest, self._spare} | self._retired.keys()


class FrameWriter:
    """Writes what is put, in rounds."""

    def __init__(self, client: LeanAsyncClient, *, first_source: bytes) -> None:
        self._client = client
        self._queues: dict[str, deque[Outgoing]] = {}
        self._waiting = 0
        self._has_mail = asyncio.Event()
        self._sources = Sources(first_source)

    def put(self, stream: str, command: Outgoing) -> None:
        """Queue a command; it leaves with the next round. Raises JournalDown when too many wait."""
        if self._waiting >= WAITING_MAX:
            raise JournalDown("too many commands wait")
        self._queues.setdefault(stream, deque()).append(command)
        self._waiting += 1
        self._has_mail.set()

    def sources(self) -> set[bytes]:
        """Return the sources that answers may come to."""
        return self._sources.listened()

    async def run(self) -> None:
        """Write rounds until cancelled."""
        while True:
            await self._has_mail.wait()
            frames = self._cut_frames()
            if not frames:
                self._has_mail.clear()
                continue
            try:
                await self._settle(frames)
            except Exception:  # A bug must not silence an edge; who waits runs into the timeout.
                _log.exception("journals.mailbox.writer_failed")

    # -- frames

    def _cut_frames(self) -> list[Frame]:
        return [frame for stream in self._queues if (frame := self._cut_frame(stream))]

    def _cut_frame(self, stream: str) -> Frame | None:
        queue = self._queues[stream]
        commands: list[Outgoing] = []
        while queue and len(commands) < wire.FRAME_COMMANDS_MAX:
            command = queue.popleft()
            self._waiting -= 1
            if not command.answer.done():  # Else nobody waits for it any more.
                commands.append(command)
        if not commands:
            return None
        source, number = self._sources.next_number(stream)
        raw = [msgspec.Raw(command.raw) for command in commands]
        body = wire.encode(wire.CommandFrame(source, number, raw))
        return Frame(stream, source, number, body, commands)

    # -- rounds

    async def _settle(self, frames: list[Frame]) -> None:
        """Write a round's frames; come back when the fate of each is known, or given up."""
        while frames:
            try:
                async with asyncio.timeout(ROUND_TRIP_S):
                    line = await self._client.line()
            except (redis.RedisError, OSError, TimeoutError) as error:
                frames = self._without_unsent(frames, error)
                self._refuse_queued(error)
            else:
                frames = await self._send(line, self._without_hopeless(frames))
            if frames:
                await asyncio.sleep(BACKOFF_S)
                frames = self._without_hopeless(frames)

    async def _send(self, line: Line, frames: list[Frame]) -> list[Frame]:
        """Send all, read all answers. Returns the frames whose fate is still not known."""
        was_unsure = [frame.may_stand for frame in frames]
        for frame in frames:
            frame.may_stand = True
            for command in frame.commands:
                command.is_sent = True
        sent = [line.send("XADD", f.stream, "*", keys.FRAME_FIELD, f.body) for f in frames]
        try:
            async with asyncio.timeout(ROUND_TRIP_S):
                answers = await asyncio.gather(*sent, return_exceptions=True)
        except TimeoutError as error:
            line.drop(redis.TimeoutError("a round of frames got no answer"))
            answers = [error] * len(frames)
        left = []
        for frame, answer, unsure in zip(frames, answers, was_unsure, strict=True):
            if isinstance(answer, redis.ResponseError) and not unsure:
                self._fail_unwritten(frame, answer)
            elif isinstance(answer, BaseException):
                left.append(frame)  # If refused: an earlier sending may have got through.
        if left:
            _log.warning("journals.mailbox.round_lost", why=repr(answers[-1]))
        return left

    def _fail_unwritten(self, frame: Frame, error: Exception) -> None:
        """Tell who waits for a frame that it was not written."""
        self._sources.give_back(frame)
        for command in frame.commands:
            command.is_sent = False
            command.fail(JournalDown(str(error)))

    def _without_unsent(self, frames: list[Frame], error: Exception) -> list[Frame]:
        """Fail the frames that never left, and keep those that may stand in their streams."""
        for frame in frames:
            if not frame.may_stand:
                self._fail_unwritten(frame, error)
        return [frame for frame in frames if frame.may_stand]

    def _refuse_queued(self, error: Exception) -> None:
        for queue in self._queues.values():
            while queue:
                queue.popleft().fail(JournalDown(str(error)))
                self._waiting -= 1

    def _without_hopeless(self, frames: list[Frame]) -> list[Frame]:
        """Give up frames that somebody stopped waiting for: they are never sent (again).

        If one may stand in its stream, the stream goes on under a new source.
        """
        now = asyncio.get_running_loop().time()
        left = []
        for frame in frames:
            if not frame.was_given_up(now):
                left.append(frame)
            elif frame.may_stand:
                self._sources.renew(frame.stream)
            else:
                self._fail_unwritten(frame, TimeoutError("the journal server was not reached"))
        return left
