"""What is held of a person: told to them, and erased as far and as soon as law allows.

Papers and answers of applications that came to a decision are kept for FAIRBOOK_KYC_KEEP_DAYS
after their last step, and as long as a tier hangs on them. What was never submitted is kept for
nobody. Codes, times and decisions stay: they name nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from apps.common import audit
from apps.common.config import config
from apps.kyc import locks
from apps.kyc.models import (
    OPEN,
    Answer,
    Application,
    Document,
    DocumentPage,
    ErasureRequest,
    LimitUse,
    Verification,
)
from apps.kyc.services import answers

BATCH = 500


@transaction.atomic(durable=True)
def held(*, user_id: int) -> dict[str, Any]:
    """Return everything that is held of a person, as it would be written in JSON.

    Of papers it tells the facts; the pictures themselves are theirs already.
    """
    audit.record("kyc.data.exported", subject=f"user:{user_id}", actor=f"user:{user_id}")
    request = ErasureRequest.objects.filter(user_id=user_id).order_by("-pk").first()
    return {
        "applications": [
            _application(row) for row in Application.objects.owned_by(user_id).order_by("pk")
        ],
        "verifications": [
            {
                "tier": row.tier,
                "started_at": row.started_at,
                "valid_until": row.valid_until,
                "ended_at": row.ended_at,
                "ended_reason": row.ended_reason,
            }
            for row in Verification.objects.owned_by(user_id).order_by("pk")
        ],
        "withdrawals_counted": [
            {"reference": row.reference, "cents": str(row.cents), "at": row.at}
            for row in LimitUse.objects.filter(user_id=user_id).order_by("pk")
        ],
        "erasure_asked_at": None if request is None else request.asked_at,
        "kept_until": None if request is None else request.kept_until,
    }


def _application(row: Application) -> dict[str, Any]:
    return {
        "public_id": str(row.public_id),
        "tier": row.tier,
        "state": row.state,
        "created_at": row.created_at,
        "submitted_at": row.submitted_at,
        "decided_at": row.decided_at,
        "reason_code": row.reason_code,
        "words": row.words,
        "answers": answers.own(row),
        "documents": [
            {
                "public_id": str(paper.public_id),
                "kind": paper.kind,
                "media_type": paper.media_type,
                "size": paper.size,
                "pages": paper.pages_count,
                "uploaded_at": paper.uploaded_at,
                "replaced_at": paper.replaced_at,
                "erased_at": paper.erased_at,
                "looked_at": list(paper.reveals.order_by("pk").values_list("at", flat=True)),
            }
            for paper in row.documents.order_by("pk")
        ],
        "checks": list(
            row.checks.order_by("pk").values("round", "kind", "provider", "outcome", "codes", "at")
        ),
    }


@transaction.atomic(durable=True)
def ask_erasure(*, user_id: int, at: datetime) -> ErasureRequest:
    """Note that a person wants to be forgotten, and erase at once what nobody has to keep.

    Asked again while the first wish waits, it returns that one.
    """
    locks.lock_verifications(user_id)
    known = ErasureRequest.objects.filter(user_id=user_id, done_at=None).first()
    if known is not None:
        return known
    never_sent = Application.objects.owned_by(user_id).filter(round=0).exclude(state__in=OPEN)
    for pk in never_sent.order_by("pk").values_list("pk", flat=True):
        _erase(pk, at)
    kept = Application.objects.owned_by(user_id).filter(answers__isnull=False)
    last = kept.order_by("-moved_at").values_list("moved_at", flat=True).first()
    request = ErasureRequest.objects.create(
        user_id=user_id,
        asked_at=at,
        kept_until=None if last is None else last + _retention(),
        done_at=at if last is None else None,
    )
    audit.record("kyc.erasure.asked", subject=f"user:{user_id}", actor=f"user:{user_id}")
    return request


def erase_due(*, at: datetime) -> int:
    """Erase answers and papers whose time is over; return of how many applications."""
    hangs_on = Verification.objects.live().values("application_id")
    over = Application.objects.exclude(state__in=OPEN).exclude(pk__in=hangs_on)
    due = over.filter(moved_at__lt=at - _retention()).filter(
        Q(answers__isnull=False) | Q(documents__erased_at=None, documents__isnull=False)
    )
    pks = list(due.distinct().order_by("pk").values_list("pk", flat=True)[:BATCH])
    for pk in pks:
        with transaction.atomic():
            _erase(pk, at)
    _finish_requests(at)
    return len(pks)


def _erase(pk: int, at: datetime) -> None:
    """Forget what one application says of its person: keys first, then pages and answers."""
    application = locks.lock_application(pk)
    papers = Document.objects.filter(application=application, erased_at=None)
    DocumentPage.objects.filter(document__application=application).delete()
    papers.update(wrapped_key=None, erased_at=at)
    Answer.objects.filter(application=application).delete()
    audit.record(
        "kyc.data.erased",
        subject=f"user:{application.user_id}",
        actor="system",
        application=str(application.public_id),
    )


def _finish_requests(at: datetime) -> None:
    waiting = ErasureRequest.objects.filter(done_at=None).order_by("pk")[:BATCH]
    for request in waiting:
        rest = Answer.objects.filter(application__user_id=request.user_id)
        if not rest.exists():
            ErasureRequest.objects.filter(pk=request.pk).update(done_at=at)


def _retention() -> timedelta:
    return timedelta(days=config.integer("FAIRBOOK_KYC_KEEP_DAYS"))
