"""From rows to the one answer: every reason why not, and what is left to do."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from django.utils import timezone

from apps.compliance import selectors as compliance
from apps.compliance.contracts import SPOT, Policy, RuleBook
from apps.users.contracts import Allowance, Standing
from apps.users.models import TradingAccount
from apps.users.standing import codes

TRADING_KYC_TIER = 1  # Unverified people see markets and nothing else.
ALLOWANCES = (
    Allowance(0, 0),
    Allowance(1_000, 10_000),
    Allowance(50_000, 500_000),
    Allowance(None, None),  # Monitored.
    Allowance(None, None),  # By contract.
)
"""By tier."""


def standing_of(
    account: TradingAccount,
    *,
    reads: bool = True,
    trades: bool = True,
    withdraws: bool = True,
    rules: RuleBook | None = None,
) -> Standing:
    """Say what an account (with its user) may do by a way in that allows these acts.

    `rules` are those in force, for who asks about many accounts.
    """
    rules = rules or compliance.rules_in_force()
    policy = rules.policy(account.user.country, account.kyc_tier)
    reasons = tuple(_reasons(account, policy))
    forbidden = codes.forbidden(reasons)
    may_trade = codes.TRADE not in forbidden
    return Standing(
        user_id=account.user_id,
        account=account.number,
        partition=account.partition,
        kyc_tier=account.kyc_tier,
        vip_tier=account.vip_tier,
        may_read=codes.READ not in forbidden and reads,
        may_trade=may_trade and trades,
        may_cancel=codes.CANCEL not in forbidden and trades,
        may_deposit=codes.DEPOSIT not in forbidden,
        may_withdraw=codes.WITHDRAW not in forbidden and withdraws,
        is_staff=account.user.is_staff,
        products=policy.products if may_trade else (),
        reasons=reasons,
        allowance=ALLOWANCES[account.kyc_tier],
    )


def without_factor(standing: Standing) -> Standing:
    """Return what a log-in may do that no second factor completed: no trade, no withdrawal."""
    reasons = standing.reasons
    if codes.FACTOR_REQUIRED not in reasons:
        reasons = (*reasons, codes.FACTOR_REQUIRED)
    return msgspec.structs.replace(
        standing, may_trade=False, may_withdraw=False, products=(), reasons=reasons
    )


def _reasons(account: TradingAccount, policy: Policy) -> Iterable[str]:
    """Return why an account may not do everything, the weightiest reason first."""
    user = account.user
    if not user.is_active:
        yield codes.CLOSED
    if account.is_frozen:
        yield codes.FROZEN
    if policy.is_sanctioned:
        yield codes.COUNTRY_NOT_SERVED
    if not policy.is_known:
        yield codes.COUNTRY_UNKNOWN
    if account.kyc_tier < TRADING_KYC_TIER:
        yield codes.NOT_VERIFIED
    elif policy.is_known and not policy.is_sanctioned:
        yield from _closed_by(policy)
    if not user.has_factor:
        yield codes.FACTOR_REQUIRED
    locked_until = user.withdrawals_locked_until
    if locked_until is not None and locked_until > timezone.now():
        yield codes.WITHDRAWALS_LOCKED


def _closed_by(policy: Policy) -> Iterable[str]:
    if SPOT not in policy.products:
        yield codes.COUNTRY_NO_TRADING
    if not policy.deposits:
        yield codes.COUNTRY_NO_DEPOSITS
    if not policy.withdrawals:
        yield codes.COUNTRY_NO_WITHDRAWALS


def read(numbers: Iterable[int]) -> list[Standing]:
    """Return these accounts' standings as PostgreSQL has them."""
    wanted = list(numbers)
    if not wanted:
        return []
    rules = compliance.rules_in_force()
    rows = TradingAccount.objects.select_related("user").filter(pk__in=wanted)
    return [standing_of(row, rules=rules) for row in rows]


def read_after(number: int, *, most: int) -> list[Standing]:
    """Return the standings of the next accounts by number: one slice of all."""
    rules = compliance.rules_in_force()
    rows = TradingAccount.objects.select_related("user").filter(pk__gt=number)
    return [standing_of(row, rules=rules) for row in rows.order_by("pk")[:most]]
