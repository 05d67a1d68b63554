"""The calls that change more than one key at once, each a script that checks before it writes.

A client that makes them never retries by itself. After a lost connection the runtime sends the same
batch again, and the cursor on the server says whether the first one happened.
"""

from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, cast

import redis

from apps.common.kernel.ids import StreamId, format_stream_id, parse_stream_id
from apps.journals import keys
from apps.journals.turn import SealedBatch

REPLY_TTL_MS = 60_000


class Written(Enum):
    """What the server says of a batch that it was given."""

    WRITTEN = b"WRITTEN"
    ALREADY = b"ALREADY"  # An earlier call of the same batch got through; its answer was lost.
    CONFLICT = b"CONFLICT"  # The cursor stands elsewhere: this memory is not the record's.
    FENCED = b"FENCED"  # Another owner has raised the epoch.


class Cursor:
    """How far a worker's record goes: its last batch, that batch's hash, the last ids taken."""

    def __init__(self, fields: dict[bytes, bytes]) -> None:
        self.batch = int(fields.pop(b"batch", b"0"))
        self.hash = fields.pop(b"hash", b"")
        self.taken = {name.decode(): parse_stream_id(entry) for name, entry in fields.items()}


@cache
def _source(name: str) -> str:
    return (Path(__file__).parent / f"{name}.lua").read_text()


class Writer:
    """Writes the batches of one worker, one after the other, on a line of its own.

    `send` and `outcome` are two, so that the worker has something to do while the server fsyncs.
    """

    def __init__(
        self, journal: redis.Redis, worker: str, *, reply_ttl_ms: int = REPLY_TTL_MS
    ) -> None:
        self._script = journal.register_script(_source("write"))
        self._make_line = journal.connection_pool.make_connection
        self._line: Any = None
        self._sent: tuple[Any, ...] = ()
        self._fault: redis.RedisError | None = None  # Of sending: told with the outcome.
        self._keys = [keys.epoch(worker), keys.cursor(worker), keys.log(worker)]
        self._worker = worker
        self._reply_ttl_ms = reply_ttl_ms

    def write(self, batch: SealedBatch) -> Written:
        """Make a batch durable in one call. When it returns, the server has fsynced it."""
        self.send(batch)
        return self.outcome()

    def send(self, batch: SealedBatch) -> None:
        """Put the call on its way."""
        names, arguments = self._words(batch)
        self._sent = ("EVALSHA", self._script.sha, len(names), *names, *arguments)
        self._fault = None
        try:
            self._send()
        except redis.RedisError as error:
            self._fault = error

    def outcome(self) -> Written:
        """Wait for the answer to what was sent; raises what went wrong with the line."""
        if self._fault is not None:
            raise self._fault
        try:
            answer = self._line.read_response()
        except redis.exceptions.NoScriptError:
            self._line.send_command("SCRIPT LOAD", self._script.script)
            self._line.read_response()
            self._send()
            answer = self._line.read_response()
        except redis.ResponseError:
            raise  # The answer was read whole.
        except BaseException:
            self._line.disconnect()
            raise
        self._sent = ()
        return Written(answer)

    def close(self) -> None:
        """Let go of the line."""
        if self._line is not None:
            self._line.disconnect()

    def _send(self) -> None:
        if self._line is None:
            self._line = self._make_line()
        try:
            self._line.send_command(*self._sent)
        except BaseException:
            self._line.disconnect()
            raise

    def _words(self, batch: SealedBatch) -> tuple[list[str], list[str | int | bytes]]:
        """Return the call's keys and arguments, as `write.lua` reads them."""
        worker = self._worker
        names = [
            *self._keys,
            *(keys.link(worker, link.peer) for link in batch.links),
            *(keys.replies(worker, source) for source in batch.replies),
        ]
        arguments: list[str | int | bytes] = [
            batch.epoch,
            batch.number,
            batch.hash,
            batch.prev,
            batch.header,
            batch.outputs,
            self._reply_ttl_ms,
            len(batch.links),
            len(batch.replies),
        ]
        for link in batch.links:
            arguments += (link.number, link.frame, link.hash)
        arguments += batch.replies.values()
        for stream, entry in batch.cursor.items():
            arguments += (stream, format_stream_id(entry))
        return names, arguments


def read_cursor(journal: redis.Redis, worker: str) -> Cursor:
    """Return how far a worker's record goes; batch 0 if it has none."""
    return Cursor(cast("dict[bytes, bytes]", journal.hgetall(keys.cursor(worker))))


def read_epoch(journal: redis.Redis, worker: str) -> int:
    """Return a worker's fencing number; 0 before its first owner."""
    return int(journal.get(keys.epoch(worker)) or 0)


def claim_epoch(journal: redis.Redis, worker: str, *, seen: int) -> int | None:
    """Raise the epoch if it is still the one seen. Returns ours, or None if another was first."""
    script = journal.register_script(_source("claim"))
    return int(script(keys=[keys.epoch(worker)], args=[seen])) or None


def trim(journal: redis.Redis, stream: str, *, writer: str, up_to: StreamId) -> int:
    """Drop a stream's entries up to an id, and note it in the same call. Returns how many."""
    script = journal.register_script(_source("trim"))
    after = format_stream_id((up_to[0], up_to[1] + 1))
    return int(script(keys=[stream, keys.trimmed(writer)], args=[format_stream_id(up_to), after]))


def read_trimmed(journal: redis.Redis, worker: str) -> dict[str, StreamId]:
    """Return, per stream of a worker, the last id that was trimmed away."""
    fields = cast("dict[bytes, bytes]", journal.hgetall(keys.trimmed(worker)))
    return {stream.decode(): parse_stream_id(entry) for stream, entry in fields.items()}
