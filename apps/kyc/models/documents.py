"""Papers people sent: made anew from what could be read, sealed, never shown without a trace."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.kyc.models.applications import Application


class Document(models.Model):
    """One paper. Its key is sealed; without the key its pages say nothing."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="documents")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=30)
    media_type = models.CharField(max_length=20)  # Of what was sent.
    size = models.PositiveIntegerField()  # Bytes that were sent.
    pages_count = models.PositiveSmallIntegerField()
    digest = models.BinaryField()  # Blind index of the bytes that were sent: the same file again.
    likeness = models.BinaryField()  # Blind index of the first page as made anew.
    wrapped_key = models.BinaryField(null=True)  # Gone with an erasure.
    uploaded_at = models.DateTimeField(default=timezone.now)
    replaced_at = models.DateTimeField(null=True, blank=True)
    erased_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("digest",), name="kyc_document_by_digest"),
            models.Index(fields=("likeness",), name="kyc_document_by_likeness"),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("application", "kind"),
                condition=Q(replaced_at=None),
                name="kyc_one_paper_per_kind",
            ),
            models.CheckConstraint(
                condition=Q(erased_at=None, wrapped_key__isnull=False)
                | Q(erased_at__isnull=False, wrapped_key=None),
                name="kyc_erased_has_no_key",
            ),
        )


class DocumentPage(models.Model):
    """One page as a sealed JPEG that we made ourselves."""

    document = models.ForeignKey(Document, on_delete=models.CASCADE, related_name="pages")
    number = models.PositiveSmallIntegerField()
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("document", "number"), name="kyc_page_has_one_number"),
        )


class Reveal(models.Model):
    """Somebody of the staff looked at a paper, or at the answers, and said why. It only grows."""

    application = models.ForeignKey(Application, on_delete=models.PROTECT, related_name="reveals")
    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="reveals", null=True, blank=True
    )
    staff = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason_code = models.CharField(max_length=40)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=("staff", "at"), name="kyc_reveals_by_staff"),)
        constraints = (
            models.CheckConstraint(
                condition=~Q(reason="") & ~Q(reason_code=""), name="kyc_reveal_has_a_reason"
            ),
        )
