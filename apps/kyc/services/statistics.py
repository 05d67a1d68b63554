"""How the clock stands: what waits, what is late, how long decisions took."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import Count, Q

from apps.kyc import locks
from apps.kyc.metrics import OVERDUE, WAITING
from apps.kyc.models import Application
from apps.kyc.requirements import CLOCK_WORDS, TIER_NAMES, TIERS
from apps.kyc.services import reviews
from apps.kyc.services.moving import record

_log = structlog.get_logger("fairbook.kyc")


def clock_row(row: Application, now: datetime) -> dict[str, Any]:
    """Return an application with its time left, in words, and whether that is over."""
    ends = row.decided_at or now
    left_s = (row.due_at - ends).total_seconds() if row.due_at is not None else None
    return {
        "row": row,
        "left_s": left_s,
        "left": "" if left_s is None else in_words(left_s),
        "is_late": left_s is not None and left_s < 0,
    }


def in_words(seconds: float) -> str:
    """Write a time as people say it: 3 d 4 h, 5 h 10 min, 4 min 20 s, or that much too late."""
    whole = int(abs(seconds))
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        text = f"{days} d {hours} h"
    elif hours:
        text = f"{hours} h {minutes} min"
    else:
        text = f"{minutes} min {whole % 60} s"
    return text if seconds >= 0 else f"{text} late"


def figures(now: datetime) -> list[dict[str, Any]]:
    """Return per tier what waits, what is late, and today's median and p95."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    counted = _counted(now)
    rows = []
    for tier in TIERS:
        decided, median, p95 = reviews.took(midnight, tier=tier)
        waiting, late = counted.get(tier, (0, 0))
        rows.append(
            {
                "tier": tier,
                "name": TIER_NAMES[tier],
                "clock": CLOCK_WORDS[tier],
                "waiting": waiting,
                "late": late,
                "decided": decided,
                "median": "–" if median is None else in_words(median),
                "p95": "–" if p95 is None else in_words(p95),
            }
        )
    return rows


def _counted(now: datetime) -> dict[int, tuple[int, int]]:
    rows = Application.objects.on_the_clock().values("tier")
    late = Count("pk", filter=Q(due_at__lt=now))
    return {
        row["tier"]: (row["waiting"], row["late"])
        for row in rows.annotate(waiting=Count("pk"), late=late).order_by("tier")
    }


def watch(now: datetime) -> int:
    """Say aloud, once for each application, that its time is over; return how many it said."""
    for tier in TIERS:
        waiting, late = _counted(now).get(tier, (0, 0))
        WAITING.labels(str(tier)).set(waiting)
        OVERDUE.labels(str(tier)).set(late)
    over = Application.objects.on_the_clock().filter(due_at__lt=now, breach_told_at=None)
    return sum(_tell(pk, now) for pk in over.order_by("pk").values_list("pk", flat=True)[:200])


@transaction.atomic
def _tell(pk: int, now: datetime) -> bool:
    row = locks.lock_application(pk)
    if row.breach_told_at is not None or row.due_at is None:
        return False
    row.breach_told_at = now
    row.save(update_fields=["breach_told_at"])
    record("kyc.clock_breached", row, by="system", state=row.state)
    _log.error(
        "kyc.clock.breached",
        application=str(row.public_id),
        tier=row.tier,
        state=row.state,
        late_s=int((now - row.due_at).total_seconds()),
    )
    return True
