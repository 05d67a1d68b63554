"""Staff see assets, markets and listings; what is done to them are acts of their own (`staff`)."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.markets import listings, selectors, staff
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
            path("<str:symbol>/state/", site.admin_view(staff.set_state), name="markets_state"),
        ]
        return acts + super().get_urls()

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer the acts to those who may, where they can be done."""
        may = request.user.has_perm
        is_operated = selectors.state_to_operate(object_id) is not None
        context = (extra_context or {}) | {
            "may_delist": may(staff.DELIST) and listings.can_be_delisted(object_id),
            "may_set_state": may(staff.SET_STATE) and is_operated,
        }
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
