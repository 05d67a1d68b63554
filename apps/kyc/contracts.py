"""What other apps may learn of identity checks: answers, never the papers."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Left(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a person may still withdraw, in US cents. None: no limit by number."""

    tier: int
    day_cents: int | None
    day_used_cents: int
    month_cents: int | None
    month_used_cents: int
    at: datetime

    @property
    def left_cents(self) -> int | None:
        """What is left of the tighter window; None where neither has a limit."""
        rests = [
            max(0, most - used)
            for most, used in (
                (self.day_cents, self.day_used_cents),
                (self.month_cents, self.month_used_cents),
            )
            if most is not None
        ]
        return min(rests, default=None)


class Products(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What a tier may trade, before the country has its say."""

    spot: bool
    perpetual: bool
    sub_accounts: bool
