"""What a tier may withdraw in a rolling day and 30 days, in US cents as things were worth then."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal

from django.db import transaction
from django.db.models import Sum

from apps.common import audit
from apps.common.errors import Refusal
from apps.kyc import locks
from apps.kyc.contracts import Left, Products
from apps.kyc.models import LimitUse, TierTerms
from apps.users import selectors as users

DAY, MONTH = timedelta(days=1), timedelta(days=30)


class OverLimit(Refusal):
    """The tier may not withdraw so much in a day, or in 30. `data` says what is left, in cents."""

    code = "withdrawal_limit"
    http_status = 409


class OtherTerms(Refusal):
    """A withdrawal of this name was counted with other numbers."""

    code = "reference_reused"
    http_status = 409


class WrongTerms(Refusal):
    """The numbers of a new version cannot be."""

    code = "invalid"


def terms_of(tier: int, *, at: datetime | None = None) -> TierTerms:
    """Return the terms of a tier as they are, or were at a moment."""
    versions = TierTerms.objects.filter(tier=tier)
    if at is not None:
        versions = versions.filter(since__lte=at)
    return versions.order_by("-version")[0]


def products_of(tier: int) -> Products:
    """Say what a tier may trade; the country has its own say."""
    terms = terms_of(tier)
    return Products(spot=terms.spot, perpetual=terms.perpetual, sub_accounts=terms.sub_accounts)


def left(*, user_id: int, at: datetime) -> Left:
    """Say what a person may still withdraw at a moment."""
    standing = users.standing_for_user(user_id)
    tier = standing.kyc_tier if standing is not None else 0
    terms = terms_of(tier)
    return Left(
        tier=tier,
        day_cents=terms.day_cents,
        day_used_cents=_used(user_id, at - DAY, at),
        month_cents=terms.month_cents,
        month_used_cents=_used(user_id, at - MONTH, at),
        at=at,
    )


def _used(user_id: int, after: datetime, until: datetime) -> int:
    uses = LimitUse.objects.filter(user_id=user_id, released_at=None, at__gt=after, at__lte=until)
    return int(uses.aggregate(total=Sum("cents"))["total"] or 0)


def worth_cents(*, amount_minor: int, decimals: int, price_usd: Decimal) -> int:
    """Return what an amount is worth in US cents, rounded up: a limit is never stretched.

    `amount_minor` is in the asset's smallest units, `price_usd` the market's last price of one
    whole unit in US dollars (a dollar stablecoin counts as one).
    """
    cents = Decimal(amount_minor) / (Decimal(10) ** decimals) * price_usd * 100
    return int(cents.to_integral_value(rounding=ROUND_UP))


def check(*, user_id: int, cents: int, at: datetime) -> Left:
    """Refuse a withdrawal that the tier does not allow; return what was left before it."""
    now = left(user_id=user_id, at=at)
    if now.left_cents is not None and cents > now.left_cents:
        raise OverLimit(
            "This is more than your tier may withdraw at the moment.",
            tier=now.tier,
            left_cents=str(now.left_cents),
            asked_cents=str(cents),
        )
    return now


@transaction.atomic
def take(
    *,
    user_id: int,
    reference: str,
    asset: str,
    amount_minor: int,
    decimals: int,
    price_usd: Decimal,
    at: datetime,
) -> int:
    """Count a withdrawal against the limits, or refuse it; return its worth in cents.

    It belongs into the transaction that accepts the withdrawal. The same reference again counts
    once; with another asset or amount it is refused.
    """
    locks.lock_limits(user_id)
    known = LimitUse.objects.filter(reference=reference).first()
    if known is not None:
        terms = (known.user_id, known.asset, int(known.amount_minor))
        if terms != (user_id, asset, amount_minor):
            raise OtherTerms("This name was used for another withdrawal.", reference=reference)
        return known.cents
    cents = worth_cents(amount_minor=amount_minor, decimals=decimals, price_usd=price_usd)
    check(user_id=user_id, cents=cents, at=at)
    LimitUse.objects.create(
        user_id=user_id,
        reference=reference,
        cents=cents,
        asset=asset,
        amount_minor=amount_minor,
        price_cents=price_usd * 100,
        at=at,
    )
    return cents


@transaction.atomic
def release(*, reference: str, at: datetime) -> None:
    """Give back what a withdrawal that never left had counted. Again, or unknown: nothing."""
    LimitUse.objects.filter(reference=reference, released_at=None).update(released_at=at)


@transaction.atomic(durable=True)
def set_terms(
    *,
    tier: int,
    day_cents: int | None,
    month_cents: int | None,
    spot: bool,
    perpetual: bool,
    sub_accounts: bool,
    by: str,
    reason: str,
    at: datetime,
) -> TierTerms:
    """Write the next version of a tier's terms; what was counted before stays counted."""
    if day_cents is not None and month_cents is not None and month_cents < day_cents:
        raise WrongTerms("A month holds a day.", fields={"month_cents": "Less than a day's."})
    last = terms_of(tier)
    row = TierTerms.objects.create(
        tier=tier,
        version=last.version + 1,
        since=at,
        day_cents=day_cents,
        month_cents=month_cents,
        spot=spot,
        perpetual=perpetual,
        sub_accounts=sub_accounts,
        by=by,
        reason=reason,
    )
    audit.record(
        "kyc.terms_changed", subject=f"tier:{tier}", actor=by, version=row.version, reason=reason
    )
    return row
