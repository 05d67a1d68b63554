"""Staff see assets, markets and listings; to list and to delist are acts of their own (`staff`)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.markets import listings, staff
from apps.markets.models import Asset, Listing, ListingStep, Market


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

    def get_urls(self) -> list[URLPattern]:
        """Put the acts in front of the pages that only show."""
        site = self.admin_site
        acts = [
            path("list/", site.admin_view(staff.list_market), name="markets_list"),
            path(
                "<str:symbol>/delist/", site.admin_view(staff.delist_market), name="markets_delist"
            ),
        ]
        return acts + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer to delist, to those who may, what can be."""
        may = request.user.has_perm(staff.DELIST) and listings.can_be_delisted(object_id)
        context = (extra_context or {}) | {"may_delist": may}
        return super().change_view(request, object_id, form_url, context)


class StepInline(ReadOnlyInline):
    """What happened to a listing, by whom and why."""

    model = ListingStep
    fields = ("at", "state", "by", "reason")
    readonly_fields = fields
    ordering = ("pk",)


@admin.register(Listing)
class ListingAdmin(ReadOnlyAdmin):
    """How far markets are on their way in, or out."""

    list_display = ("market", "state", "waits_for", "moved_at")
    list_filter = ("state",)
    ordering = ("-pk",)
    inlines = (StepInline,)


@admin.register(Asset)
class AssetAdmin(ReadOnlyAdmin):
    """What is held and traded."""

    list_display = ("code", "name", "decimals", "is_listed")
    ordering = ("code",)
