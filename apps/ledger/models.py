"""Tables of the ledger: who owned what, why it changed, and how far each log is booked.

Entries, postings and accounts only grow. Balances are a cache of postings that the database itself
keeps (migration 0002): the services' role may not write them. Amounts are minor units.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class AccountKind(models.TextChoices):
    """What a ledger account stands for. Only a customer's may never fall below zero."""

    CUSTOMER = "customer"
    FEES = "fees"
    CLEARING = "clearing"
    TRANSIT = "transit"
    EXTERNAL = "external"
    HOUSE = "house"


class MinorField(models.DecimalField):
    """A whole number of minor units: an `int` in Python, `NUMERIC(38,0)` in the database."""

    if TYPE_CHECKING:
        _pyi_private_set_type: int
        _pyi_private_get_type: int  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"], kwargs["decimal_places"] = 38, 0
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def from_db_value(self, value: Any, *_: Any) -> int | None:
        return None if value is None else int(value)


class LedgerAccount(models.Model):
    """One kind of value of one owner, in one asset, in one partition."""

    kind = models.CharField(max_length=8, choices=AccountKind.choices)
    partition = models.PositiveSmallIntegerField()
    number = models.BigIntegerField(default=0)  # A customer's account number, else 0.
    market = models.CharField(max_length=24, default="", blank=True)  # Of a clearing account.
    asset = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "partition", "number", "market", "asset"], name="ledger_one_account"
            ),
            models.CheckConstraint(
                condition=Q(kind="customer", number__gt=0) | (~Q(kind="customer") & Q(number=0)),
                name="ledger_customers_are_numbered",
            ),
            models.CheckConstraint(
                condition=(Q(kind="clearing") & ~Q(market=""))
                | (~Q(kind="clearing") & Q(market="")),
                name="ledger_clearing_has_a_market",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=AccountKind.values), name="ledger_account_kind_is_known"
            ),
        ]


class Entry(models.Model):
    """One change of ownership, booked once. Its postings come to zero per asset."""

    kind = models.CharField(max_length=16)
    reference = models.CharField(max_length=96)
    partition = models.PositiveSmallIntegerField()
    seq = models.BigIntegerField()  # The partition's command that made it.
    batch = models.BigIntegerField()
    legs = models.PositiveSmallIntegerField()
    at = models.DateTimeField()  # Header time: when it happened.
    booked_at = models.DateTimeField(db_default=Now())  # When the ledger learned of it.

    class Meta:
        verbose_name_plural = "entries"
        indexes = [models.Index(fields=["partition", "batch"], name="ledger_entry_by_batch")]
        constraints = [
            models.UniqueConstraint(fields=["kind", "reference"], name="ledger_one_entry"),
            models.CheckConstraint(condition=Q(legs__gte=2), name="ledger_entry_has_two_legs"),
        ]


class Posting(models.Model):
    """One signed amount on one account.

    The foreign keys have no constraint of their own: the trigger that lets postings in checks both
    ends of a whole statement at once, and neither end can ever be deleted.
    """

    entry = models.ForeignKey(
        Entry, models.DO_NOTHING, related_name="postings", db_constraint=False, db_index=False
    )
    leg = models.PositiveSmallIntegerField()
    account = models.ForeignKey(
        LedgerAccount, models.DO_NOTHING, related_name="postings", db_constraint=False
    )
    amount = MinorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entry", "leg"], name="ledger_one_leg"),
            models.CheckConstraint(condition=~Q(amount=0), name="ledger_posting_moves_something"),
            models.CheckConstraint(condition=Q(leg__gte=1), name="ledger_legs_count_from_one"),
        ]


class Balance(models.Model):
    """What an account's postings come to. Written by the database's own triggers."""

    account = models.OneToOneField(
        LedgerAccount,
        models.DO_NOTHING,
        primary_key=True,
        related_name="balance",
        db_constraint=False,
    )
    amount = MinorField(default=0)
    may_be_negative = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gte=0) | Q(may_be_negative=True),
                name="ledger_customer_not_below_zero",
            ),
        ]


class CursorState(models.TextChoices):
    """Whether a partition's log is being booked."""

    RUNNING = "running"
    STOPPED = "stopped"


class Cursor(models.Model):
    """How far one partition's log is booked: moves in the transaction that books."""

    worker = models.CharField(max_length=40, primary_key=True)
    partition = models.PositiveSmallIntegerField(unique=True)
    batch = models.BigIntegerField(default=0)
    hash = models.BinaryField()
    seq = models.BigIntegerField(default=0)
    at_ns = models.BigIntegerField(default=0)
    digest = models.BinaryField()  # The checkpoints' additive hash, kept by differences.
    sums = models.JSONField(default=dict)  # "<kind>|<asset>" → decimal string, kept by differences.
    markets = models.JSONField(default=dict)  # Symbol → [base, quote], as the log told.
    checkpoint_seq = models.BigIntegerField(default=0)  # The last checkpoint that was compared.
    checkpoints = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=CursorState.choices, default=CursorState.RUNNING)
    reason = models.TextField(default="", blank=True)
    moved_at = models.DateTimeField(auto_now=True)


