"""Who lost every second factor, and asks for all of them to be taken away."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.users.models.people import User


class FactorReset(models.Model):
    """One such request: by a person who showed password and address; decided by staff."""

    class State(models.TextChoices):
        """What became of it."""

        WAITING = "waiting"
        APPROVED = "approved"
        REFUSED = "refused"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="factor_resets")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    asked_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        permissions = [("decide_factor_reset", "Can decide who loses all second factors")]
        constraints = (
            models.UniqueConstraint(
                fields=("user",),
                condition=Q(state="waiting"),
                name="one_factor_reset_waits_per_person",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", decided_by=None, decided_at=None)
                | (~Q(state="waiting") & ~Q(reason="") & Q(decided_at__isnull=False)),
                name="a_decided_factor_reset_says_why",
            ),
        )
