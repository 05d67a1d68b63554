"""The two ends of an application, and what an approval gives. Callers hold the row's lock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from apps.kyc import locks, selectors
from apps.kyc.models import Application, Check, State, Verification
from apps.kyc.requirements import TIER_2_YEARS, TIER_NAMES
from apps.kyc.services.moving import move, record
from apps.users import selectors as users
from apps.users.services import accounts, mail

_YEAR = timedelta(days=365)


def approve(application: Application, *, by: str, reason: str, at: datetime) -> None:
    """Approve: the person holds the tier, and every edge hears of it."""
    move(
        application,
        State.APPROVED,
        by=by,
        at=at,
        reason=reason,
        decided_at=at,
        decided_by=by,
        reason_code=reason,
    )
    for row in locks.lock_verifications(application.user_id):
        if row.tier in application.covers:
            end(row, by=by, reason="renewed", at=at)
    Verification.objects.bulk_create(
        Verification(
            user_id=application.user_id,
            tier=tier,
            application=application,
            started_at=at,
            valid_until=_valid_until(application, tier, at),
        )
        for tier in application.covers
    )
    record("kyc.decided", application, by=by, decision="approved", reason=reason)
    _mail("kyc_approved", application)
    raise_tier(application.user_id, by=by)


def refuse(application: Application, *, by: str, reason: str, words: str, at: datetime) -> None:
    """Refuse, with a reason that the person is told."""
    move(
        application,
        State.REFUSED,
        by=by,
        at=at,
        reason=reason,
        decided_at=at,
        decided_by=by,
        reason_code=reason,
        words=words,
    )
    record("kyc.decided", application, by=by, decision="refused", reason=reason)
    _mail("kyc_refused", application)


def _mail(kind: str, application: Application) -> None:
    """Tell the person where they stand; why is on their page, and not in a mailbox."""
    mail.tell_person(
        kind,
        user_id=application.user_id,
        tier=application.tier,
        name=TIER_NAMES[application.tier],
        page=mail.site_url("/account/verification/"),
    )


def ask(application: Application) -> None:
    """Tell a person that more is wanted of them."""
    _mail("kyc_more_wanted", application)


def end(row: Verification, *, by: str, reason: str, at: datetime) -> None:
    """End one verification."""
    row.ended_at, row.ended_by, row.ended_reason = at, by, reason
    row.save(update_fields=["ended_at", "ended_by", "ended_reason"])


def raise_tier(user_id: int, *, by: str) -> None:
    """Give what an approval came to; an approval never takes anything away."""
    standing = users.standing_for_user(user_id)
    held = standing.kyc_tier if standing is not None else 0
    tier = max(held, selectors.verified_tier(user_id))
    accounts.set_kyc_tier(user_id=user_id, tier=tier, reason="kyc_approved", by=by)


def set_tier(user_id: int, *, by: str, reason: str) -> int:
    """Give a person's accounts the tier that their live verifications come to."""
    tier = selectors.verified_tier(user_id)
    accounts.set_kyc_tier(user_id=user_id, tier=tier, reason=reason, by=by)
    return tier


def _valid_until(application: Application, tier: int, at: datetime) -> datetime | None:
    """Say when a tier has to be shown anew: with the ID, and after five years at the latest.

    Source of funds and company papers are asked for again after a year.
    """
    if tier == 1:
        return None
    if tier > 2:
        return at + _YEAR
    latest = at + TIER_2_YEARS * _YEAR
    days = Check.objects.filter(application=application, round=application.round)
    said = days.exclude(valid_until=None).values_list("valid_until", flat=True)
    ends = [datetime.combine(day, time(0), UTC) for day in said if day is not None]
    return min([latest, *ends])
