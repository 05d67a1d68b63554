"""Keys that outlive the key of keys."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class KeptKey(models.Model):
    """A key that must stay as it is when the key of keys is changed, sealed under that one."""

    name = models.CharField(max_length=40, primary_key=True)
    sealed = models.BinaryField()
    made_at = models.DateTimeField(default=timezone.now)
