"""Assets and markets: numbers that books and partitions get as commands. Private to this app."""

from __future__ import annotations

from django.db import models
from django.utils import timezone


class Asset(models.Model):
    """Something that is held and traded, counted in minor units of our own choosing."""

    code = models.CharField(max_length=12, primary_key=True)
    name = models.CharField(max_length=40)
    decimals = models.PositiveSmallIntegerField()  # Minor units per coin: 10^decimals.
    is_listed = models.BooleanField(default=True)


class MarketQuerySet(models.QuerySet["Market"]):
    """Named questions about markets."""

    def in_order(self) -> MarketQuerySet:
        """Oldest listing first."""
        return self.select_related("base", "quote").order_by("listed_at", "symbol")


class Market(models.Model):
    """A pair that is traded. What engines know of it came to them as a versioned command."""

    class State(models.TextChoices):
        """What the book was last told to do; the book's own word is in its log."""

        PRE_OPEN = "pre_open"
        TRADING = "trading"
        CANCEL_ONLY = "cancel_only"
        HALTED = "halted"

    symbol = models.CharField(max_length=24, primary_key=True)
    version = models.PositiveIntegerField(default=1)
    kind = models.CharField(max_length=8, default="spot")
    state = models.CharField(max_length=12, choices=State.choices, default=State.PRE_OPEN)
    base = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="markets_as_base")
    quote = models.ForeignKey(Asset, on_delete=models.PROTECT, related_name="markets_as_quote")
    price_decimals = models.PositiveSmallIntegerField()
    tick_units = models.PositiveBigIntegerField(default=1)
    size_decimals = models.PositiveSmallIntegerField()
    lot_units = models.PositiveBigIntegerField(default=1)
    quote_per_tick_lot = models.PositiveBigIntegerField()
    base_per_lot = models.PositiveBigIntegerField()
    min_lots = models.PositiveBigIntegerField(default=1)
    max_lots = models.PositiveBigIntegerField()
    min_notional = models.PositiveBigIntegerField()
    orders_per_account_max = models.PositiveIntegerField(default=200)
    band_ppm = models.PositiveIntegerField(default=100_000)
    reference_ticks = models.PositiveBigIntegerField()
    maker_ppm = models.IntegerField(default=1_000)
    taker_ppm = models.IntegerField(default=1_500)
    cut_s = models.PositiveIntegerField(default=10)
    partitions = models.PositiveSmallIntegerField(default=1)  # How many were told of it.
    listed_at = models.DateTimeField(default=timezone.now)

    objects = MarketQuerySet.as_manager()
