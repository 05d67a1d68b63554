"""Heads of the outside chains, once a minute, for ever. The database refuses to change them."""

from __future__ import annotations

from django.db import models


class HeadQuerySet(models.QuerySet["Head"]):
    """Named questions about heads."""

    def of(self, market: str) -> HeadQuerySet:
        """One market's, oldest first."""
        return self.filter(market=market).order_by("batch")

    def between(self, *, from_ns: int | None, before_ns: int | None) -> HeadQuerySet:
        """Those of batches from a header time on, and before another."""
        found = self if from_ns is None else self.filter(at_ns__gte=from_ns)
        return found if before_ns is None else found.filter(at_ns__lt=before_ns)

    def newest(self) -> HeadQuerySet:
        """The newest of each market."""
        return self.order_by("market", "-batch").distinct("market")


class Head(models.Model):
    """Where a market's outside chain stood after the last batch of a minute."""

    market = models.CharField(max_length=24)
    batch = models.BigIntegerField()
    seq = models.BigIntegerField()
    at_ns = models.BigIntegerField()
    outside = models.CharField(max_length=64)
    inside = models.CharField(max_length=64)
    kept_at = models.DateTimeField(auto_now_add=True)

    objects = HeadQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["market", "batch"], name="proofs_one_head_per_batch"),
        ]
        indexes = [models.Index(fields=["market", "at_ns"], name="proofs_head_by_time")]
