"""Reads about people, accounts and keys; the only way from a row to a grant."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db.models import QuerySet
from django.utils.crypto import constant_time_compare

from apps.users import networks, sealing, sessions
from apps.users.contracts import HMAC, KeyGrant, SessionGrant, Standing
from apps.users.models import ApiKey, ApiKeyQuerySet, FeeTier, TradingAccount, User
from apps.users.standing.computing import standing_of, without_factor


def account(number: int) -> TradingAccount | None:
    """Return an account, with its person."""
    return TradingAccount.objects.select_related("user").filter(pk=number).first()


def main_account(user_id: int) -> TradingAccount | None:
    """Return the account a person's log-in trades with: their oldest. Staff have none."""
    return accounts_of(user_id).first()


def accounts_of(user_id: int) -> QuerySet[TradingAccount]:
    """Return a person's accounts, the main one first."""
    own = TradingAccount.objects.select_related("user").filter(user_id=user_id)
    return own.order_by("number")


def own_account(user_id: int, number: int) -> TradingAccount | None:
    """Return an account if it is this person's; another's and none look the same from here."""
    return accounts_of(user_id).filter(number=number).first()


def standing_for_user(user_id: int, *, number: int | None = None) -> Standing | None:
    """Say what a person's log-in may do with their main account, or the one of this number.

    None if they have no such account.
    """
    account = main_account(user_id) if number is None else own_account(user_id, number)
    return standing_of(account) if account else None


def _key_grant(key: ApiKey) -> KeyGrant:
    if key.kind == HMAC:
        secret = sealing.unseal(bytes(key.sealed_secret or b""), bound_to=key.public_id)
    else:
        secret = bytes(key.public_key or b"")
    return KeyGrant(
        public_id=key.public_id,
        kind=key.kind,
        secret=secret,
        standing=standing_of(
            key.account, reads=key.can_read, trades=key.can_trade, withdraws=key.can_withdraw
        ),
        can_withdraw=key.can_withdraw,
        markets=frozenset(key.markets),
        networks=networks.of_words(key.networks),
        expires_at=key.expires_at.timestamp() if key.expires_at else float("inf"),
    )


def key_grant(public_id: str) -> KeyGrant | None:
    """Return what this API key opens, or None if there is no such live key."""
    keys = ApiKey.objects.live().select_related("account__user")
    key = keys.filter(public_id=public_id).first()
    return _key_grant(key) if key else None


def live_key_grants(*, limit: int) -> list[KeyGrant]:
    """Return the newest live keys: what an edge learns before its first request."""
    keys = ApiKey.objects.live().select_related("account__user").order_by("-created_at", "-pk")
    return [_key_grant(key) for key in keys[:limit]]


def session_grant(session_key: str) -> SessionGrant | None:
    """Return what this session cookie opens, or None if nobody is logged in by it (any more)."""
    if not sessions.is_key(session_key):
        return None
    store = SessionStore(sessions.name_of(session_key))  # The row alone, not its copy.
    user_id, now = store.get(SESSION_KEY), time.time()
    user = User.objects.filter(pk=user_id, is_active=True).first() if user_id else None
    if user is None or store.get(BACKEND_SESSION_KEY) not in settings.AUTHENTICATION_BACKENDS:
        return None
    mark = str(store.get(HASH_SESSION_KEY) or "")
    if not constant_time_compare(mark, user.get_session_auth_hash()):
        return None
    ends_at = sessions.ends_at(store)
    if ends_at < now:
        return None
    standing = standing_for_user(user.pk)
    if standing is None:
        return None
    if not sessions.factor_of(store):
        standing = without_factor(standing)
    return SessionGrant(standing=standing, expires_at=ends_at)


def is_live_key(public_id: str, *, account: int) -> bool:
    """Say whether the account has this key, and it opens the door."""
    return ApiKey.objects.live().filter(public_id=public_id, account_id=account).exists()


def keys_of(user_id: int) -> ApiKeyQuerySet:
    """Return the live keys of all of a person's accounts, newest first."""
    return ApiKey.objects.live().owned_by(user_id).order_by("-created_at", "-pk")


def user_by_email(email: str) -> User | None:
    """Find a person by e-mail address."""
    return User.objects.filter(email=email.lower()).first()


def role_of(user: User) -> str:
    """Name a person's role: their first staff group, or customer."""
    group = user.groups.order_by("name").first()
    return group.name if group else "customer"


def fee_rates(vip_tier: int) -> tuple[int, int]:
    """Return (maker, taker) in millionths of a VIP tier on spot markets."""
    tier = FeeTier.objects.get(kind="spot", tier=vip_tier)
    return tier.maker_ppm, tier.taker_ppm
