"""What a person is verified for ends: with their ID, by a decision, or when time is over."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from apps.common import audit
from apps.common.errors import Refusal
from apps.kyc import locks, reasons
from apps.kyc.models import Verification
from apps.kyc.requirements import TIER_NAMES, WARN_DAYS
from apps.kyc.services import deciding
from apps.users import selectors as users
from apps.users.services import accounts, mail

BATCH = 500


class NotLower(Refusal):
    """The person holds no higher tier than this."""

    code = "tier_not_lower"
    http_status = 409


class DowngradeReasonNeeded(Refusal):
    """A tier is taken away with a reason of the list, by somebody else."""

    code = "reason_needed"


@transaction.atomic(durable=True)
def downgrade(*, user_id: int, tier: int, staff_id: int, reason: str, at: datetime) -> None:
    """Take tiers away down to this one, at once and at every edge."""
    if reason not in dict(reasons.DOWNGRADE) or staff_id == user_id:
        raise DowngradeReasonNeeded(
            "A downgrade needs a reason.", fields={"reason": "Please choose a reason."}
        )
    rows = locks.lock_verifications(user_id)
    standing = users.standing_for_user(user_id)
    if standing is None or standing.kyc_tier <= tier:
        raise NotLower("The person holds no higher tier.", fields={"tier": "It is not lower."})
    by = f"staff:{staff_id}"
    for row in rows:
        if row.tier > tier:
            deciding.end(row, by=by, reason=reason, at=at)
    accounts.set_kyc_tier(user_id=user_id, tier=tier, reason=reason, by=by)
    _mail("kyc_tier_ended", user_id, tier=tier)


def end_run_out(*, at: datetime) -> int:
    """End verifications whose time is over; the person falls to what is left. Return how many."""
    people = Verification.objects.run_out(at).order_by("user_id").values_list("user_id", flat=True)
    return sum(_end_of_person(user_id, at) for user_id in people.distinct()[:BATCH])


@transaction.atomic
def _end_of_person(user_id: int, at: datetime) -> int:
    over = [
        row
        for row in locks.lock_verifications(user_id)
        if row.valid_until is not None and row.valid_until <= at
    ]
    for row in over:
        deciding.end(row, by="system", reason="expired", at=at)
        audit.record(
            "kyc.verification.expired", subject=f"user:{user_id}", actor="system", tier=row.tier
        )
    if over:
        tier = deciding.set_tier(user_id, by="system", reason="verification_expired")
        _mail("kyc_tier_ended", user_id, tier=tier)
    return len(over)


def warn(*, at: datetime) -> list[tuple[int, int, int]]:
    """Tell people that a tier ends in 30, 7 or 1 days, once for each of them.

    Returns who was told: (person, tier, days).
    """
    soon = Verification.objects.live().filter(
        valid_until__gt=at, valid_until__lte=at + timedelta(days=max(WARN_DAYS))
    )
    told = []
    for pk in soon.order_by("pk").values_list("pk", flat=True)[:BATCH]:
        notice = _warn_one(pk, at)
        if notice is not None:
            told.append(notice)
    return told


@transaction.atomic
def _warn_one(pk: int, at: datetime) -> tuple[int, int, int] | None:
    found = Verification.objects.get(pk=pk)
    locked = {row.pk: row for row in locks.lock_verifications(found.user_id)}
    row = locked.get(pk)
    if row is None or row.valid_until is None:
        return None
    left = row.valid_until - at
    days = min(step for step in WARN_DAYS if left <= timedelta(days=step))
    if row.warned_days is not None and row.warned_days <= days:
        return None
    row.warned_days = days
    row.save(update_fields=["warned_days"])
    audit.record(
        "kyc.renewal.due", subject=f"user:{row.user_id}", actor="system", tier=row.tier, days=days
    )
    _mail("kyc_renewal", row.user_id, tier=row.tier, days=days, until=row.valid_until)
    return row.user_id, row.tier, days


def _mail(kind: str, user_id: int, *, tier: int, **words: object) -> None:
    page = mail.site_url("/account/verification/")
    name = TIER_NAMES[tier]
    mail.tell_person(kind, user_id=user_id, tier=tier, name=name, page=page, **words)
