"""The clock of decisions: 5 minutes, 24 hours, 5 and 10 working days (Monday to Friday, UTC)."""

from __future__ import annotations

from datetime import datetime, timedelta

from apps.kyc.requirements import AUTOMATIC_UP_TO, CLOCKS

_SATURDAY = 5


def due_at(*, tier: int, started_at: datetime, spent: timedelta = timedelta(0)) -> datetime:
    """Return by when it must be decided; `spent` was used up before the person was asked for more.

    Working days start anew with an answer, and end at the same time of day.
    """
    if tier <= AUTOMATIC_UP_TO:
        return started_at + max(timedelta(0), CLOCKS[tier] - spent)
    return _after_working_days(started_at, CLOCKS[tier].days)


def _after_working_days(start: datetime, days: int) -> datetime:
    """Go on by so many days that are no Saturday and no Sunday."""
    day = start
    while days > 0:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            days -= 1
    return day


def percentile(sorted_values: list[float], share: float) -> float | None:
    """Return the value below which a share of them lies (nearest rank); None of nothing."""
    if not sorted_values:
        return None
    rank = max(1, -(-int(share * 1000) * len(sorted_values) // 1000))
    return sorted_values[min(rank, len(sorted_values)) - 1]
