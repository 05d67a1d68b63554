"""What people asked for besides orders. Those live in engines, read models and the ledger."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


class FaucetGrant(models.Model):
    """Demo funds that an account was given on a day."""

    account = models.BigIntegerField()
    asset = models.CharField(max_length=12)
    given_on = models.DateField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "asset", "given_on"), name="one_faucet_grant_a_day"
            ),
        )


class Transfer(models.Model):
    """What a person asked to be moved between accounts of theirs. What became of it, the ledger
    says: the partition of the payer decides.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    user_id = models.BigIntegerField()
    client_id = models.CharField(max_length=36)  # The asker's own name for it.
    payer = models.BigIntegerField()
    payee = models.BigIntegerField()
    asset = models.CharField(max_length=12)
    amount_minor = models.DecimalField(max_digits=38, decimal_places=0)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (models.Index(fields=("user_id", "-asked_at"), name="orders_transfers_of"),)
        constraints = (
            models.UniqueConstraint(
                fields=("user_id", "client_id"), name="a_transfer_is_asked_for_once"
            ),
            models.CheckConstraint(
                condition=models.Q(amount_minor__gt=0) & ~models.Q(payer=models.F("payee")),
                name="a_transfer_moves_something",
            ),
        )

    @property
    def reference(self) -> str:
        """What it is called in the logs and the ledger."""
        return f"transfer:{self.pk}"
