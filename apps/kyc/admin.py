"""Staff see applications, papers and verifications as records; acts are pages of `staff`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.kyc import staff
from apps.kyc.models import (
    Application,
    Check,
    Document,
    ErasureRequest,
    LimitUse,
    Reveal,
    Step,
    TierTerms,
    Verification,
)


class CheckInline(ReadOnlyInline):
    """What providers found."""

    model = Check
    fields = ("round", "kind", "provider", "outcome", "codes", "reference", "at")
    readonly_fields = fields


class StepInline(ReadOnlyInline):
    """What happened, by whom and why."""

    model = Step
    fields = ("at", "state", "by", "reason_code")
    readonly_fields = fields
    ordering = ("pk",)


@admin.register(Application)
class ApplicationAdmin(ReadOnlyAdmin):
    """Who applied for what. Nothing personal is in these rows."""

    list_display = ("public_id", "user_id", "tier", "state", "due_at", "decided_by", "reason_code")
    list_filter = ("state", "tier")
    search_fields = ("public_id__startswith", "=user__id")
    ordering = ("-pk",)
    fields = (
        "public_id", "user_id", "tier", "covers", "state", "round", "submitted_at", "due_at",
        "decided_at", "decided_by", "first_by", "taken_by", "reason_code", "words",
    )  # fmt: skip
    inlines = (CheckInline, StepInline)

    def get_urls(self) -> list[URLPattern]:
        """Put the acts in front of the pages that only show."""
        site = self.admin_site
        acts = [
            path("queue/", site.admin_view(staff.queue), name="kyc_queue"),
            path("<uuid:public_id>/review/", site.admin_view(staff.review), name="kyc_review"),
        ]
        return acts + super().get_urls()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Offer the queue to those who may decide."""
        may = request.user.has_perm(staff.REVIEW)
        return super().changelist_view(request, (extra_context or {}) | {"may_review": may})


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """That papers are there; what stands on them is shown by the review screen, with a reason."""

    list_display = ("public_id", "user_id", "kind", "media_type", "pages_count", "uploaded_at")
    list_filter = ("kind",)
    search_fields = ("public_id__startswith", "=user__id")
    ordering = ("-pk",)
    fields = (*list_display, "size", "replaced_at", "erased_at")


@admin.register(Reveal)
class RevealAdmin(ReadOnlyAdmin):
    """Who looked at what, when and why."""

    list_display = ("at", "staff", "application_id", "document_id", "reason_code", "reason")
    list_filter = ("reason_code",)
    list_select_related = ("staff",)
    ordering = ("-pk",)
    fields = list_display


@admin.register(Verification)
class VerificationAdmin(ReadOnlyAdmin):
    """What people are verified for, and until when."""

    list_display = (
        "user_id", "tier", "started_at", "valid_until", "ended_at", "ended_by", "ended_reason",
    )  # fmt: skip
    list_filter = ("tier", ("ended_at", admin.EmptyFieldListFilter))
    search_fields = ("=user__id",)
    ordering = ("-pk",)
    fields = list_display


@admin.register(TierTerms)
class TierTermsAdmin(ReadOnlyAdmin):
    """What each tier may do, in versions."""

    list_display = (
        "tier", "version", "since", "day_cents", "month_cents", "spot", "perpetual",
        "sub_accounts", "by", "reason",
    )  # fmt: skip
    ordering = ("tier", "-version")


@admin.register(LimitUse)
class LimitUseAdmin(ReadOnlyAdmin):
    """What withdrawals counted."""

    list_display = ("user_id", "reference", "cents", "asset", "amount_minor", "at", "released_at")
    search_fields = ("=user__id", "reference")
    ordering = ("-pk",)


@admin.register(ErasureRequest)
class ErasureRequestAdmin(ReadOnlyAdmin):
    """Who asked to be forgotten, and until when law keeps what."""

    list_display = ("user_id", "asked_at", "kept_until", "done_at")
    ordering = ("-pk",)
    fields = list_display
