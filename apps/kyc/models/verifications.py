"""What a person has been verified for, until when; and wishes to be forgotten."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.kyc.models.applications import Application


class VerificationQuerySet(models.QuerySet["Verification"]):
    """Named questions about verifications."""

    def owned_by(self, user_id: int) -> VerificationQuerySet:
        """Keep one person's."""
        return self.filter(user_id=user_id)

    def live(self) -> VerificationQuerySet:
        """Keep those that have not ended."""
        return self.filter(ended_at=None)

    def run_out(self, at: datetime) -> VerificationQuerySet:
        """Keep live ones whose time is over."""
        return self.live().filter(valid_until__lte=at)


class Verification(models.Model):
    """A tier that a person holds because of an application. At most one per tier is live."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    tier = models.PositiveSmallIntegerField()
    application = models.ForeignKey(
        Application, on_delete=models.PROTECT, related_name="verifications"
    )
    started_at = models.DateTimeField(default=timezone.now)
    valid_until = models.DateTimeField(null=True, blank=True)
    warned_days = models.PositiveSmallIntegerField(null=True, blank=True)  # 30, 7 or 1: the last.
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=40, blank=True)
    ended_reason = models.CharField(max_length=40, blank=True)

    objects = VerificationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "tier"), condition=Q(ended_at=None), name="kyc_one_live_per_tier"
            ),
            models.CheckConstraint(
                condition=Q(tier__gte=1, tier__lte=4), name="kyc_verified_tier_is_known"
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_by="", ended_reason="")
                | (Q(ended_at__isnull=False) & ~Q(ended_by="") & ~Q(ended_reason="")),
                name="kyc_end_is_whole",
            ),
        )
        indexes = (models.Index(fields=("valid_until",), name="kyc_by_end"),)


class ErasureRequest(models.Model):
    """A person asked to be forgotten. What law keeps goes when its time is over."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(default=timezone.now)
    kept_until = models.DateTimeField(null=True, blank=True)  # The last paper's end of retention.
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user",), condition=Q(done_at=None), name="kyc_one_open_erasure"
            ),
        )
