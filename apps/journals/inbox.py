"""What an owner has read of its inputs and not yet taken, in the order that a batch takes it."""

from collections import deque
from collections.abc import Iterator

import redis

from apps.common.kernel.ids import StreamId
from apps.journals import streams
from apps.journals.machine import Input
from apps.journals.replica import Feed, InputEntry, Replica

READ_COUNT = 64
"""Frames read per stream at once."""
ENOUGH_WAITING = 16
"""Frames that wait in a stream before more of it is read: 1,024 commands in frames of 64."""


class Inbox:
    """The waiting entries of a worker's feeds."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._waiting: dict[str, deque[InputEntry]] = {}
        self._read_to: dict[str, StreamId] = {}
        self._served: set[str] = set()  # Streams that the open batch took from.
        self._left_behind: set[str] = set()  # Streams that waited while the last batch was full.
        self.only: Input | None = None  # While blocked, no other kind of stream is read or taken.
        self.blocked_stream = ""

    def _feeds(self) -> list[Feed]:
        return [
            feed
            for feed in self._replica.feeds()
            if feed.stream != self.blocked_stream and self.only in (None, feed.kind)
        ]

    def has_entries(self) -> bool:
        """Tell whether something waits."""
        return any(self._waiting.get(feed.stream) for feed in self._feeds())

    def read(
        self, journal: redis.Redis, *, block_ms: int, also: dict[str, StreamId] | None = None
    ) -> dict[str, list[InputEntry]]:
        """Read what is new; wait for it only if nothing waits here. Returns what came of `also`."""
        after = dict(also or {})
        for feed in self._feeds():
            waiting = self._waiting.setdefault(feed.stream, deque())
            if len(waiting) < ENOUGH_WAITING:
                after[feed.stream] = self._read_to.setdefault(
                    feed.stream, self._replica.taken_up_to(feed.stream)
                )
        if not after:
            return {}
        wait_ms = block_ms if block_ms > 0 and not self.has_entries() else None
        found = streams.read_new(journal, after, count=READ_COUNT, block_ms=wait_ms)
        for stream in after.keys() - (also or {}).keys():
            if entries := found.get(stream):
                self._waiting[stream].extend(entries)
                self._read_to[stream] = entries[-1][0]
        return {stream: found.get(stream, []) for stream in also or {}}

    def entries(self) -> Iterator[tuple[str, InputEntry]]:
        """Yield what waits: links, cancels, commands. `drop_first` each that was taken.

        A stream of which a full batch took nothing comes first in the next one: links under load
        would keep cancels and operators waiting without end.
        """
        for feed in sorted(self._feeds(), key=lambda feed: feed.stream not in self._left_behind):
            waiting = self._waiting.get(feed.stream)
            while waiting:
                yield feed.stream, waiting[0]

    def drop_first(self, stream: str) -> None:
        """Forget the first waiting entry of a stream: it was taken."""
        self._waiting[stream].popleft()
        self._served.add(stream)

    def end_batch(self) -> None:
        """Note which streams waited in vain."""
        waiting = {stream for stream, entries in self._waiting.items() if entries}
        self._left_behind = waiting - self._served
        self._served.clear()

    def start_over(self, replica: Replica) -> None:
        """Forget everything that waits, and read on from where this replica stands."""
        self._replica = replica
        self._waiting.clear()
        self._read_to.clear()
        self._served.clear()
        self._left_behind.clear()
