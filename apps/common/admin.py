"""The back office looks and never touches: the base of every staff page, and the outbox."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from apps.common.models import OutboxMessage

admin.site.site_header = admin.site.site_title = "Fairbook back office"
admin.site.index_title = "Records"


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