class Halt(models.Model):
    """Why withdrawals are stopped, until a person lifts it with a reason."""

    source = models.CharField(max_length=40)  # "settle:risk:0", "verify".
    reason = models.TextField()
    raised_at = models.DateTimeField(db_default=Now())
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.CharField(max_length=150, default="", blank=True)
    lift_reason = models.TextField(default="", blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source"], condition=Q(lifted_at=None), name="ledger_one_halt_per_source"
            ),
        ]


class OrderStatus(models.TextChoices):
    """What became of an order. `held`: at its partition, the book has not reported yet."""

    HELD = "held"
    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REFUSED = "refused"


class SettledOrder(models.Model):
    """An order as the booked part of the log left it: the orders history."""

    order_id = models.BigIntegerField(primary_key=True)
    version = models.BigIntegerField()
    account = models.BigIntegerField()
    partition = models.PositiveSmallIntegerField()
    market = models.CharField(max_length=24)
    client_id = models.CharField(max_length=36)
    side = models.CharField(max_length=1)
    kind = models.CharField(max_length=1)
    time_in_force = models.CharField(max_length=3)
    post_only = models.BooleanField()
    price_ticks = models.BigIntegerField()
    lots = models.BigIntegerField()
    budget = MinorField()
    hold_asset = models.CharField(max_length=12)
    hold = MinorField()
    command = models.CharField(max_length=40)  # Entry of the partition's command stream.
    filled_lots = models.BigIntegerField(default=0)
    cum_quote = MinorField(default=0)
    status = models.CharField(max_length=8, choices=OrderStatus.choices)
    code = models.CharField(max_length=40, default="", blank=True)
    seq = models.BigIntegerField()  # The partition's receipt: command, batch and its hash.
    batch = models.BigIntegerField()
    batch_hash = models.BinaryField()
    accepted_at = models.DateTimeField()
    book_seq = models.BigIntegerField(default=0)  # The book's newest receipt.
    book_hash = models.BinaryField(default=b"")
    updated_at = models.DateTimeField()  # Header time of its newest event.
    ended_at = models.DateTimeField(null=True, blank=True)
    settled_at = models.DateTimeField(db_default=Now())
    # What few orders ask for beyond a plain one's terms (`OrderExtras`), and what came of it.
    self_trade = models.CharField(max_length=1, db_default="T")
    expires_ns = models.BigIntegerField(db_default=0)
    trigger = models.CharField(max_length=6, db_default="", blank=True)
    trigger_by = models.CharField(max_length=4, db_default="last")
    trigger_ticks = models.BigIntegerField(db_default=0)
    trail_ppm = models.IntegerField(db_default=0)
    other_leg = models.BigIntegerField(db_default=0)  # The other order of its list.
    triggered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["account", "market", "order_id"], name="ledger_orders_of_account"),
            models.Index(fields=["account", "client_id"], name="ledger_orders_by_client_id"),
        ]


class SettledFill(models.Model):
    """One side of a trade: the trades history. The taker's row stands for the trade itself."""

    entry = models.OneToOneField(Entry, models.DO_NOTHING, primary_key=True, db_constraint=False)
    trade_id = models.BigIntegerField()
    market = models.CharField(max_length=24)
    order_id = models.BigIntegerField()
    account = models.BigIntegerField()
    side = models.CharField(max_length=1)
    is_maker = models.BooleanField()
    price_ticks = models.BigIntegerField()
    lots = models.BigIntegerField()
    base = MinorField()
    quote = MinorField()
    fee_asset = models.CharField(max_length=12)
    fee = MinorField()
    filled_lots = models.BigIntegerField()  # Of the order, this fill included.
    cum_quote = MinorField()
    traded_at = models.DateTimeField()  # The book's header time.
    seq = models.BigIntegerField()
    batch = models.BigIntegerField()
    batch_hash = models.BinaryField()
    book_seq = models.BigIntegerField()
    book_hash = models.BinaryField()

    class Meta:
        indexes = [
            models.Index(fields=["account", "market", "trade_id"], name="ledger_fills_of_account"),
            models.Index(fields=["order_id"], name="ledger_fills_of_order"),
            models.Index(
                fields=["market", "-trade_id"],
                name="ledger_trades_of_market",
                condition=Q(is_maker=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["market", "trade_id", "side"], name="ledger_one_fill_per_side"
            ),
        ]


class RefusedCommand(models.Model):
    """A command about an account's value that its partition refused: nothing changed."""

    partition = models.PositiveSmallIntegerField()
    seq = models.BigIntegerField()
    account = models.BigIntegerField()
    reference = models.CharField(max_length=96, db_index=True)
    code = models.CharField(max_length=40)
    batch = models.BigIntegerField()
    at = models.DateTimeField()  # Header time.

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["partition", "seq"], name="ledger_one_refusal"),
        ]
