"""What trades, and what it pays."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone

from apps.users.models.people import User

KYC_TIER_MAX, VIP_TIER_MAX = 4, 6


class AccountCounter(models.Model):
    """The last account counter that was given out: one row, locked while an account is made."""

    last = models.BigIntegerField(default=0)


class TradingAccount(models.Model):
    """What trades: one balance sheet at one risk partition, part of its number for ever."""

    number = models.BigIntegerField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="accounts")
    partition = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=40, default="main")
    kyc_tier = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(KYC_TIER_MAX)]
    )
    vip_tier = models.PositiveSmallIntegerField(
        default=0, validators=[MaxValueValidator(VIP_TIER_MAX)]
    )
    is_frozen = models.BooleanField(default=False)  # By the house, its owner, or both.
    frozen_by_house = models.BooleanField(default=False)
    frozen_by_owner = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        permissions = [("freeze_account", "Can freeze accounts and unfreeze them")]
        constraints = (
            models.UniqueConstraint(
                fields=("user", "label"), name="account_label_is_unique_per_user"
            ),
            models.CheckConstraint(
                condition=models.Q(kyc_tier__lte=KYC_TIER_MAX), name="kyc_tier_exists"
            ),
            models.CheckConstraint(
                condition=models.Q(is_frozen=False, frozen_by_house=False, frozen_by_owner=False)
                | models.Q(is_frozen=True, frozen_by_house=True)
                | models.Q(is_frozen=True, frozen_by_owner=True),
                name="a_frozen_account_was_frozen_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(vip_tier__lte=VIP_TIER_MAX), name="vip_tier_exists"
            ),
        )


class FeeTier(models.Model):
    """What an account of a VIP tier pays, in millionths. A tier starts at its lower edge."""

    kind = models.CharField(max_length=8, default="spot")
    tier = models.PositiveSmallIntegerField()
    volume_from_usd = models.BigIntegerField()  # Of 30 days.
    maker_ppm = models.IntegerField()
    taker_ppm = models.IntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "tier"), name="one_fee_per_tier"),)
