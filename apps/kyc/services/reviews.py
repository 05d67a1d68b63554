"""What staff decide: one takes a case and decides or asks; from tier 3 on a second one agrees."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_noop

from apps.common.errors import Refusal
from apps.kyc import clock, locks, reasons
from apps.kyc.models import Application, State
from apps.kyc.requirements import AUTOMATIC_UP_TO
from apps.kyc.services import deciding
from apps.kyc.services.moving import move, record

WORDS_MIN = 3


class NotInReview(Refusal):
    """Nobody has this application in front of them, or it is over."""

    code = "not_in_review"
    http_status = 409


class TakenByAnother(Refusal):
    """A colleague has it in front of them."""

    code = "taken_by_another"
    http_status = 409


class SecondPersonNeeded(Refusal):
    """Who approved first cannot be the second, and nobody decides about themselves."""

    code = "second_person_needed"
    http_status = 403


class ReasonNeeded(Refusal):
    """A decision needs a reason of the list, and words where the person is asked or refused."""

    code = "reason_needed"


@transaction.atomic(durable=True)
def take(*, application_id: int, staff_id: int, at: datetime) -> Application:
    """Put a case in front of somebody; a second person takes what a first one approved."""
    by = f"staff:{staff_id}"
    application = locks.lock_application(application_id)
    _check_not_own(application, staff_id)
    if application.state == State.IN_REVIEW:
        if application.taken_by not in ("", by):
            raise TakenByAnother("A colleague has this one in front of them.")
        application.taken_by = by
        application.save(update_fields=["taken_by"])
        return application
    waits = application.state == State.REFERRED or (
        application.state == State.PASSED and application.tier > AUTOMATIC_UP_TO
    )
    if not waits:
        raise NotInReview("This one does not wait for a person.", state=application.state)
    move(application, State.IN_REVIEW, by=by, at=at, taken_by=by)
    record("kyc.taken", application, by=by)
    return application


@transaction.atomic(durable=True)
def put_back(*, application_id: int, staff_id: int, at: datetime) -> Application:
    """Leave a case to others: it waits in the queue again, with its first approval."""
    application = _lock_own(application_id, staff_id)
    by = f"staff:{staff_id}"
    application.reason_code = application.reason_code or "put_back"
    move(
        application, State.REFERRED, by=by, at=at, taken_by="", reason_code=application.reason_code
    )
    record("kyc.put_back", application, by=by)
    return application


@transaction.atomic(durable=True)
def approve(*, application_id: int, staff_id: int, reason: str, at: datetime) -> Application:
    """Approve; from tier 3 on this is the first or the second of two people."""
    _check_reason(reason, reasons.APPROVE)
    application = _lock_own(application_id, staff_id)
    by = f"staff:{staff_id}"
    if application.tier > AUTOMATIC_UP_TO and application.first_by == "":
        application.first_by, application.taken_by = by, ""
        application.save(update_fields=["first_by", "taken_by"])
        record("kyc.approved_first", application, by=by, reason=reason)
        return application
    if application.first_by == by:
        raise SecondPersonNeeded("Another person has to agree.")
    deciding.approve(application, by=by, reason=reason, at=at)
    return application


@transaction.atomic(durable=True)
def refuse(
    *, application_id: int, staff_id: int, reason: str, words: str, at: datetime
) -> Application:
    """Refuse, with a reason and with words that the person reads."""
    _check_reason(reason, reasons.REFUSE, words)
    application = _lock_own(application_id, staff_id)
    deciding.refuse(application, by=f"staff:{staff_id}", reason=reason, words=words, at=at)
    return application


@transaction.atomic(durable=True)
def ask_for_more(
    *, application_id: int, staff_id: int, reason: str, words: str, at: datetime
) -> Application:
    """Ask the person for more: it is their turn, and our clock stands still."""
    _check_reason(reason, reasons.MORE, words)
    application = _lock_own(application_id, staff_id)
    by = f"staff:{staff_id}"
    started = application.clock_started_at or at
    move(
        application,
        State.MORE_WANTED,
        by=by,
        at=at,
        reason=reason,
        reason_code=reason,
        words=words,
        taken_by="",
        first_by="",
        due_at=None,
        spent_s=application.spent_s + int((at - started).total_seconds()),
    )
    record("kyc.more_wanted", application, by=by, reason=reason)
    deciding.ask(application)
    return application


def _lock_own(application_id: int, staff_id: int) -> Application:
    """Lock a case that this person has, or that nobody has since a first one approved it."""
    application = locks.lock_application(application_id)
    _check_not_own(application, staff_id)
    if application.state != State.IN_REVIEW:
        raise NotInReview("This one is not in review.", state=application.state)
    if application.taken_by not in ("", f"staff:{staff_id}"):
        raise TakenByAnother("A colleague has this one in front of them.")
    return application


def _check_not_own(application: Application, staff_id: int) -> None:
    if application.user_id == staff_id:
        raise SecondPersonNeeded("Nobody decides about themselves.")


def _check_reason(
    reason: str, known: tuple[tuple[str, str], ...], words: str | None = None
) -> None:
    problems = {}
    if reason not in dict(known):
        problems["reason"] = gettext_noop("Please choose a reason.")
    if words is not None and len(words.strip()) < WORDS_MIN:
        problems["words"] = gettext_noop("Please say it in words, too.")
    if problems:
        raise ReasonNeeded("A decision needs a reason.", fields=problems)


def spent_s(application: Application) -> float:
    """Return how long an application that is decided was on our side, in seconds."""
    if application.decided_at is None or application.clock_started_at is None:
        return 0.0
    last = (application.decided_at - application.clock_started_at).total_seconds()
    return application.spent_s + last


def took(since: datetime, *, tier: int | None = None) -> tuple[int, float | None, float | None]:
    """Return how many were decided since a moment, and their median and p95 in seconds."""
    rows = Application.objects.filter(decided_at__gte=since)
    if tier is not None:
        rows = rows.filter(tier=tier)
    seconds = sorted(spent_s(row) for row in rows)
    return len(seconds), clock.percentile(seconds, 0.5), clock.percentile(seconds, 0.95)
