"""Assets and markets: numbers that books and partitions get as commands. Private to this app."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
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
        AUCTION = "auction"
        POST_ONLY = "post_only"
        TRADING = "trading"
        CANCEL_ONLY = "cancel_only"
        HALTED = "halted"
        DELISTED = "delisted"  # For ever: what was traded stays to be read.

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

    class Meta:
        permissions = [
            ("list_market", "Can list a market"),
            ("delist_market", "Can delist a market"),
            ("set_market_state", "Can open, pause and halt a market"),
        ]


class ListingQuerySet(models.QuerySet["Listing"]):
    """Named questions about listings."""

    def live(self) -> ListingQuerySet:
        """Those that did not fail: at most one per market."""
        return self.exclude(state=Listing.State.FAILED)

    def under_way(self) -> ListingQuerySet:
        """Those that somebody has to take further, oldest first."""
        return self.exclude(state__in=Listing.AT_REST).order_by("pk")

    def with_processes(self) -> ListingQuerySet:
        """Those whose books run, or are to run, in the order of their ports."""
        return self.filter(slot__isnull=False).order_by("slot")


class Listing(models.Model):
    """How far a market is on its way in, or out. Each state names what is done; see `lister.py`."""

    class State(models.TextChoices):
        """In this order: listing down to `open`, delisting from there."""

        REQUESTED = "requested"
        BOOK_UP = "book_up"  # Owner and standby are ready, in pre-open.
        TOLD = "told"  # The partitions' commands are in the outbox.
        ACKNOWLEDGED = "acknowledged"  # The book has every partition's hello.
        KNOWN = "known"  # The edges have the market.
        OPENING = "opening"  # The book is told to trade.
        OPEN = "open"
        CLOSE_REQUESTED = "close_requested"
        CLOSING = "closing"  # The book is told to take cancels only.
        ENDING = "ending"  # The book is told that it is delisted.
        EMPTIED = "emptied"  # Nothing rests, and the partitions have heard all of it.
        DELISTED = "delisted"  # Its processes are gone.
        FAILED = "failed"

    AT_REST = (State.OPEN, State.DELISTED, State.FAILED)

    market = models.CharField(max_length=24)
    terms = models.JSONField()  # The numbers as engines get them (`MarketSpec`).
    state = models.CharField(max_length=16, choices=State.choices, default=State.REQUESTED)
    waits_for = models.CharField(max_length=300, default="", blank=True)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)  # Of its processes' ports.
    command = models.BigIntegerField(null=True, blank=True)  # The outbox row that is waited for.
    moved_at = models.DateTimeField(default=timezone.now)

    objects = ListingQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["market"], name="listing_once", condition=~Q(state="failed")
            ),
            models.UniqueConstraint(
                fields=["slot"], name="listing_slot", condition=Q(slot__isnull=False)
            ),
        ]


class ListingStep(models.Model):
    """One thing that happened to a listing, by whom and why. Only grows."""

    listing = models.ForeignKey(Listing, on_delete=models.PROTECT, related_name="steps")
    state = models.CharField(max_length=16, choices=Listing.State.choices)
    by = models.CharField(max_length=254)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=timezone.now)
