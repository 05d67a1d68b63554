"""Reads about applications, papers and verifications, and the access functions."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from apps.common.errors import Refusal
from apps.kyc.models import (
    Application,
    ApplicationQuerySet,
    Document,
    Verification,
    VerificationQuerySet,
)


class NoSuchApplication(Refusal):
    """Another's application and no application look the same from here."""

    code = "no_such_application"
    http_status = 404


class NoSuchDocument(Refusal):
    """Another's document and no document look the same from here."""

    code = "no_such_document"
    http_status = 404


def application_for(*, user_id: int, public_id: UUID) -> Application:
    """Return an application of this person, or refuse."""
    found = Application.objects.owned_by(user_id).filter(public_id=public_id).first()
    if found is None:
        raise NoSuchApplication("There is no such application.")
    return found


def applications_of(user_id: int) -> ApplicationQuerySet:
    """Return a person's applications, newest first."""
    return Application.objects.owned_by(user_id).order_by("-pk")


def open_application(user_id: int) -> Application | None:
    """Return the application of a person that is not over."""
    return Application.objects.owned_by(user_id).are_open().first()


def papers_of(application: Application) -> QuerySet[Document]:
    """Return the papers of an application that count, in the order they came."""
    return Document.objects.filter(application=application, replaced_at=None).order_by("pk")


def live_verifications(user_id: int) -> VerificationQuerySet:
    """Return what a person is verified for, lowest tier first."""
    return Verification.objects.owned_by(user_id).live().order_by("tier")


def verified_tier(user_id: int) -> int:
    """Return the highest tier whose own and lower needs are all met; 0 without any."""
    live = set(live_verifications(user_id).values_list("tier", flat=True))
    return next((tier - 1 for tier in range(1, 6) if tier not in live), 4)


def checks_that_wait(*, since: datetime) -> list[int]:
    """Return applications whose checks nobody began, or somebody left, before a moment."""
    waiting = Application.objects.waiting_for_checks().filter(moved_at__lt=since)
    stale = waiting.exclude(tried_at__gte=since).order_by("moved_at", "pk")
    return list(stale.values_list("pk", flat=True)[:200])
