"""The circuit breaker: a market that runs too far from its reference pauses by itself."""

from typing import Any

import msgspec

from apps.common.kernel.money import PPM
from matching_worker.contracts.market import BreakerSet, MarketState
from matching_worker.engine.limits import SECOND_NS

NOT_PAUSED = -1

_PAUSE: tuple[MarketState, str] = ("cancel_only", "circuit breaker")
_POST_ONLY: tuple[MarketState, str] = ("post_only", "circuit breaker: post-only")
_OVER: tuple[MarketState, str] = ("trading", "circuit breaker: over")


class Breaker:
    """Its numbers, and which phase of a pause comes next, and when."""

    __slots__ = ("due_ns", "is_post_only_next", "terms")

    def __init__(self) -> None:
        self.terms = BreakerSet(0)
        self.due_ns = NOT_PAUSED
        self.is_post_only_next = False

    def is_tripped_by(self, price: int, reference: int) -> bool:
        """Say whether a trade at this price is too far from the reference."""
        ppm = self.terms.ppm
        return ppm > 0 and abs(price - reference) * PPM >= reference * ppm

    def trip(self, at_ns: int) -> tuple[MarketState, str]:
        """Begin the pause. Returns the market's state, and why."""
        self.due_ns = at_ns + self.terms.cancel_only_s * SECOND_NS
        self.is_post_only_next = True
        return _PAUSE

    def go_on(self, at_ns: int) -> tuple[MarketState, str]:
        """Take the next step back to trading."""
        if self.is_post_only_next:
            self.due_ns = at_ns + self.terms.post_only_s * SECOND_NS
            self.is_post_only_next = False
            return _POST_ONLY
        self.forget()
        return _OVER

    def forget(self) -> None:
        """End the sequence: somebody else decides."""
        self.due_ns = NOT_PAUSED
        self.is_post_only_next = False

    def dump(self) -> list[object] | None:
        """Return the state as a plain list, None if there is nothing to tell."""
        if not self.terms.ppm and self.due_ns == NOT_PAUSED:
            return None
        return [*msgspec.structs.astuple(self.terms), self.due_ns, self.is_post_only_next]

    def load(self, dumped: list[Any]) -> None:
        """Take a dumped state's place."""
        *terms, self.due_ns, self.is_post_only_next = dumped
        self.terms = BreakerSet(*terms)
