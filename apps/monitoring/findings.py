"""What a verifier has looked at so far, and what was wrong, by invariant."""

from __future__ import annotations

from apps.monitoring.contracts import INVARIANTS, Invariant

NOT_BUILT = {
    "I2": "custody is not built yet: there is nothing on chain to compare with",
    "I11": "pending transfers between wallets are not built yet",
}


class Findings:
    """Counts per invariant, and the first violation of each, named."""

    def __init__(self) -> None:
        self._checked = dict.fromkeys(INVARIANTS, 0)
        self._violations = dict.fromkeys(INVARIANTS, 0)
        self._first: dict[str, str] = {}
        self.newest = ""  # What was found wrong last.
        self._skipped: dict[str, str] = dict(NOT_BUILT)

    @property
    def count(self) -> int:
        """How much was wrong so far."""
        return sum(self._violations.values())

    def checked(self, invariant: str, count: int = 1) -> None:
        """Count what was looked at."""
        self._checked[invariant] += count

    def violated(self, invariant: str, what: str) -> None:
        """Record a violation; the first one of each invariant is the one that is named."""
        self._violations[invariant] += 1
        self.newest = f"{invariant}: {what}"
        self._first.setdefault(invariant, what)

    def claim(self, invariant: str, holds: bool, what: str) -> None:
        """Look at one thing."""
        self._checked[invariant] += 1
        if not holds:
            self.violated(invariant, what)

    def skip(self, invariant: str, why: str) -> None:
        """Say why an invariant (or a part of it) was not looked at."""
        self._skipped.setdefault(invariant, why)

    @property
    def ok(self) -> bool:
        """Whether nothing was wrong."""
        return not any(self._violations.values())

    @property
    def first(self) -> str | None:
        """The first violation of the lowest invariant, named."""
        for invariant in INVARIANTS:
            if invariant in self._first:
                return f"{invariant}: {self._first[invariant]}"
        return None

    def invariants(self) -> list[Invariant]:
        """Return all invariants in order."""
        return [self._invariant(name) for name in INVARIANTS]

    def _invariant(self, name: str) -> Invariant:
        violations, checked = self._violations[name], self._checked[name]
        ok: bool | None = violations == 0
        if not violations and (name in NOT_BUILT or (name in self._skipped and not checked)):
            ok = None
        return Invariant(
            id=name,
            ok=ok,
            checked=checked,
            violations=violations,
            first=self._first.get(name),
            skipped=self._skipped.get(name),
        )
