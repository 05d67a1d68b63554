"""What an institution can do about its sub-accounts: balance sheets of their own, with own keys."""

from __future__ import annotations

from django.db import transaction

from apps.common import audit
from apps.common.config import config
from apps.common.errors import Refusal
from apps.users import locks, selectors
from apps.users.models import TradingAccount
from apps.users.services import accounts

INSTITUTION = 4  # The tier that has sub-accounts.


class NotAnInstitution(Refusal):
    """Sub-accounts are for tier 4."""

    code = "not_an_institution"
    http_status = 403


class TooManySubaccounts(Refusal):
    """There are as many as there may be."""

    code = "too_many_subaccounts"
    http_status = 409


class LabelTaken(Refusal):
    """One of this person's accounts has that name."""

    code = "label_taken"
    http_status = 409


class MainAccount(Refusal):
    """The main account is no sub-account: its owner does not freeze it here."""

    code = "main_account"
    http_status = 409


@transaction.atomic(durable=True)
def open_subaccount(*, user_id: int, label: str) -> TradingAccount:
    """Open one more account of an institution, with the tier and the fees of its main one.

    Refuses people of other tiers, a name that is taken, and one more than the setting allows.
    """
    return _open(user_id, label, actor=f"user:{user_id}")


@transaction.atomic
def seed_subaccount(*, user_id: int, label: str) -> None:
    """Open an institution's account of that name unless it has one. For the demo's people."""
    if not selectors.accounts_of(user_id).filter(label=label).exists():
        _open(user_id, label, actor="system")


def _open(user_id: int, label: str, *, actor: str) -> TradingAccount:
    main = locks.lock_main_account(user_id)
    if main is None or main.kyc_tier < INSTITUTION:
        raise NotAnInstitution("Sub-accounts are for institutions (tier 4).", tier=INSTITUTION)
    own, most = selectors.accounts_of(user_id), config.integer("FAIRBOOK_SUBACCOUNTS_MAX")
    if own.count() - 1 >= most:
        raise TooManySubaccounts("You have as many sub-accounts as may be.", limit=most)
    if own.filter(label=label).exists():
        raise LabelTaken("One of your accounts has this name.")
    opened = accounts.create_account(
        user_id=user_id, kyc_tier=main.kyc_tier, vip_tier=main.vip_tier, label=label
    )
    audit.record(
        "subaccount.opened",
        subject=f"user:{user_id}",
        actor=actor,
        account=opened.account,
    )
    return selectors.accounts_of(user_id).get(number=opened.account)


@transaction.atomic(durable=True)
def set_frozen_by_owner(*, user_id: int, number: int, frozen: bool) -> TradingAccount:
    """Stop a sub-account's new orders and payments, or take them again. Cancels always pass.

    What the house has frozen stays frozen. Refuses others' accounts as none, and the main one.
    """
    main = locks.lock_main_account(user_id)
    own = selectors.own_account(user_id, number)
    if main is None or own is None:
        raise accounts.NoSuchAccount("There is no such account.")
    if number == main.number:
        raise MainAccount("This is your main account.")
    account = locks.lock_account(number)
    if account.frozen_by_owner == frozen:
        return account
    account.frozen_by_owner = frozen
    accounts.apply_freeze(account, reason="its owner's wish")
    kind = "subaccount.frozen" if frozen else "subaccount.unfrozen"
    audit.record(kind, subject=f"user:{user_id}", actor=f"user:{user_id}", account=number)
    return account
