"""Staff see every version of the rules and what became of it; acts are pages of monitoring."""

from __future__ import annotations

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.compliance.models import CountryRule, RuleDecision, RuleVersion


class RuleInline(ReadOnlyInline):
    """What the version says, by country."""

    model = CountryRule
    fields = (
        "country",
        "is_sanctioned",
        "spot_from",
        "perpetual_from",
        "deposits_from",
        "withdrawals_from",
    )
    readonly_fields = fields
    ordering = ("country",)


@admin.register(RuleVersion)
class RuleVersionAdmin(ReadOnlyAdmin):
    """Versions of the rules: who proposed which, and why."""

    list_display = ("id", "proposed_by", "proposed_at", "effective_from", "based_on", "reason")
    list_select_related = ("proposed_by", "based_on")
    ordering = ("-id",)
    fields = list_display
    inlines = (RuleInline,)


@admin.register(RuleDecision)
class RuleDecisionAdmin(ReadOnlyAdmin):
    """What a second person made of a version."""

    list_display = ("version", "is_approved", "decided_by", "decided_at", "effective_at", "reason")
    list_filter = ("is_approved",)
    list_select_related = ("version", "decided_by")
    ordering = ("-id",)
    fields = list_display
