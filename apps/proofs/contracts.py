"""What others may hold of the proofs."""

import msgspec


class OutsideHead(msgspec.Struct, frozen=True, kw_only=True):
    """Where a market's outside chain stood after a batch, and the inside hash it is bound to."""

    market: str
    batch: int
    seq: int
    at_ns: int
    outside: str
    inside: str


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """One published file: the batches of one cut of time."""

    name: str
    day: str
    from_ms: int
    to_ms: int  # The end of its cut; its batches are before it.
    first: int
    last: int
    bytes: int
