"""Who asked to be somebody, and the single-use words by which an address is proven."""

from __future__ import annotations

import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from apps.users.models.people import User


class PendingSignUp(models.Model):
    """A person to be. Nobody can log in by it; its proof makes the person."""

    email = models.EmailField(db_index=True)
    password = models.CharField(max_length=128)  # Hashed, as a person's is.
    full_name = models.CharField(max_length=120, blank=True)
    country = models.CharField(max_length=2)
    language = models.CharField(max_length=12, blank=True, default="", db_default="")
    asked_at = models.DateTimeField(default=timezone.now)


class ProofQuerySet(models.QuerySet["Proof"]):
    """Named questions about proofs."""

    def live(self, at: datetime.datetime) -> ProofQuerySet:
        """Keep what can still be used."""
        return self.filter(used_at=None, ends_at__gt=at)


class Proof(models.Model):
    """A word that was mailed to an address, for one purpose, to be used once. Only its digest."""

    class Purpose(models.TextChoices):
        """What a word is good for."""

        SIGN_UP = "sign_up"
        RESET = "reset"
        NEW_EMAIL = "new_email"
        FACTOR_RESET = "factor_reset"

    digest = models.BinaryField(max_length=32, unique=True)
    purpose = models.CharField(max_length=12, choices=Purpose)
    email = models.EmailField()  # Where it was sent: what it proves.
    sign_up = models.ForeignKey(PendingSignUp, on_delete=models.CASCADE, null=True, blank=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, null=True, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    objects = ProofQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(sign_up=None, user__isnull=False) | Q(sign_up__isnull=False, user=None),
                name="proof_is_for_somebody",
            ),
        )
