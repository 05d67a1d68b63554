"""The lines of one market: what its book was given and said, under the day's pseudonyms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from apps.journals import wire
from apps.journals.contracts import FrameRefused
from apps.journals.machine import Input, Origin
from apps.proofs.chain import START, Chain, day_of
from apps.proofs.hiding import public_message, public_state
from apps.proofs.pseudonyms import DayNames, day_secret

Heard = tuple[Origin, list[msgspec.Struct]]
"""A run of messages that a book was given in one call, and where they came from."""


class Lines:
    """Makes one market's lines, one after the other."""

    def __init__(self, market: str, secret: bytes, *, head: str = START, at_ns: int = 0) -> None:
        self._market, self._secret = market, secret
        self._chain = Chain(market, head)
        self._names = self.names_of(at_ns)

    @property
    def head(self) -> str:
        """The hash of the last line."""
        return self._chain.head

    @property
    def mark(self) -> str:
        """Tells by which secret this day's pseudonyms are."""
        return self._names.mark

    def names_of(self, at_ns: int) -> DayNames:
        """Return the pseudonyms of the day that this time lies in."""
        secret = day_secret(self._secret, market=self._market, day=day_of(at_ns))
        return DayNames(secret)

    def begin_day(self, *, at_ns: int, batch: int, state: object) -> bytes:
        """Begin the day of this time with a book's state behind `batch`."""
        names = self.names_of(at_ns)
        shown = public_state(state, names)
        self._names = names
        return self._chain.state_line(at_ns=at_ns, batch=batch, names=names.mark, state=shown)

    def batch(
        self,
        header: wire.Header,
        *,
        inside: bytes,
        heard: Sequence[Heard],
        said: Sequence[msgspec.Struct],
    ) -> bytes:
        """Add a batch."""
        refused = [event for event in said if isinstance(event, FrameRefused)]
        events = [event for event in said if not isinstance(event, FrameRefused)]
        return self._chain.batch_line(
            {
                "batch": header.batch,
                "at_ns": header.at_ns,
                "first_seq": header.first_seq,
                "last_seq": header.last_seq,
                "rules": header.rules,
                "names": self.mark,
                "journalHash": inside.hex(),
                "refused": [[r.stream, list(r.entry), r.index, r.code] for r in refused],
            },
            [self._run(origin, commands) for origin, commands in heard],
            [public_message(event, self._names) for event in events],
        )

    def _run(self, origin: Origin, commands: list[msgspec.Struct]) -> list[Any]:
        messages = [public_message(command, self._names) for command in commands]
        if origin.kind is Input.LINK:
            return [origin.kind.value, origin.peer, list(origin.passed), messages]
        return [origin.kind.value, messages]
