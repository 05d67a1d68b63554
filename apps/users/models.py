"""People, their trading accounts and their API keys. Private to this app."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone

KYC_TIER_MAX, VIP_TIER_MAX = 4, 6


class UserManager(BaseUserManager["User"]):
    """Make people by their e-mail address."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person; without a password nobody can log in as them."""
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        """Create a person who may do everything in the back office."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        """Find a person by e-mail address, in any case."""
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A person who can log in: by e-mail address. Staff roles are groups."""

    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=120, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    joined_at = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="email_is_lower_case"
            ),
        )

    def get_full_name(self) -> str:
        """Return the name to greet a person by."""
        return self.full_name or self.email.partition("@")[0]

    get_short_name = get_full_name


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
    is_frozen = models.BooleanField(default=False)
    opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("user", "label"), name="account_label_is_unique_per_user"
            ),
            models.CheckConstraint(
                condition=models.Q(kyc_tier__lte=KYC_TIER_MAX), name="kyc_tier_exists"
            ),
            models.CheckConstraint(
                condition=models.Q(vip_tier__lte=VIP_TIER_MAX), name="vip_tier_exists"
            ),
        )


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Named questions about keys."""

    def live(self) -> ApiKeyQuerySet:
        """Keep keys that still open the door."""
        return self.filter(revoked_at__isnull=True, account__user__is_active=True)

    def owned_by(self, user_id: int) -> ApiKeyQuerySet:
        """Keep the keys of one person's accounts."""
        return self.filter(account__user_id=user_id)


class ApiKey(models.Model):
    """A program's way in. The secret is shown once, and sealed at rest."""

    public_id = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="api_keys")
    label = models.CharField(max_length=40, blank=True)
    sealed_secret = models.BinaryField()
    can_read = models.BooleanField(default=True)
    can_trade = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()


class FeeTier(models.Model):
    """What an account of a VIP tier pays, in millionths. A tier starts at its lower edge."""

    kind = models.CharField(max_length=8, default="spot")
    tier = models.PositiveSmallIntegerField()
    volume_from_usd = models.BigIntegerField()  # Of 30 days.
    maker_ppm = models.IntegerField()
    taker_ppm = models.IntegerField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("kind", "tier"), name="one_fee_per_tier"),)
