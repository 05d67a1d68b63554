"""Where segments lie: one folder per market, one file per cut of time, named by what it holds.

    segments/BTC-USDT/2026-11-23T140000Z_3600-000000004711-000000004899.jsonl.gz
    segments/BTC-USDT/open.part           the cut that goes on: plain lines

A name tells when the cut starts, how many seconds it is long, and the first and the
last batch. Nothing private lies here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from apps.proofs.chain import SECOND_NS
from apps.proofs.contracts import Segment

OPEN = "open.part"
_MARKET = re.compile(r"[A-Z0-9]{1,12}-[A-Z0-9]{1,12}")
_NAME = re.compile(
    r"(?P<start>\d{4}-\d\d-\d\dT\d{6}Z)_(?P<cut>\d{1,5})-(?P<first>\d{12})-(?P<last>\d{12})"
    r"\.jsonl\.gz"
)
_TIME = "%Y-%m-%dT%H%M%SZ"


def folder_of(directory: Path, market: str) -> Path:
    """Return a market's folder."""
    return directory / "segments" / market


def path_of(directory: Path, market: str, name: str) -> Path:
    """Return where a segment lies. The name is one that `segments` gave."""
    return folder_of(directory, market) / name


def markets(directory: Path) -> list[str]:
    """Return the markets that have a folder."""
    return sorted(p.name for p in (directory / "segments").glob("*") if _MARKET.fullmatch(p.name))


def name_for(*, at_ns: int, cut_s: int, first: int, last: int) -> str:
    """Name the segment of the cut that this header time lies in."""
    start_s = at_ns // SECOND_NS // cut_s * cut_s
    start = datetime.fromtimestamp(start_s, UTC).strftime(_TIME)
    return f"{start}_{cut_s}-{first:012d}-{last:012d}.jsonl.gz"


def segments(directory: Path, market: str) -> list[Segment]:
    """Return a market's closed segments, oldest first."""
    if not _MARKET.fullmatch(market):
        return []
    found = [
        _segment(path, match)
        for path in folder_of(directory, market).glob("*.jsonl.gz")
        if (match := _NAME.fullmatch(path.name)) is not None
    ]
    return sorted(found, key=lambda segment: segment.first)


def _segment(path: Path, match: re.Match[str]) -> Segment:
    start = datetime.strptime(match["start"], _TIME).replace(tzinfo=UTC)
    from_ms = int(start.timestamp()) * 1_000
    return Segment(
        name=path.name,
        day=match["start"][:10],
        from_ms=from_ms,
        to_ms=from_ms + int(match["cut"]) * 1_000,
        first=int(match["first"]),
        last=int(match["last"]),
        bytes=path.stat().st_size,
    )
