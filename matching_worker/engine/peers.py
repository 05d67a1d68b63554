"""The risk partitions that a book is linked with."""

from apps.common.kernel.ids import BEFORE_ALL, PARTITIONS_MAX, StreamId


class Peer:
    """One partition, as far as the book has heard of it."""

    __slots__ = ("asked", "greeted", "name", "partition", "passed")

    def __init__(self, name: str, partition: int) -> None:
        self.name = name
        self.partition = partition
        self.greeted = False  # It said hello: it knows the market and may send orders.
        self.passed: StreamId = BEFORE_ALL  # How far it has read its own command stream.
        self.asked: StreamId = BEFORE_ALL  # The furthest mark that we asked it to tell us of.


def partition_named(peer: str) -> int | None:
    """Return the partition that a worker's name stands for, or None if it is no risk partition."""
    kind, _, number = peer.partition(":")
    if kind != "risk" or not number.isdecimal() or not number.isascii() or len(number) > 4:
        return None
    partition = int(number)
    return partition if partition < PARTITIONS_MAX and str(partition) == number else None
