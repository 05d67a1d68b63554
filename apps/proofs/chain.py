"""The outside chain: canonical JSON lines, each naming the SHA-256 of the one before it.

A line is ASCII JSON with sorted keys and no blanks; its hash is that of its bytes without the line
break. Whoever has a hash has all that stands before it. Standard library only, like whoever checks.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
DAY_NS = 86_400 * SECOND_NS
START = "0" * 64
FORMAT = "fairbook.proof.v1"


def canonical(value: object) -> bytes:
    """Return the one way to write a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def hash_of(line: bytes) -> str:
    """Return the hash of a line without its line break."""
    return hashlib.sha256(line).hexdigest()


def day_of(at_ns: int) -> str:
    """Return the UTC day of a header time."""
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).strftime("%Y-%m-%d")


class Chain:
    """Where the chain of one market stands."""

    def __init__(self, market: str, head: str = START) -> None:
        self.market = market
        self.head = head

    def state_line(self, *, at_ns: int, batch: int, names: str, state: dict[str, Any]) -> bytes:
        """Begin a day: the book behind `batch`, before the first batch of the day of `at_ns`."""
        return self._add(
            {
                "kind": "state",
                "format": FORMAT,
                "day": day_of(at_ns),
                "batch": batch,
                "names": names,
                "state": state,
                "stateHash": hash_of(canonical(state)),
            }
        )

    def batch_line(self, header: dict[str, Any], inputs: list[Any], outputs: list[Any]) -> bytes:
        """Add a batch: its header, what it took in the order taken, what the market saw of it."""
        return self._add({"kind": "batch", **header, "inputs": inputs, "outputs": outputs})

    def _add(self, fields: dict[str, Any]) -> bytes:
        line = canonical({**fields, "market": self.market, "prev": self.head})
        self.head = hash_of(line)
        return line
