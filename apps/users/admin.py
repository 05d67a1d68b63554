"""Staff see people, accounts and keys. No secret, sealed or not, is on any page."""

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib import admin
from django.contrib.auth.models import Group

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.users.models import ApiKey, FeeTier, TradingAccount, User


class AccountInline(ReadOnlyInline):
    """What a person trades with."""

    model = TradingAccount
    fields = ("number", "label", "partition", "kyc_tier", "vip_tier", "is_frozen", "opened_at")
    readonly_fields = fields


@admin.register(User)
class UserAdmin(ReadOnlyAdmin):
    """People who can log in."""

    list_display = ("email", "full_name", "is_active", "is_staff", "joined_at", "last_login")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email__startswith", "full_name__istartswith")
    ordering = ("-joined_at",)
    fields = ("email", "full_name", "is_active", "is_staff", "groups", "joined_at", "last_login")
    inlines = (AccountInline,)


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


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Programs' ways in: what they may do, never what opens them."""

    list_display = (
        "public_id",
        "account",
        "label",
        "can_read",
        "can_trade",
        "created_at",
        "revoked_at",
    )
    list_filter = ("can_trade", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("public_id__startswith", "=account__number")
    list_select_related = ("account",)
    ordering = ("-created_at",)
    fields = list_display  # The sealed secret is left out on purpose.


@admin.register(FeeTier)
class FeeTierAdmin(ReadOnlyAdmin):
    """What accounts of a tier pay."""

    list_display = ("kind", "tier", "volume_from_usd", "maker_ppm", "taker_ppm")
    ordering = ("kind", "tier")


# What other packages bring along could be changed here: groups are made by code, and attempts to
# log in are a record.
admin.site.unregister(Group)
for model in (AccessAttempt, AccessFailureLog, AccessLog):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ReadOnlyAdmin):
    """Failed log-ins that still count."""

    list_display = ("attempt_time", "username", "ip_address", "failures_since_start")
    search_fields = ("username__startswith", "ip_address")
    ordering = ("-attempt_time",)
    fields = list_display  # Never what was typed.


@admin.register(AccessLog)
class AccessLogAdmin(ReadOnlyAdmin):
    """Log-ins and log-outs."""

    list_display = ("attempt_time", "logout_time", "username", "ip_address")
    search_fields = ("username__startswith", "ip_address")
    ordering = ("-attempt_time",)
    fields = list_display
