"""Reading streams: ids as pairs, entries in order, what was trimmed noticed and not skipped."""

from collections.abc import Iterable, Mapping
from typing import Any

import redis

from apps.common.kernel.ids import StreamId, format_stream_id, parse_stream_id
from apps.journals import keys
from apps.journals.replica import InputEntry

Range = tuple[StreamId, StreamId]


def read_new(
    journal: redis.Redis,
    after: Mapping[str, StreamId],
    *,
    count: int,
    block_ms: int | None = None,
) -> dict[str, list[InputEntry]]:
    """Return what stands behind these ids, per stream. With `block_ms`, wait for the first of it.

    It sees no gap: who reads a stream that is trimmed compares `atomic.read_trimmed`.
    """
    wanted: Any = {stream: format_stream_id(entry) for stream, entry in after.items()}
    found: Any = journal.xread(wanted, count=count, block=block_ms)
    return {stream.decode(): parse_entries(entries) for stream, entries in found}


def read_ranges(
    journal: redis.Redis, ranges: Mapping[str, Range]
) -> tuple[dict[str, list[InputEntry]], set[str]]:
    """Return the entries of each range, and the streams whose range was trimmed into."""
    pipeline = journal.pipeline(transaction=False)
    for stream, (first, last) in ranges.items():
        pipeline.xrange(stream, format_stream_id(first), format_stream_id(last))
        pipeline.hget(keys.trimmed(keys.writer_of(stream)), stream)
    answers = pipeline.execute() if ranges else []
    found, trimmed = {}, set()
    for (stream, (first, _)), entries, gone in zip(
        ranges.items(), answers[::2], answers[1::2], strict=True
    ):
        found[stream] = parse_entries(entries)
        if gone is not None and parse_stream_id(gone) >= first:
            trimmed.add(stream)
    return found, trimmed


def parse_entries(entries: Iterable[tuple[bytes, dict[bytes, bytes]]]) -> list[InputEntry]:
    """Turn a client's entries into ours."""
    return [(parse_stream_id(entry), fields) for entry, fields in entries]
