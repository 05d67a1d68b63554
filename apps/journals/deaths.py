"""Counts a worker's deaths at one place of its record: after three, somebody has to look.

A note on disk says "trying" before a worker recovers and before its first batch as owner; writing
that batch takes the note away. One that is still there at a start is a death. A worker that is
killed while it waits for work leaves none.
"""

from pathlib import Path

import msgspec

DEATHS_MAX = 3


class Note(msgspec.Struct, frozen=True):
    """How often a worker died after which batch."""

    batch: int
    deaths: int


class Deaths:
    """The note of one member of one worker."""

    def __init__(self, directory: Path, worker: str, member: str) -> None:
        self._path = directory / worker.replace(":", "-") / f"deaths-{member}.json"
        self._before: Note | None = None  # What the note said when this try began.
        self._is_trying = False

    def are_too_many(self, *, batch: int) -> bool:
        """Tell whether to stay stopped. Said once: a person who starts us gets three new tries."""
        note = self._read()
        if note is None or note.batch != batch or note.deaths < DEATHS_MAX:
            return False
        self._path.unlink(missing_ok=True)
        return True

    def trying(self, *, batch: int) -> None:
        """Note that we are about to go on from this batch: if nothing follows, we died."""
        if self._is_trying:
            return
        self._is_trying = True
        note = self._read()
        self._before = note if note is not None and note.batch == batch else None
        deaths = self._before.deaths if self._before is not None else 0
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_bytes(msgspec.json.encode(Note(batch, deaths + 1)))

    def not_this_time(self) -> None:
        """End a try that proved nothing: the note says what it said before."""
        if not self._is_trying:
            return
        self._is_trying = False
        if self._before is None:
            self._path.unlink(missing_ok=True)
        else:
            self._path.write_bytes(msgspec.json.encode(self._before))

    def survived(self) -> None:
        """Take the note away: we wrote a batch."""
        self._is_trying = False
        self._path.unlink(missing_ok=True)

    def _read(self) -> Note | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Note)
        except (FileNotFoundError, msgspec.MsgspecError):
            return None
