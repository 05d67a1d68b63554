"""Candles that stay: minutes and hours, from which every longer interval is derived on read."""

from __future__ import annotations

from datetime import datetime

from django.db import models

STEPS = (1, 60)


class CandleQuerySet(models.QuerySet["Candle"]):
    """Named questions about candles."""

    def of(self, market: str, step_minutes: int) -> CandleQuerySet:
        """One market's candles of one step, oldest first."""
        return self.filter(market=market, step_minutes=step_minutes).order_by("opened_at")

    def between(self, first: datetime, before: datetime) -> CandleQuerySet:
        """Those that opened from `first` on, and before `before`."""
        return self.filter(opened_at__gte=first, opened_at__lt=before)


class Candle(models.Model):
    """What traded in one market in one minute or hour, in ticks, lots and quote minor units."""

    market = models.CharField(max_length=24)
    step_minutes = models.PositiveSmallIntegerField()
    opened_at = models.DateTimeField()
    open_ticks = models.BigIntegerField()
    high_ticks = models.BigIntegerField()
    low_ticks = models.BigIntegerField()
    close_ticks = models.BigIntegerField()
    volume_lots = models.DecimalField(max_digits=38, decimal_places=0)
    quote_minor = models.DecimalField(max_digits=38, decimal_places=0)
    trades = models.PositiveBigIntegerField()
    taker_buy_lots = models.DecimalField(max_digits=38, decimal_places=0)
    taker_buy_quote_minor = models.DecimalField(max_digits=38, decimal_places=0)
    first_trade = models.BigIntegerField()
    last_trade = models.BigIntegerField()

    objects = CandleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["market", "step_minutes", "opened_at"], name="one_candle_per_opening"
            ),
            models.CheckConstraint(
                condition=models.Q(low_ticks__lte=models.F("open_ticks"))
                & models.Q(low_ticks__lte=models.F("close_ticks"))
                & models.Q(high_ticks__gte=models.F("open_ticks"))
                & models.Q(high_ticks__gte=models.F("close_ticks")),
                name="candle_holds_its_prices",
            ),
            models.CheckConstraint(
                condition=models.Q(step_minutes__in=STEPS), name="candle_step_is_kept"
            ),
        ]
