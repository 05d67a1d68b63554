"""Reading heads and segments."""

from __future__ import annotations

import time
from pathlib import Path

from apps.common.config import config
from apps.proofs import shelf
from apps.proofs.contracts import OutsideHead, Segment
from apps.proofs.models import Head

PAGE = 1_000


def newest_heads() -> list[OutsideHead]:
    """Return the newest head of each market."""
    return [_told(head) for head in Head.objects.newest()]


def heads_page(
    market: str, *, from_ms: int | None, to_ms: int | None, after: int
) -> list[OutsideHead]:
    """Return a market's heads behind batch `after`, oldest first, at most `PAGE`."""
    between = Head.objects.of(market).between(from_ns=_ns(from_ms), before_ns=_ns(to_ms))
    return [_told(head) for head in between.filter(batch__gt=after)[:PAGE]]


def segments_page(
    market: str, *, from_ms: int | None, to_ms: int | None, after: int
) -> list[Segment]:
    """Return a market's public segments behind batch `after`, oldest first, at most `PAGE`."""
    found = [
        segment
        for segment in shelf.segments(config.path("FAIRBOOK_PROOF_DIR"), market)
        if segment.last > after
        and is_public(segment)
        and (from_ms is None or segment.to_ms > from_ms)
        and (to_ms is None or segment.from_ms < to_ms)
    ]
    return found[:PAGE]


def markets() -> list[str]:
    """Return the markets that have segments."""
    return shelf.markets(config.path("FAIRBOOK_PROOF_DIR"))


def public_segment(market: str, name: str) -> Path | None:
    """Return where a segment lies, if there is one of this name that is old enough."""
    folder = config.path("FAIRBOOK_PROOF_DIR")
    for segment in shelf.segments(folder, market):
        if segment.name == name and is_public(segment):
            return shelf.path_of(folder, market, name)
    return None


def is_public(segment: Segment) -> bool:
    """Say whether a segment is old enough to be shown."""
    age_ms = time.time_ns() // 1_000_000 - segment.to_ms
    return age_ms >= delay_s() * 1_000


def delay_s() -> int:
    """Return how old a segment must be."""
    return config.integer("FAIRBOOK_PROOF_DELAY_S")


def _told(head: Head) -> OutsideHead:
    return OutsideHead(
        market=head.market,
        batch=head.batch,
        seq=head.seq,
        at_ns=head.at_ns,
        outside=head.outside,
        inside=head.inside,
    )


def _ns(moment_ms: int | None) -> int | None:
    return None if moment_ms is None else moment_ms * 1_000_000
