"""Staff see people, accounts and keys. No secret, sealed or not, is on any page."""

from django.contrib import admin
from django.contrib.auth.models import Group
from django.urls import URLPattern, path

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.users import staff
from apps.users.models import ApiKey, Device, FactorReset, FeeTier, TradingAccount, User


class AccountInline(ReadOnlyInline):
    """What a person trades with."""

    model = TradingAccount
    fields = ("number", "label", "partition", "kyc_tier", "vip_tier", "is_frozen", "opened_at")
    readonly_fields = fields


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People who can log in."""

    list_display = (
        "email",
        "full_name",
        "is_active",
        "is_staff",
        "has_factor",
        "joined_at",
        "last_login",
    )
    list_filter = ("is_staff", "is_active", "has_factor", "groups")
    search_fields = ("email__startswith", "full_name__istartswith")
    ordering = ("-joined_at",)
    fields = (*list_display, "groups", "withdrawals_locked_until")
    inlines = (AccountInline,)

    def get_urls(self) -> list[URLPattern]:
        """Put the act in front of the pages that only show."""
        view = self.admin_site.admin_view(staff.end_log_ins)
        act = path("<int:number>/log-ins/", view, name="users_log_ins")
        return [act, *super().get_urls()]


@admin.register(TradingAccount)
class TradingAccountAdmin(ReadOnlyAdmin):
    """One balance sheet at one risk partition each."""

    list_display = (
        "number",
        "user",
        "label",
        "partition",
        "kyc_tier",
        "vip_tier",
        "is_frozen",
        "opened_at",
    )
    list_filter = ("partition", "kyc_tier", "vip_tier", "is_frozen")
    search_fields = ("=number", "user__email__startswith")
    list_select_related = ("user",)
    ordering = ("number",)

    def get_urls(self) -> list[URLPattern]:
        """Put the acts in front of the pages that only show."""
        site = self.admin_site
        acts = [
            path("<int:number>/freeze/", site.admin_view(staff.freeze), name="users_freeze"),
            path("<int:number>/unfreeze/", site.admin_view(staff.unfreeze), name="users_unfreeze"),
        ]
        return acts + super().get_urls()


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Programs' ways in: what they may do, never what opens them."""

    list_display = (
        "public_id",
        "account",
        "label",
        "kind",
        "can_read",
        "can_trade",
        "can_withdraw",
        "markets",
        "networks",
        "created_at",
        "expires_at",
        "revoked_at",
        "last_used_at",
    )
    list_filter = ("kind", "can_trade", "can_withdraw", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("public_id__startswith", "=account__number")
    list_select_related = ("account",)
    ordering = ("-created_at",)
    fields = list_display  # The sealed secret is left out on purpose.


@admin.register(FeeTier)
class FeeTierAdmin(ReadOnlyAdmin):
    """What accounts of a tier pay."""

    list_display = ("kind", "tier", "volume_from_usd", "maker_ppm", "taker_ppm")
    ordering = ("kind", "tier")


# What other packages bring along could be changed here: groups are made by code.
admin.site.unregister(Group)


@admin.register(Device)
class DeviceAdmin(ReadOnlyAdmin):
    """Browsers that people completed a log-in with. Never the mark that their cookies carry."""

    list_display = ("user", "name", "place", "first_seen_at", "last_seen_at", "revoked_at")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__email__startswith",)
    list_select_related = ("user",)
    ordering = ("-last_seen_at",)
    fields = list_display


@admin.register(FactorReset)
class FactorResetAdmin(ReadOnlyAdmin):
    """Who lost every second factor; a person with the right decides on a page of its own."""

    list_display = ("user", "state", "asked_at", "decided_at", "decided_by", "reason")
    list_filter = ("state",)
    search_fields = ("user__email__startswith",)
    list_select_related = ("user", "decided_by")
    ordering = ("-pk",)
    fields = list_display

    def get_urls(self) -> list[URLPattern]:
        """Put the act in front of the pages that only show."""
        decide = self.admin_site.admin_view(staff.decide_factor_reset)
        act = path("<int:number>/decide/", decide, name="users_factorreset_decide")
        return [act, *super().get_urls()]
