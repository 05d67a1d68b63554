"""What can be done about people, their accounts and their keys."""

from __future__ import annotations

import secrets
from functools import partial

import msgspec
import redis
import structlog
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.common import outbox
from apps.common.config import config
from apps.common.errors import Refusal
from apps.common.kernel.ids import numbered_in
from apps.common.redis_clients import cache_client
from apps.risk.contracts.commands import AccountFreeze, AccountOpen, FeesSet
from apps.users import locks, sealing, selectors
from apps.users.contracts import STAFF_ROLES, Changed, NewKey, Standing
from apps.users.models import ApiKey, TradingAccount, User

CHANGED_CHANNEL = "users:changed"
KEYS_PER_ACCOUNT_MAX = 30
DEMO_DOMAIN = "fairbook.example"

log = structlog.get_logger("fairbook.users")


class WeakPassword(Refusal):
    """The password is too short, or on the list of common ones."""

    code = "weak_password"


class TooManyKeys(Refusal):
    """The account has as many live API keys as it may have."""

    code = "too_many_keys"
    http_status = 409


class NoSuchKey(Refusal):
    """Another's key and no key look the same from here."""

    code = "no_such_key"
    http_status = 404


class NoTradingAccount(Refusal):
    """The person has no account that trades."""

    code = "no_trading_account"
    http_status = 403


def full_login(login: str) -> str:
    """Return the e-mail address behind a log-in name; the demo's people have short ones."""
    login = login.strip().lower()
    return f"{login}@{DEMO_DOMAIN}" if settings.DEMO and login and "@" not in login else login


def short_login(email: str) -> str:
    """Return the name that a person logs in by."""
    return email.removesuffix(f"@{DEMO_DOMAIN}") if settings.DEMO else email


def check_password_is_strong(password: str, *, email: str) -> None:
    """Refuse a password that is too short or well known."""
    try:
        validate_password(password, User(email=email))
    except ValidationError as error:
        raise WeakPassword(" ".join(error.messages)) from None


@transaction.atomic(durable=True)
def sign_up(*, email: str, password: str, full_name: str) -> None:
    """Make a person with an account, or change nothing if the address is known. Says neither."""
    check_password_is_strong(password, email=email)
    user = User(email=email.lower(), full_name=full_name)
    user.set_password(password)  # Before the look-up: both ways cost the same time.
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError:
        return
    # The demo has no identity checks yet: it takes the first tier's as passed.
    create_account(user_id=user.pk, kyc_tier=1 if settings.DEMO else 0)


@transaction.atomic
def register(*, email: str, password: str, full_name: str = "", role: str = "") -> int:
    """Make a person, of the staff if a role is named; return their number.

    Repeated, it gives them this password, if theirs is another, and changes nothing else.
    """
    known = selectors.user_by_email(email)
    if known is not None:
        if not known.check_password(password):
            known.set_password(password)
            known.save(update_fields=["password"])
        return known.pk
    user = User.objects.create_user(
        email,
        password,
        full_name=full_name,
        is_staff=role in STAFF_ROLES,
        is_superuser=role == "admin",
    )
    if role in STAFF_ROLES:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user.pk


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
    return selectors.standing_of(account)


@transaction.atomic
def set_vip_tier(*, number: int, vip_tier: int) -> None:
    """Give an account the fees of another tier."""
    account = TradingAccount.objects.get(pk=number)
    account.vip_tier = vip_tier
    account.save(update_fields=["vip_tier"])
    _tell_fees(account)
    _changed("account", str(account.number))


@transaction.atomic
def set_frozen(*, number: int, frozen: bool, reason: str) -> None:
    """Stop an account's new orders and withdrawals, or take them again."""
    account = TradingAccount.objects.get(pk=number)
    account.is_frozen = frozen
    account.save(update_fields=["is_frozen"])
    command = AccountFreeze(account=account.number, frozen=frozen, reason=reason)
    outbox.send(command, worker=f"risk:{account.partition}")
    _changed("account", str(account.number))


def _tell_fees(account: TradingAccount) -> None:
    maker, taker = selectors.fee_rates(account.vip_tier)
    command = FeesSet(
        account=account.number, tier=account.vip_tier, maker_ppm=maker, taker_ppm=taker
    )
    outbox.send(command, worker=f"risk:{account.partition}")


@transaction.atomic
def create_api_key(*, account: int, label: str = "", can_trade: bool = False) -> NewKey:
    """Make a key; its secret is in this answer and nowhere else in the clear."""
    if ApiKey.objects.live().filter(account_id=account).count() >= KEYS_PER_ACCOUNT_MAX:
        raise TooManyKeys("Revoke a key before you make another.", limit=KEYS_PER_ACCOUNT_MAX)
    public_id, secret = secrets.token_urlsafe(48)[:64], secrets.token_urlsafe(48)[:64]
    ApiKey.objects.create(
        public_id=public_id,
        account_id=account,
        label=label,
        sealed_secret=sealing.seal(secret.encode(), bound_to=public_id),
        can_trade=can_trade,
    )
    _changed("key", public_id)
    return NewKey(public_id=public_id, secret=secret, label=label, can_trade=can_trade)


@transaction.atomic(durable=True)
def revoke_api_key(*, user_id: int, public_id: str) -> None:
    """End a key at once, at every edge."""
    live = ApiKey.objects.live().owned_by(user_id).filter(public_id=public_id)
    if not live.update(revoked_at=timezone.now()):
        raise NoSuchKey("There is no such key.")
    _changed("key", public_id, gone=True)


@transaction.atomic
def let_staff_look() -> None:
    """Give every staff role the right to see every table in the back office, and no more."""
    views = Permission.objects.filter(codename__startswith="view_")
    for role in STAFF_ROLES:
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(views)


def end_session(name: str) -> None:
    """Tell every edge that this log-in ended (its name is `sessions.name_of` its key)."""
    _announce(Changed("session", name, True))


def _changed(kind: str, name: str, *, gone: bool = False) -> None:
    transaction.on_commit(partial(_announce, Changed(kind, name, gone)))


def _announce(change: Changed) -> None:
    """Tell all edges. Deaf ones look again by themselves within a second or so (`memory`)."""
    client = cache_client(socket_connect_timeout=0.5, socket_timeout=1)
    try:
        client.publish(CHANGED_CHANNEL, msgspec.msgpack.encode(change))
    except redis.RedisError as error:
        log.warning("users.change.not_announced", kind=change.kind, reason=str(error))
    finally:
        client.close()
