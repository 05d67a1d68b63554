"""What makes delivery exact: who has sent how far, and how every link stands.

These tables are part of a worker's state: a snapshot saves them and a state hash covers them.
"""

from typing import Any

from apps.journals import wire

SOURCE_FORGOTTEN_NS = 600 * 10**9
"""Header time after its last frame at which a source is forgotten. Part of the protocol."""

LinkEnd = tuple[int, bytes]  # The last frame's number and link hash.
LINK_START: LinkEnd = (0, bytes(wire.HASH_BYTES))


class LinkBroken(Exception):
    """A link has a gap, or another history than the one we have read. Never skipped: stop."""


class Sources:
    """The sources of one command stream: each one's last frame number, and when it came."""

    def __init__(self) -> None:
        # Longest silent first: a frame moves its source to the end.
        self._last: dict[bytes, tuple[int, int]] = {}

    def admit(self, source: bytes, number: int, at_ns: int) -> str | None:
        """Count a frame. Returns None to take it, "" for a repeat, else the refusal's code."""
        last = self._last.pop(source, None)
        if last is None and number > 1:
            return "unknown_source"
        if last is not None and number != last[0] + 1:
            self._last[source] = (last[0], at_ns)
            return "" if number <= last[0] else "gap"
        self._last[source] = (number, at_ns)
        return None

    def forget_silent(self, at_ns: int) -> None:
        """Drop the sources that have been silent for too long by header time."""
        horizon = at_ns - SOURCE_FORGOTTEN_NS
        for source, (_, seen_ns) in list(self._last.items()):
            if seen_ns >= horizon:
                break
            del self._last[source]

    @property
    def oldest_ns(self) -> int | None:
        """When the longest silent source was heard last."""
        for _, seen_ns in self._last.values():
            return seen_ns
        return None

    def dump(self) -> dict[str, list[int]]:
        """Return the table with plain keys."""
        return {source.hex(): list(last) for source, last in self._last.items()}

    def load(self, state: dict[str, list[int]]) -> None:
        """Take over a dumped table, in the order that `forget_silent` needs."""
        rows = sorted(state.items(), key=lambda row: row[1][1])
        self._last = {bytes.fromhex(key): (number, at_ns) for key, (number, at_ns) in rows}


class Links:
    """The links of a worker, both ways: the last number and hash per peer."""

    def __init__(self) -> None:
        self.read: dict[str, LinkEnd] = {}
        self.written: dict[str, LinkEnd] = {}

    def add(self, peer: str) -> bool:
        """Know a peer from now on, both ways. True if it is new."""
        is_new = peer not in self.read
        self.read.setdefault(peer, LINK_START)
        self.written.setdefault(peer, LINK_START)
        return is_new

    def admit(self, peer: str, *, number: int, frame: bytes, claimed: bytes) -> bool:
        """Count a frame read. True to take it, False for one that was seen; else LinkBroken."""
        last, previous = self.read[peer]
        if number == last and claimed == previous:
            return False
        if number < last:
            return False  # The frames after it, which we have read, chain to it.
        if number != last + 1:
            raise LinkBroken(f"link from {peer}: frame {number} came after frame {last}")
        if claimed != wire.link_hash(previous, number=number, body=frame):
            raise LinkBroken(f"link from {peer}: frame {number} does not follow what we have read")
        self.read[peer] = (number, claimed)
        return True

    def append(self, peer: str, frame: bytes) -> LinkEnd:
        """Number and chain a frame that is written to a peer."""
        last, previous = self.written[peer]
        number = last + 1
        self.written[peer] = (number, wire.link_hash(previous, number=number, body=frame))
        return self.written[peer]

    def dump(self) -> dict[str, Any]:
        """Return both tables."""
        return {
            "read": {peer: list(end) for peer, end in self.read.items()},
            "written": {peer: list(end) for peer, end in self.written.items()},
        }

    def load(self, state: dict[str, Any]) -> None:
        """Take over dumped tables."""
        self.read = {peer: (number, end) for peer, (number, end) in state["read"].items()}
        self.written = {peer: (number, end) for peer, (number, end) in state["written"].items()}
