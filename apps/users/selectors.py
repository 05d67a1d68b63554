"""Reads about people, accounts and keys; the only way from a row to a grant."""

from __future__ import annotations

import time

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from apps.users import sealing, sessions
from apps.users.contracts import KeyGrant, SessionGrant, Standing
from apps.users.models import ApiKey, ApiKeyQuerySet, FeeTier, TradingAccount, User

TRADING_KYC_TIER = 1  # Unverified people see markets and nothing else.


def standing_of(account: TradingAccount, *, reads: bool = True, trades: bool = True) -> Standing:
    """Say what an account may do, when its user and the way in allow it."""
    active = account.user.is_active
    may_trade = active and not account.is_frozen and account.kyc_tier >= TRADING_KYC_TIER
    return Standing(
        user_id=account.user_id,
        account=account.number,
        partition=account.partition,
        kyc_tier=account.kyc_tier,
        vip_tier=account.vip_tier,
        may_read=active and reads,
        may_trade=may_trade and trades,
        may_cancel=active and trades,
        is_staff=account.user.is_staff,
    )


def main_account(user_id: int) -> TradingAccount | None:
    """Return the account a person's log-in trades with: their oldest. Staff have none."""
    accounts = TradingAccount.objects.select_related("user").filter(user_id=user_id)
    return accounts.order_by("number").first()


def standing_for_user(user_id: int) -> Standing | None:
    """Say what a person's log-in may do, or None if they have no trading account."""
    account = main_account(user_id)
    return standing_of(account) if account else None


def _key_grant(key: ApiKey) -> KeyGrant:
    return KeyGrant(
        public_id=key.public_id,
        secret=sealing.unseal(bytes(key.sealed_secret), bound_to=key.public_id),
        standing=standing_of(key.account, reads=key.can_read, trades=key.can_trade),
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
    store = SessionStore(session_key)
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
    return SessionGrant(standing=standing, expires_at=ends_at)


def is_live_key(public_id: str, *, account: int) -> bool:
    """Say whether the account has this key, and it opens the door."""
    return ApiKey.objects.live().filter(public_id=public_id, account_id=account).exists()


def keys_of(user_id: int) -> ApiKeyQuerySet:
    """Return a person's live keys, newest first."""
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
