"""What can be done about accounts that trade."""

from __future__ import annotations

from django.db import transaction

from apps.common import audit, outbox
from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.ids import numbered_in
from apps.risk.contracts.commands import AccountFreeze, AccountOpen, FeesSet
from apps.users import locks, selectors
from apps.users.contracts import Standing
from apps.users.models import TradingAccount
from apps.users.services import announcing
from apps.users.standing.computing import standing_of


class NoTradingAccount(Refusal):
    """The person has no account that trades."""

    code = "no_trading_account"
    http_status = 403


class NoSuchAccount(Refusal):
    """Another's account and no account look the same from here."""

    code = "no_such_account"
    http_status = 404


@transaction.atomic
def create_account(
    *, user_id: int, kyc_tier: int = 0, vip_tier: int = 0, label: str = "main"
) -> Standing:
    """Open a trading account at a partition, for ever, and tell the partition once this commits."""
    counter = locks.next_account_counter()
    home = counter % config.integer("FAIRBOOK_RISK_PARTITIONS")
    account = TradingAccount.objects.create(
        number=numbered_in(home, counter=counter),
        user_id=user_id,
        partition=home,
        label=label,
        kyc_tier=kyc_tier,
        vip_tier=vip_tier,
    )
    outbox.send(AccountOpen(account=account.number), worker=f"risk:{home}")
    _tell_fees(account)
    audit.record(
        "account.opened", subject=f"user:{user_id}", actor="system", account=account.number
    )
    announcing.changed("account", str(account.number))
    return standing_of(account)


@transaction.atomic
def set_vip_tier(*, number: int, vip_tier: int, by: str = "system") -> None:
    """Give an account the fees of another tier. `by` is who decided: "staff:3" or "system"."""
    account = TradingAccount.objects.get(pk=number)
    account.vip_tier = vip_tier
    account.save(update_fields=["vip_tier"])
    _tell_fees(account)
    audit.record("account.fees_changed", subject=f"account:{number}", actor=by, vip_tier=vip_tier)
    announcing.changed("account", str(account.number))


@transaction.atomic
def set_frozen(*, number: int, frozen: bool, reason: str, by: str = "system") -> None:
    """Stop an account's new orders and withdrawals, or take them again unless its owner did so."""
    account = locks.lock_account(number)
    account.frozen_by_house = frozen
    apply_freeze(account, reason=reason)
    kind = "account.frozen" if frozen else "account.unfrozen"
    audit.record(kind, subject=f"account:{number}", actor=by, reason=reason)


def apply_freeze(account: TradingAccount, *, reason: str) -> None:
    """Freeze an account that anybody wants frozen, at its partition and at every edge."""
    account.is_frozen = account.frozen_by_house or account.frozen_by_owner
    account.save(update_fields=["is_frozen", "frozen_by_house", "frozen_by_owner"])
    command = AccountFreeze(account=account.number, frozen=account.is_frozen, reason=reason)
    outbox.send(command, worker=f"risk:{account.partition}")
    announcing.changed("account", str(account.number))


@transaction.atomic
def set_kyc_tier(*, user_id: int, tier: int, reason: str, by: str = "system") -> None:
    """Give all accounts of a person the tier of their checks, and let every edge hear of it.

    `by` is who decided: "staff:3" or "system". The same tier again says nothing.
    """
    changed = list(TradingAccount.objects.filter(user_id=user_id).exclude(kyc_tier=tier))
    if not changed:
        return
    was = max(account.kyc_tier for account in changed)
    TradingAccount.objects.filter(pk__in=[account.pk for account in changed]).update(kyc_tier=tier)
    audit.record(
        "kyc.tier_changed", subject=f"user:{user_id}", actor=by, was=was, tier=tier, reason=reason
    )
    for account in changed:
        announcing.changed("account", str(account.number))


def _tell_fees(account: TradingAccount) -> None:
    maker, taker = selectors.fee_rates(account.vip_tier)
    command = FeesSet(
        account=account.number, tier=account.vip_tier, maker_ppm=maker, taker_ppm=taker
    )
    outbox.send(command, worker=f"risk:{account.partition}")
