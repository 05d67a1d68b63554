"""The dialect's candle intervals: where each begins and how long it lasts, in UTC milliseconds."""

from datetime import UTC, datetime

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
WEEK_MS = 7 * DAY_MS
MONDAY_MS = 4 * DAY_MS  # 1970-01-05, the first Monday: weeks begin on Mondays.
MONTH = "1M"

LENGTHS_MS: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
    "3d": 3 * DAY_MS,
    "1w": WEEK_MS,
}
INTERVALS: tuple[str, ...] = (*LENGTHS_MS, MONTH)


def opening(interval: str, at_ms: int) -> int:
    """Return when the candle that holds this moment began."""
    if interval == MONTH:
        month = datetime.fromtimestamp(at_ms / 1000, UTC).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        return int(month.timestamp()) * 1000
    offset = MONDAY_MS if interval == "1w" else 0
    length = LENGTHS_MS[interval]
    return (at_ms - offset) // length * length + offset


def following(interval: str, open_ms: int) -> int:
    """Return when the candle after the one that began at `open_ms` begins."""
    if interval == MONTH:
        return opening(MONTH, open_ms + 32 * DAY_MS)
    return open_ms + LENGTHS_MS[interval]


def earlier(interval: str, open_ms: int, count: int) -> int:
    """Return when the candle `count` candles before this one began."""
    if interval == MONTH:
        month = datetime.fromtimestamp(open_ms / 1000, UTC)
        months = max(month.year * 12 + month.month - 1 - count, 1970 * 12)
        return int(datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000
    return open_ms - count * LENGTHS_MS[interval]
