"""Looking at what people sent: with a reason, with a trace, with a mark, and not too often."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from apps.common import audit
from apps.common.errors import Refusal
from apps.kyc import locks, reasons, selectors
from apps.kyc.metrics import REVEALS_REFUSED
from apps.kyc.models import Application, Document, Reveal
from apps.kyc.papers import marking
from apps.kyc.services import answers, documents

REVEALS_PER_HOUR = 20
HOUR = timedelta(hours=1)
ANSWERS = "answers"

_log = structlog.get_logger("fairbook.kyc")


class TooManyReveals(Refusal):
    """This member of the staff looked at as much as anybody may in an hour; an alert went out."""

    code = "too_many_reveals"
    http_status = 429


class WhyNeeded(Refusal):
    """Nobody looks without a reason."""

    code = "reason_needed"


class Shown:
    """What one look opened: answers, and the marked pages of papers."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        self.pages: dict[str, list[bytes]] = {}


def reveal(
    *,
    application: Application,
    what: list[str],
    staff_id: int,
    staff_name: str,
    reason_code: str,
    reason: str,
    at: datetime,
) -> Shown:
    """Open the answers and papers that are named, marked with who looks and when.

    Each counts against 20 in an hour. Beyond, nothing is shown, and the refusal is recorded.
    """
    if reason_code not in dict(reasons.REVEAL) or len(reason.strip()) < 3 or not what:
        raise WhyNeeded("Say what you need to see, and why.")
    papers = {paper.kind: paper for paper in selectors.papers_of(application) if paper.kind in what}
    wanted: list[Document | None] = list(papers.values())
    if ANSWERS in what:
        wanted.append(None)
    if not _count(application, wanted, staff_id, reason_code, reason.strip(), at):
        raise TooManyReveals(
            "You have looked at as much as anybody may in an hour.",
            retry_after_s=int(HOUR.total_seconds()),
            limit=REVEALS_PER_HOUR,
        )
    shown = Shown()
    if ANSWERS in what:
        shown.answers = answers.all_of(application)
    mark = f"{staff_name} · {at:%Y-%m-%d %H:%M:%S} UTC"
    for kind, paper in papers.items():
        shown.pages[kind] = [marking.marked(page, mark) for page in documents.open_pages(paper)]
    return shown


@transaction.atomic(durable=True)
def _count(
    application: Application,
    wanted: list[Document | None],
    staff_id: int,
    reason_code: str,
    reason: str,
    at: datetime,
) -> bool:
    """Write the looks down before anything is opened; false if they are too many."""
    locks.lock_reveals(staff_id)
    before = Reveal.objects.filter(staff_id=staff_id, at__gt=at - HOUR).count()
    subject, actor = f"user:{application.user_id}", f"staff:{staff_id}"
    name = str(application.public_id)
    if before + len(wanted) > REVEALS_PER_HOUR:
        audit.record("kyc.reveal.refused", subject=subject, actor=actor, application=name)
        REVEALS_REFUSED.inc()
        _log.error("kyc.reveal.too_many", staff=staff_id, application=name, before=before)
        return False
    Reveal.objects.bulk_create(
        Reveal(
            application=application,
            document=paper,
            staff_id=staff_id,
            reason_code=reason_code,
            reason=reason,
            at=at,
        )
        for paper in wanted
    )
    for paper in wanted:
        kind = "kyc.answers.viewed" if paper is None else "kyc.document.viewed"
        document = "" if paper is None else str(paper.public_id)
        audit.record(
            kind,
            subject=subject,
            actor=actor,
            application=name,
            document=document,
            reason=reason_code,
        )
    return True


def previews(application: Application) -> list[tuple[Document, bytes | None]]:
    """Return papers with a picture in which nothing can be read: that they are there, no more."""
    found: list[tuple[Document, bytes | None]] = []
    for paper in selectors.papers_of(application):
        pages = documents.open_pages(paper)
        found.append((paper, marking.masked(pages[0]) if pages else None))
    return found
