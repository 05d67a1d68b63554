"""Staff see the ledger as it is booked: entries with legs, balances, orders, fills, cursors."""

from decimal import Decimal

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.common.admin import ReadOnlyAdmin, ReadOnlyInline
from apps.ledger.models import (
    Balance,
    Cursor,
    Entry,
    Halt,
    LedgerAccount,
    Posting,
    RefusedCommand,
    SettledFill,
    SettledOrder,
)


def _grouped(amount: Decimal | int) -> str:
    return f"{amount:,}"


class PostingInline(ReadOnlyInline):
    """The legs of an entry: per asset they come to zero."""

    model = Posting
    fields = ("leg", "account_name", "asset", "minor_units")
    readonly_fields = fields
    ordering = ("leg",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Posting]:
        """Read the accounts with the legs."""
        return super().get_queryset(request).select_related("account")

    @admin.display(description="account")
    def account_name(self, posting: Posting) -> str:
        """Name the account as the books do."""
        return _name(posting.account)

    @admin.display
    def asset(self, posting: Posting) -> str:
        """What the amount is of."""
        return posting.account.asset

    @admin.display
    def minor_units(self, posting: Posting) -> str:
        """Write the signed amount."""
        return _grouped(posting.amount)


def _name(account: LedgerAccount) -> str:
    owner = account.number or account.market
    return (
        f"{account.kind}:{owner}@{account.partition}"
        if owner
        else f"{account.kind}@{account.partition}"
    )


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    """One change of ownership each, booked once."""

    list_display = ("id", "kind", "reference", "legs", "partition", "seq", "at", "booked_at")
    list_filter = ("kind", "partition")
    search_fields = ("reference__startswith",)
    ordering = ("-id",)
    inlines = (PostingInline,)


@admin.register(Posting)
class PostingAdmin(ReadOnlyAdmin):
    """Signed amounts on accounts, in minor units."""

    list_display = ("id", "entry_id", "leg", "account_name", "asset", "minor_units")
    list_filter = ("account__kind", "account__asset")
    search_fields = ("=account__number",)
    list_select_related = ("account",)
    ordering = ("-id",)
    fields = ("entry_id", "leg", "account_name", "asset", "minor_units")
    readonly_fields = fields

    account_name = PostingInline.account_name
    asset = PostingInline.asset
    minor_units = PostingInline.minor_units


@admin.register(LedgerAccount)
class LedgerAccountAdmin(ReadOnlyAdmin):
    """What the books keep apart: one owner, one asset, one partition."""

    list_display = ("id", "kind", "number", "market", "asset", "partition", "minor_units")
    list_filter = ("kind", "asset", "partition")
    search_fields = ("=number",)
    list_select_related = ("balance",)
    ordering = ("kind", "number", "asset")

    @admin.display(description="balance, minor units")
    def minor_units(self, account: LedgerAccount) -> str:
        """Write what the account's postings come to."""
        return _grouped(account.balance.amount) if hasattr(account, "balance") else "0"


@admin.register(Balance)
class BalanceAdmin(ReadOnlyAdmin):
    """What each account's postings come to; the database itself keeps it."""

    list_display = ("account_name", "asset", "minor_units", "may_be_negative")
    list_filter = ("account__kind", "account__asset")
    search_fields = ("=account__number",)
    list_select_related = ("account",)
    ordering = ("account__kind", "account__number", "account__asset")
    fields = ("account_name", "asset", "minor_units", "may_be_negative")
    readonly_fields = fields

    @admin.display(description="account", ordering="account__number")
    def account_name(self, balance: Balance) -> str:
        """Name the account as the books do."""
        return _name(balance.account)

    @admin.display(ordering="account__asset")
    def asset(self, balance: Balance) -> str:
        """What the amount is of."""
        return balance.account.asset

    @admin.display(description="minor units", ordering="amount")
    def minor_units(self, balance: Balance) -> str:
        """Write the balance."""
        return _grouped(balance.amount)


@admin.register(SettledOrder)
class SettledOrderAdmin(ReadOnlyAdmin):
    """Orders, as the booked part of the logs left them."""

    list_display = (
        "order_id",
        "account",
        "market",
        "side",
        "kind",
        "price_ticks",
        "lots",
        "filled_lots",
        "status",
        "accepted_at",
        "life",
    )
    list_filter = ("market", "status", "side", "kind")
    search_fields = ("=order_id", "=account", "client_id__startswith")
    ordering = ("-order_id",)
    exclude = ("batch_hash", "book_hash")
    readonly_fields = ("risk_receipt", "book_receipt")

    @admin.display(description="ended after")
    def life(self, order: SettledOrder) -> str:
        """Say how long the order lived."""
        return str(order.ended_at - order.accepted_at) if order.ended_at else "open"

    @admin.display
    def risk_receipt(self, order: SettledOrder) -> str:
        """Write the partition's receipt: command, batch, journal hash."""
        return f"command {order.seq}, batch {order.batch}, {bytes(order.batch_hash).hex()}"

    @admin.display
    def book_receipt(self, order: SettledOrder) -> str:
        """Write the book's newest receipt."""
        return (
            f"command {order.book_seq}, {bytes(order.book_hash).hex()}" if order.book_seq else "–"
        )


@admin.register(SettledFill)
class SettledFillAdmin(ReadOnlyAdmin):
    """Fills, one row per side of a trade."""

    list_display = (
        "trade_id",
        "market",
        "order_id",
        "account",
        "side",
        "is_maker",
        "price_ticks",
        "lots",
        "fee",
        "fee_asset",
        "traded_at",
    )
    list_filter = ("market", "side", "is_maker")
    search_fields = ("=trade_id", "=order_id", "=account")
    ordering = ("-entry_id",)
    exclude = ("batch_hash", "book_hash")


@admin.register(Cursor)
class CursorAdmin(ReadOnlyAdmin):
    """How far each partition's log is booked."""

    list_display = ("worker", "batch", "seq", "state", "reason", "checkpoint_seq", "moved_at")
    ordering = ("worker",)
    exclude = ("hash", "digest")


@admin.register(Halt)
class HaltAdmin(ReadOnlyAdmin):
    """Why withdrawals are, or were, stopped."""

    list_display = ("source", "reason", "raised_at", "lifted_at", "lifted_by")
    ordering = ("-raised_at",)


@admin.register(RefusedCommand)
class RefusedCommandAdmin(ReadOnlyAdmin):
    """Commands about value that partitions refused."""

    list_display = ("at", "account", "reference", "code", "partition", "seq", "batch")
    list_filter = ("code", "partition")
    search_fields = ("reference__startswith", "=account")
    ordering = ("-pk",)
    fields = list_display
