"""The outbox: commands that leave for a journal if, and only if, a change in PostgreSQL commits."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


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
