"""What a person does about an application: begin, answer, submit, withdraw."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction

from apps.common.errors import Refusal
from apps.kyc import clock, locks, selectors
from apps.kyc.models import Application, State, Step
from apps.kyc.requirements import DRAFT_DAYS, RENEW_WITHIN_DAYS, needs_of
from apps.kyc.services import answers
from apps.kyc.services.moving import move, record
from apps.users import selectors as users
from apps.users.services.accounts import NoTradingAccount

YOURS = (State.DRAFT, State.MORE_WANTED)  # The person's turn.
MAY_LEAVE = (State.DRAFT, State.SUBMITTED, State.PASSED, State.REFERRED, State.MORE_WANTED)


class AnotherIsOpen(Refusal):
    """The person has an application for another tier that is not over."""

    code = "application_open"
    http_status = 409


class HeldAlready(Refusal):
    """The person holds this tier, and it does not end soon."""

    code = "tier_held"
    http_status = 409


class NotYourTurn(Refusal):
    """The application is not open for changes at the moment."""

    code = "not_your_turn"
    http_status = 409


class Incomplete(Refusal):
    """Something is missing; `data` lists the answers and the papers."""

    code = "application_incomplete"
    http_status = 409


@transaction.atomic(durable=True)
def begin(*, user_id: int, tier: int, at: datetime) -> Application:
    """Begin an application, or return the open one for the same tier.

    It asks for whatever of this tier and the ones below the person is not verified for.
    """
    standing = users.standing_for_user(user_id)
    if standing is None:
        raise NoTradingAccount("You have no trading account.")
    known = Application.objects.owned_by(user_id).are_open().first()
    if known is None:
        covers = _covers(user_id, tier, standing.kyc_tier, at)
        try:
            with transaction.atomic():
                known = Application.objects.create(
                    user_id=user_id, tier=tier, covers=covers, created_at=at, moved_at=at
                )
        except IntegrityError:  # Begun at the same moment from another page.
            known = Application.objects.owned_by(user_id).are_open().get()
        else:
            Step.objects.create(application=known, state=State.DRAFT, by=f"user:{user_id}", at=at)
            record("kyc.begun", known, by=f"user:{user_id}")
    if known.tier != tier:
        raise AnotherIsOpen("Finish or withdraw your other application first.", tier=known.tier)
    return known


def _covers(user_id: int, tier: int, held: int, at: datetime) -> list[int]:
    soon = at + timedelta(days=RENEW_WITHIN_DAYS)
    live = list(selectors.live_verifications(user_id))
    lasting = {row.tier for row in live if row.valid_until is None or row.valid_until > soon}
    covers = [each for each in range(1, tier + 1) if each not in lasting]
    was_given = tier <= held and tier not in {row.tier for row in live}  # The demo's people.
    if tier not in covers or was_given:
        raise HeldAlready("You are verified for this tier.", tier=tier)
    return covers


@transaction.atomic(durable=True)
def answer(*, user_id: int, public_id: UUID, given: Mapping[str, str], at: datetime) -> Application:
    """Keep some answers of a draft, sealed. Those given before are replaced."""
    application = for_change(user_id=user_id, public_id=public_id)
    answers.keep(application, given, at=at)
    return application


@transaction.atomic(durable=True)
def submit(*, user_id: int, public_id: UUID, at: datetime) -> Application:
    """Hand an application in: the clock starts. Handed in already, it is returned as it is."""
    application = locks.lock_application(
        selectors.application_for(user_id=user_id, public_id=public_id).pk
    )
    if application.state in (State.SUBMITTED, State.CHECKING):
        return application
    if application.state not in YOURS:
        raise NotYourTurn("This application is not open for changes.", state=application.state)
    _check_is_whole(application)
    spent = timedelta(seconds=application.spent_s)
    move(
        application,
        State.SUBMITTED,
        by=f"user:{user_id}",
        at=at,
        round=application.round + 1,
        tries=0,
        tried_at=None,
        submitted_at=application.submitted_at or at,
        clock_started_at=at,
        due_at=clock.due_at(tier=application.tier, started_at=at, spent=spent),
        taken_by="",
        first_by="",
        reason_code="",
        words="",
        breach_told_at=None,
    )
    record("kyc.submitted", application, by=f"user:{user_id}", round=application.round)
    return application


def _check_is_whole(application: Application) -> None:
    needs = needs_of(frozenset(application.covers))
    given = set(application.answers.values_list("question", flat=True))
    sent = set(selectors.papers_of(application).values_list("kind", flat=True))
    missing = [question.name for question in needs.questions if question.name not in given]
    papers = [paper.kind for paper in needs.papers if paper.kind not in sent]
    if missing or papers:
        raise Incomplete("Something is missing.", answers=missing, documents=papers)


@transaction.atomic(durable=True)
def withdraw(*, user_id: int, public_id: UUID, at: datetime) -> Application:
    """End an application at the person's own wish; what was sent stays until retention ends."""
    application = locks.lock_application(
        selectors.application_for(user_id=user_id, public_id=public_id).pk
    )
    if application.state == State.WITHDRAWN:
        return application
    if application.state not in MAY_LEAVE:
        raise NotYourTurn("It is being decided at the moment.", state=application.state)
    move(application, State.WITHDRAWN, by=f"user:{user_id}", at=at)
    record("kyc.withdrawn", application, by=f"user:{user_id}")
    return application


def expire_idle(*, at: datetime) -> int:
    """End drafts and questions that nobody answered for 30 days; return how many."""
    idle = Application.objects.filter(
        state__in=YOURS, moved_at__lt=at - timedelta(days=DRAFT_DAYS)
    ).values_list("pk", flat=True)
    return sum(_expire(pk, at) for pk in idle)


@transaction.atomic
def _expire(pk: int, at: datetime) -> bool:
    application = locks.lock_application(pk)
    if application.state not in YOURS:
        return False
    move(application, State.EXPIRED, by="system", at=at, reason="idle")
    record("kyc.expired", application, by="system")
    return True


def for_change(*, user_id: int, public_id: UUID) -> Application:
    """Lock a person's application, or refuse if it is not their turn."""
    found = selectors.application_for(user_id=user_id, public_id=public_id)
    application = locks.lock_application(found.pk)
    if application.state not in YOURS:
        raise NotYourTurn("This application is not open for changes.", state=application.state)
    return application
