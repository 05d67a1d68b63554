"""Papers: taken in, made anew, sealed, and opened again for a check."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from apps.common.errors import Refusal
from apps.kyc import sealed, selectors
from apps.kyc.models import Application, Document, DocumentPage
from apps.kyc.papers import reading
from apps.kyc.requirements import needs_of
from apps.kyc.services.applications import for_change
from apps.kyc.services.moving import record

UPLOADS_PER_APPLICATION_MAX = 40


class NotAskedFor(Refusal):
    """The application does not ask for a paper of this kind."""

    code = "document_not_asked_for"


class TooManyUploads(Refusal):
    """More files were sent to this application than anybody needs."""

    code = "too_many_uploads"
    http_status = 409


def upload(
    *,
    user_id: int,
    public_id: UUID,
    kind: str,
    body: bytes,
    at: datetime,
    reader: reading.Reader = reading.read,
) -> Document:
    """Take a paper in. The same file again changes nothing; another replaces the one before.

    What is kept is never what was sent: pages are rendered anew, outside this process, and sealed
    under a key that only this paper has.
    """
    application = selectors.application_for(user_id=user_id, public_id=public_id)
    _check_is_asked(application, kind)
    digest = sealed.blind(body, purpose="document")
    again = selectors.papers_of(application).filter(kind=kind, digest=digest).first()
    if again is not None:
        return again
    paper = reader(body)  # Takes its time, so before the lock.
    with transaction.atomic(durable=True):
        application = for_change(user_id=user_id, public_id=public_id)
        if application.documents.count() >= UPLOADS_PER_APPLICATION_MAX:
            raise TooManyUploads(
                "Too many files for one application.", limit=UPLOADS_PER_APPLICATION_MAX
            )
        _replace(application, kind, at)
        document = _keep(application, kind, paper, size=len(body), digest=digest, at=at)
        record(
            "kyc.document.uploaded",
            application,
            by=f"user:{user_id}",
            document=str(document.public_id),
            document_kind=kind,
            pages=document.pages_count,
        )
    return document


def _check_is_asked(application: Application, kind: str) -> None:
    asked = {paper.kind for paper in needs_of(frozenset(application.covers)).papers}
    if kind not in asked:
        raise NotAskedFor("This application asks for no such paper.", asked=sorted(asked))


def _replace(application: Application, kind: str, at: datetime) -> None:
    """Put the paper before it out of use. If no provider and no person saw it, it is gone."""
    for old in selectors.papers_of(application).filter(kind=kind):
        if application.round == 0:
            old.pages.all().delete()
            old.wrapped_key, old.erased_at = None, at
        old.replaced_at = at
        old.save(update_fields=["replaced_at", "wrapped_key", "erased_at"])


def _keep(
    application: Application,
    kind: str,
    paper: reading.Paper,
    *,
    size: int,
    digest: bytes,
    at: datetime,
) -> Document:
    key = sealed.new_document_key()
    document = Document(
        application=application,
        user_id=application.user_id,
        kind=kind,
        media_type=paper.media_type,
        size=size,
        pages_count=len(paper.pages),
        digest=digest,
        likeness=sealed.blind(paper.pages[0].jpeg, purpose="likeness"),
        uploaded_at=at,
    )
    name = str(document.public_id)
    document.wrapped_key = sealed.wrap_key(key, document=name)
    document.save()
    DocumentPage.objects.bulk_create(
        DocumentPage(
            document=document,
            number=number,
            width=page.width,
            height=page.height,
            sealed=sealed.seal_page(page.jpeg, key=key, document=name, number=number),
        )
        for number, page in enumerate(paper.pages, 1)
    )
    return document


@transaction.atomic(durable=True)
def remove(*, user_id: int, public_id: UUID, document_id: UUID, at: datetime) -> None:
    """Take a paper back while it is the person's turn."""
    application = for_change(user_id=user_id, public_id=public_id)
    document = selectors.papers_of(application).filter(public_id=document_id).first()
    if document is None:
        raise selectors.NoSuchDocument("There is no such document.")
    _replace(application, document.kind, at)
    record(
        "kyc.document.removed",
        application,
        by=f"user:{user_id}",
        document=str(document.public_id),
        document_kind=document.kind,
    )


def open_pages(document: Document) -> tuple[bytes, ...]:
    """Open a paper's pages: for a check, and for the screen that says who looks and why."""
    if document.wrapped_key is None:
        return ()
    name = str(document.public_id)
    key = sealed.unwrap_key(bytes(document.wrapped_key), document=name)
    return tuple(
        sealed.open_page(bytes(page.sealed), key=key, document=name, number=page.number)
        for page in document.pages.order_by("number")
    )


def seen_with_others(application: Application) -> list[str]:
    """Return kinds of papers that somebody else sent too: the same file, or the same picture."""
    found = []
    for document in selectors.papers_of(application):
        others = Document.objects.exclude(user_id=application.user_id)
        same = others.filter(digest=document.digest) | others.filter(likeness=document.likeness)
        if same.exists():
            found.append(document.kind)
    return found
