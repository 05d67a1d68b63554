"""Programs' ways in."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.users.contracts import ED25519, HMAC
from apps.users.models.accounts import TradingAccount

LABEL_MAX = 40


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    """Named questions about keys."""

    def live(self) -> ApiKeyQuerySet:
        """Keep keys that still open the door."""
        return self.unrevoked().filter(
            Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now()),
            account__user__is_active=True,
        )

    def unrevoked(self) -> ApiKeyQuerySet:
        """Keep keys that nobody ended; they may have run out by themselves."""
        return self.filter(revoked_at__isnull=True)

    def owned_by(self, user_id: int) -> ApiKeyQuerySet:
        """Keep the keys of one person's accounts."""
        return self.filter(account__user_id=user_id)


class ApiKey(models.Model):
    """A program's way in: a public key of its owner's, or a secret of ours, sealed at rest."""

    KINDS = ((ED25519, "Ed25519"), (HMAC, "HMAC-SHA256"))

    public_id = models.CharField(max_length=64, unique=True)
    account = models.ForeignKey(TradingAccount, on_delete=models.PROTECT, related_name="api_keys")
    label = models.CharField(max_length=LABEL_MAX, blank=True)
    kind = models.CharField(max_length=8, choices=KINDS, default=HMAC)
    sealed_secret = models.BinaryField(null=True, blank=True)  # Of HMAC keys.
    public_key = models.BinaryField(null=True, blank=True)  # Of Ed25519 keys: 32 bytes.
    can_read = models.BooleanField(default=True)
    can_trade = models.BooleanField(default=False)
    can_withdraw = models.BooleanField(default=False)
    markets = ArrayField(models.CharField(max_length=24), default=list, blank=True)  # None: all.
    networks = ArrayField(models.CharField(max_length=43), default=list, blank=True)  # None: all.
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # To the minute.
    last_used_address = models.GenericIPAddressField(null=True, blank=True)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(kind=HMAC, sealed_secret__isnull=False, public_key__isnull=True)
                | Q(kind=ED25519, sealed_secret__isnull=True, public_key__isnull=False),
                name="key_is_of_one_kind",
            ),
            models.CheckConstraint(
                condition=Q(can_withdraw=False) | ~Q(networks=[]),
                name="key_that_withdraws_has_networks",
            ),
            models.UniqueConstraint(
                fields=("account", "public_key"),
                condition=Q(revoked_at__isnull=True),
                name="public_key_opens_an_account_once",
            ),
        )
