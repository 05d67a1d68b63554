"""Mails on their way."""

from __future__ import annotations

import datetime
import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.users.models.people import User


class MailQuerySet(models.QuerySet["Mail"]):
    """Named questions about mails."""

    def due(self, at: datetime.datetime) -> MailQuerySet:
        """Keep what should be sent now, oldest first."""
        waiting = self.filter(state=Mail.State.WAITING, due_at__lte=at)
        return waiting.order_by("due_at", "pk")


class Mail(models.Model):
    """One mail, written in the transaction of what it tells. Sealed: it may hold a word."""

    class State(models.TextChoices):
        """Where a mail is on its way."""

        WAITING = "waiting"
        SENT = "sent"
        FAILED = "failed"

    reference = models.UUIDField(default=uuid.uuid4, unique=True)  # Its Message-ID, try after try.
    kind = models.CharField(max_length=40)
    to = models.EmailField()
    user = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True)
    subject = models.CharField(max_length=120)
    sealed_text = models.BinaryField(null=True, blank=True)  # Forgotten once it is sent.
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    made_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    tries = models.PositiveSmallIntegerField(default=0)
    problem = models.CharField(max_length=80, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = MailQuerySet.as_manager()

    class Meta:
        indexes = (
            models.Index(fields=["due_at", "id"], name="mails_due", condition=Q(state="waiting")),
        )
