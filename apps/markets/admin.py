"""Staff see assets and markets; listings and changes are services."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.markets.models import Asset, Market


@admin.register(Market)
class MarketAdmin(ReadOnlyAdmin):
    """Pairs that are traded."""

    list_display = (
        "symbol",
        "state",
        "version",
        "base",
        "quote",
        "maker_ppm",
        "taker_ppm",
        "listed_at",
    )
    list_filter = ("state", "kind")
    list_select_related = ("base", "quote")
    ordering = ("listed_at", "symbol")


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    """What is held and traded."""

    list_display = ("code", "name", "decimals", "is_listed")
    ordering = ("code",)
