"""The back office looks and never touches: the base of staff pages, the outbox, the audit log."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.common.models import AuditRecord, OutboxMessage

admin.site.site_header = admin.site.site_title = _("Fairbook back office")
admin.site.index_title = _("Records")


class ReadOnlyAdmin(admin.ModelAdmin):
    """A page of rows that nobody can change here. Acts are services with a reason, never forms."""

    actions = None
    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody deletes rows by hand."""
        return False


class ReadOnlyInline(admin.TabularInline):
    """Rows that belong to another row, as read-only as it is."""

    can_delete = False
    extra = 0
    max_num = 0

    def has_add_permission(self, request: HttpRequest, *_args: Any) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody changes rows by hand."""
        return False


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin):
    """Commands that leave PostgreSQL for a journal: waiting ones have no entry yet."""

    list_display = ("id", "worker", "frame", "entry", "created_at", "sent_at")
    list_filter = ("worker",)
    search_fields = ("entry",)
    ordering = ("-id",)
    fields = ("worker", "frame", "entry", "created_at", "sent_at")


@admin.register(AuditRecord)
class AuditRecordAdmin(ReadOnlyAdmin):
    """What was done, by whom, to whom; with each record's place in the chain."""

    list_display = ("id", "at", "kind", "subject", "actor", "seal_number")
    list_filter = ("kind",)
    search_fields = ("=subject", "=actor", "=correlation_id")
    list_select_related = ("seal",)
    ordering = ("-id",)
    readonly_fields = ("seal_number", "seal_hash")
    fields = ("at", "kind", "subject", "actor", "data", "correlation_id", *readonly_fields)

    @admin.display(description="place in the chain")
    def seal_number(self, record: AuditRecord) -> int | None:
        """Return the record's place, or None for about a second after it was made."""
        return record.seal.number if hasattr(record, "seal") else None

    @admin.display(description="hash")
    def seal_hash(self, record: AuditRecord) -> str:
        """Return the chain's hash at this record."""
        return bytes(record.seal.hash).hex() if hasattr(record, "seal") else ""
