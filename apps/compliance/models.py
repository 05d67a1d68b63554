"""Versions of the rules. Private to this app. The tables only grow: nothing here is ever edited."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

TIER_MAX = 4
REASON_LENGTH_MAX = 300


class RuleVersion(models.Model):
    """A whole set of rules, as one of the staff proposed it (the first: as it was shipped)."""

    based_on = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="+")
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    proposed_at = models.DateTimeField(default=timezone.now)
    effective_from = models.DateTimeField()  # Wished for: it is never in force before its decision.
    reason = models.CharField(max_length=REASON_LENGTH_MAX)

    class Meta:
        permissions = (
            ("propose_rules", "Can propose a version of the rules"),
            ("decide_rules", "Can approve or refuse a version that another proposed"),
        )


def _tier(name: str) -> models.Q:
    return Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__range": (1, TIER_MAX)})


class CountryRule(models.Model):
    """What is open in a country, from which tier on; null: to nobody. "*" is everywhere else."""

    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="rules")
    country = models.CharField(max_length=2)
    is_sanctioned = models.BooleanField(default=False)
    spot_from = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(TIER_MAX)]
    )
    perpetual_from = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(TIER_MAX)]
    )
    deposits_from = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(TIER_MAX)]
    )
    withdrawals_from = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(TIER_MAX)]
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("version", "country"), name="one_rule_per_country"),
            models.CheckConstraint(
                condition=_tier("spot_from")
                & _tier("perpetual_from")
                & _tier("deposits_from")
                & _tier("withdrawals_from"),
                name="rules_name_tiers",
            ),
            models.CheckConstraint(
                condition=Q(is_sanctioned=False)
                | Q(
                    spot_from=None,
                    perpetual_from=None,
                    deposits_from=None,
                    withdrawals_from=None,
                ),
                name="nothing_is_open_under_sanctions",
            ),
        )


class RuleDecision(models.Model):
    """What a second person made of a version."""

    version = models.OneToOneField(RuleVersion, on_delete=models.PROTECT, related_name="decision")
    is_approved = models.BooleanField()
    proposed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    decided_at = models.DateTimeField(default=timezone.now)
    effective_at = models.DateTimeField()
    reason = models.CharField(max_length=REASON_LENGTH_MAX)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=F("proposed_by")),
                name="rules_take_two_people",
            ),
            models.CheckConstraint(
                condition=Q(effective_at__gte=F("decided_at")), name="rules_never_reach_back"
            ),
        )
        indexes = (
            models.Index(
                fields=["-effective_at", "-id"],
                condition=Q(is_approved=True),
                name="rules_in_force",
            ),
        )
