"""The outbox, whose commands leave if, and only if, a change commits; and the audit log."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone


class OutboxMessage(models.Model):
    """One command on its way to a worker. Its frame is fixed before it is sent first."""

    worker = models.CharField(max_length=40)
    body = models.BinaryField()  # The message as it will stand in the frame.
    created_at = models.DateTimeField(db_default=Now())
    source = models.BinaryField(null=True, blank=True)
    frame = models.BigIntegerField(null=True, blank=True)  # Its number in that source's stream.
    entry = models.CharField(max_length=40, default="", blank=True)  # Where it stands, once sent.
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["worker", "id"], name="outbox_unsent", condition=Q(sent_at=None)),
            models.Index(
                fields=["worker", "entry"], name="outbox_by_entry", condition=~Q(entry="")
            ),
        ]


class OutboxSource(models.Model):
    """The relay's name towards one worker, and how many frames it has numbered under it."""

    worker = models.CharField(max_length=40, primary_key=True)
    source = models.BinaryField()
    number = models.BigIntegerField(default=0)
    started_at = models.DateTimeField(db_default=Now())
    numbered_at = models.DateTimeField(db_default=Now())  # When its newest frame got its number.


class AuditRecord(models.Model):
    """One act, as it was done. Rows are only ever added (migration 0002 sees to it)."""

    at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=60)
    subject = models.CharField(max_length=80)  # Whom or what it is about: "user:7", "market:…".
    actor = models.CharField(max_length=80)  # Who did it: "user:7", "staff:3", "system".
    data = models.JSONField(default=dict)
    correlation_id = models.CharField(max_length=64, default="", blank=True)

    class Meta:
        indexes = [models.Index(fields=["subject", "-id"], name="audit_by_subject")]


class AuditWaiting(models.Model):
    """A record that has no seal yet: for about a second after its transaction."""

    record = models.OneToOneField(AuditRecord, on_delete=models.PROTECT, primary_key=True)


class AuditSeal(models.Model):
    """A record's place in the chain: its hash covers the record and the seal before it."""

    number = models.BigIntegerField(primary_key=True)  # From 1, without gaps.
    record = models.OneToOneField(AuditRecord, on_delete=models.PROTECT, related_name="seal")
    hash = models.BinaryField()
