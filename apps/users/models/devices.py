"""Browsers that a person has logged in with."""

from __future__ import annotations

import datetime

from django.db import models
from django.utils import timezone

from apps.users.models.people import User


class DeviceQuerySet(models.QuerySet["Device"]):
    """Named questions about devices."""

    def live(self, at: datetime.datetime) -> DeviceQuerySet:
        """Keep devices that are still known at a moment."""
        return self.filter(revoked_at=None, known_until__gt=at)

    def owned_by(self, user_id: int) -> DeviceQuerySet:
        """Keep one person's devices."""
        return self.filter(user_id=user_id)


class Device(models.Model):
    """A browser that completed a log-in, and carries the cookie that says so."""

    mark = models.CharField(max_length=32, unique=True)  # What the signed cookie names it by.
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="devices")
    name = models.CharField(max_length=80)  # As its user agent says: "Firefox on Linux".
    place = models.CharField(max_length=80, blank=True)  # Where it was last, if that is known.
    first_seen_at = models.DateTimeField(default=timezone.now)
    last_seen_at = models.DateTimeField(default=timezone.now)
    known_until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    is_this = False  # Whether it is the one that asks.

    objects = DeviceQuerySet.as_manager()

    class Meta:
        indexes = (models.Index(fields=["user", "-last_seen_at"], name="devices_of_a_person"),)
