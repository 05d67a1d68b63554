"""References of value commands: each moves value once per kind.

The relay and the links already deliver exactly once; this window (7 days, never under 24 hours
when it is full) catches a sender that asks twice. After it the ledger's UNIQUE has the last word.
"""

from apps.risk.engine import limits
from apps.risk.engine.aging import Aging


class References:
    """What was asked for by which reference, for a while."""

    __slots__ = ("ended", "known")

    def __init__(self) -> None:
        self.known: set[str] = set()
        self.ended = Aging()

    def has(self, kind: str, reference: str) -> bool:
        """Say whether this reference was taken before."""
        return f"{kind}/{reference}" in self.known

    def make_room(self, at_ns: int) -> bool:
        """Say whether one more may be remembered; a full window forgets its oldest."""
        if len(self.known) < limits.REFERENCES_MAX:
            return True
        return self._forget_older(at_ns - limits.REFERENCE_YOUNGEST_NS)

    def open(self, kind: str, reference: str) -> None:
        """Remember a reference for as long as what it began goes on."""
        self.known.add(f"{kind}/{reference}")

    def close(self, kind: str, reference: str, at_ns: int) -> None:
        """Let an opened reference age from now on."""
        self.ended.push(f"{kind}/{reference}", at_ns=at_ns)

    def keep(self, kind: str, reference: str, at_ns: int) -> None:
        """Remember the reference of what happened at once."""
        self.open(kind, reference)
        self.close(kind, reference, at_ns)

    def age(self, at_ns: int) -> None:
        """Forget what is older than the window, some each batch."""
        for _ in range(limits.AGED_PER_BATCH_MAX):
            if not self._forget_older(at_ns - limits.REFERENCE_KEPT_NS):
                return

    def _forget_older(self, than_ns: int) -> bool:
        key = self.ended.pop_older(than_ns)
        if key is None:
            return False
        self.known.discard(key)
        return True
