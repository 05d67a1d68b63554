"""Which sessions are whose."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from apps.users.models.devices import Device
from apps.users.models.people import User


class LogIn(models.Model):
    """A session that somebody is, or was, logged in by. What it showed and when is in its row."""

    session_key = models.CharField(max_length=40, unique=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="log_ins")
    device = models.ForeignKey(Device, on_delete=models.SET_NULL, null=True, blank=True)
    name = models.CharField(max_length=80)  # Of the browser: "Firefox on Linux".
    place = models.CharField(max_length=80, blank=True)  # Where it began, if that is known.
    began_at = models.DateTimeField(default=timezone.now)

    class Meta:
        permissions = (("end_log_ins", "Can end the log-ins of people"),)
