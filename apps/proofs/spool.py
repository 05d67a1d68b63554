"""Writing the lines of one market: a cut that goes on is a plain file, a closed one is a segment.

The files are the prover's memory: after a restart it goes on behind their last whole line.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from apps.journals.snapshots import sync_directory, write_durably
from apps.proofs import shelf
from apps.proofs.chain import MINUTE_NS, SECOND_NS, START, hash_of
from apps.proofs.contracts import OutsideHead


class SpoolBroken(Exception):
    """The lines on disk do not chain: somebody changed them."""


class Place(msgspec.Struct, frozen=True):
    """A batch that was written: where the chain stands behind it."""

    batch: int
    seq: int
    at_ns: int
    head: str
    inside: str
    names: str  # The mark of the day's pseudonyms.


NOWHERE = Place(0, 0, 0, START, "", "")


class Spool:
    """One market's lines."""

    def __init__(self, directory: Path, market: str, *, cut_s: int) -> None:
        self.market = market
        self.place = NOWHERE
        self.unkept: list[Place] = []  # Ends of minutes on disk whose heads may not be kept yet.
        self._directory, self._cut_s = directory, cut_s
        self._folder = shelf.folder_of(directory, market)
        self._folder.mkdir(parents=True, exist_ok=True)
        self._part = self._folder / shelf.OPEN
        self._first = 0  # Of the open cut; 0 while nothing is in it.
        self._read_back()
        self._file = self._part.open("ab")

    # -- writing

    def is_new_day(self, at_ns: int) -> bool:
        """Say whether a batch of this time is the first of its day here."""
        return self.place.at_ns == 0 or _is_later(self.place.at_ns, at_ns, 86_400 * SECOND_NS)

    def ends_minute(self, at_ns: int) -> bool:
        """Say whether this time lies in a later minute than the last batch."""
        return self.place.at_ns > 0 and _is_later(self.place.at_ns, at_ns, MINUTE_NS)

    def ends_cut(self, at_ns: int) -> bool:
        """Say whether this time lies in a later cut than what is open."""
        return self._first > 0 and _is_later(self.place.at_ns, at_ns, self._cut_s * SECOND_NS)

    def append(self, lines: list[bytes], place: Place) -> None:
        """Write a batch's lines (the last one is the batch's)."""
        self._file.write(b"".join(line + b"\n" for line in lines))
        self._first = self._first or place.batch
        self.place = place

    def flush(self) -> None:
        """Hand all lines to the system."""
        self._file.flush()

    def sync(self) -> None:
        """Make all lines durable."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close_cut(self) -> None:
        """Make a segment of what is open, and begin afresh."""
        self.sync()
        name = shelf.name_for(
            at_ns=self.place.at_ns, cut_s=self._cut_s, first=self._first, last=self.place.batch
        )
        lines = self._part.read_bytes()
        write_durably(shelf.path_of(self._directory, self.market, name), _packed(lines))
        self._file.truncate(0)
        os.fsync(self._file.fileno())
        self._first = 0

    def close(self) -> None:
        """Let go of the file."""
        self.sync()
        self._file.close()

    def head(self) -> OutsideHead:
        """Return the head behind the last batch."""
        return self.head_of(self.place)

    def head_of(self, place: Place) -> OutsideHead:
        """Return the head behind a batch."""
        return OutsideHead(
            market=self.market,
            batch=place.batch,
            seq=place.seq,
            at_ns=place.at_ns,
            outside=place.head,
            inside=place.inside,
        )

    # -- reading back

    def _read_back(self) -> None:
        """Stand where the files end."""
        closed = shelf.segments(self._directory, self.market)
        if closed:
            path = shelf.path_of(self._directory, self.market, closed[-1].name)
            for place in _places(gzip.decompress(path.read_bytes()).splitlines(), None):
                self.place = place
        if not self._part.exists():
            self._part.touch()
            sync_directory(self._folder)
            return
        lines = self._whole_lines()
        if not lines or (closed and _number(lines[-1]) <= closed[-1].last):
            os.truncate(self._part, 0)  # It was closed, and not yet begun afresh.
            return
        for place in _places(lines, self.place.head):
            if self.place.at_ns and _is_later(self.place.at_ns, place.at_ns, MINUTE_NS):
                self.unkept.append(self.place)
            self._first = self._first or place.batch
            self.place = place

    def _whole_lines(self) -> list[bytes]:
        """Return the open cut's lines up to its last batch; what a crash left behind is cut off."""
        raw = self._part.read_bytes()
        lines = raw[: raw.rfind(b"\n") + 1].splitlines()
        while lines and not _is_batch(lines[-1]):
            lines.pop()
        os.truncate(self._part, sum(len(line) + 1 for line in lines))
        return lines


def _places(lines: list[bytes], head: str | None) -> Iterator[Place]:
    """Go through the batches of lines, and claim that they chain."""
    for line in lines:
        fields = json.loads(line)
        if head is not None and fields["prev"] != head:
            raise SpoolBroken(f"a line of batch {fields['batch']} does not follow the one before")
        head = hash_of(line)
        if fields["kind"] == "batch":
            yield _place(fields, head)


def _place(fields: dict[str, Any], head: str) -> Place:
    return Place(
        fields["batch"],
        fields["last_seq"],
        fields["at_ns"],
        head,
        fields["journalHash"],
        fields["names"],
    )


def _is_batch(line: bytes) -> bool:
    try:
        return bool(json.loads(line)["kind"] == "batch")
    except ValueError:
        return False


def _number(line: bytes) -> int:
    return int(json.loads(line)["batch"])


def _packed(lines: bytes) -> bytes:
    return gzip.compress(lines, compresslevel=6, mtime=0)  # The same lines, the same bytes.


def _is_later(than_ns: int, at_ns: int, step_ns: int) -> bool:
    """Say whether a time lies in a later step than another one."""
    return at_ns // step_ns > than_ns // step_ns
