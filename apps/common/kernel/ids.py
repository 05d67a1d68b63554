"""Numbers that name things. The partition is part of the number, given once and never changed."""

PARTITIONS_MAX = 1024

StreamId = tuple[int, int]
"""A Redis stream id (milliseconds, counter), which orders as a pair."""

BEFORE_ALL: StreamId = (0, 0)


def numbered_in(partition: int, *, counter: int) -> int:
    """Make the account or order number of a partition's `counter`-th one."""
    return counter * PARTITIONS_MAX + partition


def partition_of(number: int) -> int:
    """Return the partition that an account or an order belongs to."""
    return number % PARTITIONS_MAX


def parse_stream_id(text: bytes | str) -> StreamId:
    """Read `<ms>-<n>` as a pair that compares as Redis compares."""
    if isinstance(text, bytes):
        text = text.decode("ascii")
    high, _, low = text.partition("-")
    return int(high), int(low or 0)


def format_stream_id(stream_id: StreamId) -> str:
    """Write the pair as Redis does."""
    return f"{stream_id[0]}-{stream_id[1]}"
