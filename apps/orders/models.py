"""The one table of this app. Orders live in engines, read models and the ledger."""

from __future__ import annotations

from django.db import models


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
