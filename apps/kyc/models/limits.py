"""What each tier may do, in versions, and what people have withdrawn."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class TierTerms(models.Model):
    """What a tier may do from a moment on. A change is a new version; none is ever edited."""

    tier = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField()
    since = models.DateTimeField(default=timezone.now)
    day_cents = models.BigIntegerField(null=True, blank=True)  # US cents; null: no limit by number.
    month_cents = models.BigIntegerField(null=True, blank=True)
    spot = models.BooleanField()
    perpetual = models.BooleanField()
    sub_accounts = models.BooleanField(default=False)
    by = models.CharField(max_length=40, default="system")
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = "terms of a tier"
        constraints = (
            models.UniqueConstraint(fields=("tier", "version"), name="kyc_terms_have_a_version"),
            models.CheckConstraint(
                condition=Q(day_cents=None)
                | Q(month_cents=None)
                | Q(day_cents__gte=0, month_cents__gte=models.F("day_cents")),
                name="kyc_month_holds_a_day",
            ),
            models.CheckConstraint(condition=Q(tier__lte=4), name="kyc_terms_tier_is_known"),
        )


class LimitUse(models.Model):
    """One withdrawal, in US cents as it was worth then. Released if it never left."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=64, unique=True)  # The withdrawal's own name.
    cents = models.BigIntegerField()
    asset = models.CharField(max_length=16)
    amount_minor = models.DecimalField(max_digits=38, decimal_places=0)
    price_cents = models.DecimalField(max_digits=38, decimal_places=8)  # Of one whole unit.
    at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=("user", "at"), name="kyc_uses_by_person"),)
        constraints = (
            models.CheckConstraint(condition=Q(cents__gte=0), name="kyc_use_is_no_gift"),
        )
