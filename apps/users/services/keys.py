"""What can be done about API keys."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import msgspec
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from apps.common import audit
from apps.common.errors import Refusal
from apps.users import locks, networks, sealing, signatures
from apps.users.contracts import ED25519, HMAC, KeyTerms, KeyUse, NewKey
from apps.users.models import ApiKey, TradingAccount
from apps.users.services import announcing, mail

KEYS_PER_ACCOUNT_MAX = 30
MARKETS_MAX = 30
_MARKET = re.compile(r"[A-Z0-9]{1,12}(-[A-Z0-9]{1,12}){1,2}\Z", re.ASCII)


class TooManyKeys(Refusal):
    """The account has as many live API keys as it may have."""

    code = "too_many_keys"
    http_status = 409


class NoSuchKey(Refusal):
    """Another's key and no key look the same from here."""

    code = "no_such_key"
    http_status = 404


class BadPublicKey(Refusal):
    """What was given is no Ed25519 public key."""

    code = "bad_public_key"


class PrivateKeyGiven(Refusal):
    """A private key was sent to us: nobody should use it any more."""

    code = "private_key_given"


class PublicKeyInUse(Refusal):
    """A live key of this person has this public key: what was signed for one would open both."""

    code = "public_key_in_use"
    http_status = 409


class BadNetwork(Refusal):
    """A network of the list cannot be read, is too wide, or there are too many."""

    code = "bad_network"


class BadMarket(Refusal):
    """A market of the list cannot be one, or there are too many."""

    code = "bad_market"


class NeedsNetworks(Refusal):
    """A key that withdraws says from where it is used."""

    code = "withdraw_needs_networks"


class BadExpiry(Refusal):
    """A key ends in the future."""

    code = "bad_expiry"


class KeyWouldWiden(Refusal):
    """A key only ever gets narrower; one that may do more is a new key."""

    code = "key_would_widen"
    http_status = 409


# ── Making ──────────────────────────────────────────────────────────────────────────────────────


@transaction.atomic
def create_api_key(
    *,
    account: int,
    label: str = "",
    can_trade: bool = False,
    public_key: str = "",
    terms: KeyTerms | None = None,
    by: int | None = None,
) -> NewKey:
    """Make a key. With a `public_key` it is its owner's who signs, by Ed25519; without one, we make
    an HMAC secret, which is in this answer and nowhere else in the clear.

    `by` is the person who asks (None: the house itself). Refuses `terms` that `checked` refuses,
    and one key more than an account may have.
    """
    wanted = checked(terms or KeyTerms(label=label, can_trade=can_trade))
    owner = locks.lock_account(account)
    if ApiKey.objects.live().filter(account_id=account).count() >= KEYS_PER_ACCOUNT_MAX:
        raise TooManyKeys("Revoke a key before you make another.", limit=KEYS_PER_ACCOUNT_MAX)
    public_id, secret = secrets.token_urlsafe(48)[:64], ""
    key = ApiKey(public_id=public_id, account_id=account, kind=ED25519 if public_key else HMAC)
    if public_key:
        key.public_key = _new_public_key(public_key, owner)
    else:
        secret = secrets.token_urlsafe(48)[:64]
        key.sealed_secret = sealing.seal(secret.encode(), bound_to=public_id)
    _put_terms(key, wanted)
    key.save()
    _record("key.made", key, owner.user_id, actor="system" if by is None else f"user:{by}")
    announcing.changed("key", public_id)
    if by is not None:
        mail.tell_key_made(owner.user, label=key.label, scopes=_scopes(wanted))
    return NewKey(
        public_id=public_id, kind=key.kind, secret=secret, **msgspec.structs.asdict(wanted)
    )


def _scopes(terms: KeyTerms) -> str:
    """Say what a key may do, for people."""
    return _SCOPES[terms.can_trade, terms.can_withdraw]


_SCOPES = {
    (False, False): gettext_noop("read"),
    (True, False): gettext_noop("read, trade"),
    (False, True): gettext_noop("read, withdraw"),
    (True, True): gettext_noop("read, trade, withdraw"),
}


def checked(terms: KeyTerms) -> KeyTerms:
    """Return terms with their networks and markets written the one way, or refuse them."""
    found = msgspec.structs.replace(
        terms, networks=_networks(terms.networks), markets=_markets(terms.markets)
    )
    if found.can_withdraw and not found.networks:
        raise NeedsNetworks("A key that may withdraw needs a list of addresses it is used from.")
    if found.expires_at is not None and found.expires_at <= timezone.now():
        raise BadExpiry("A key can only end in the future.")
    return found


def _networks(words: Sequence[str]) -> tuple[str, ...]:
    if len(words) > networks.NETWORKS_MAX:
        raise BadNetwork("Too many networks.", limit=networks.NETWORKS_MAX)
    try:
        return networks.normalised(words)
    except ValueError:
        raise BadNetwork(
            "Write addresses or networks like 192.0.2.7, 192.0.2.0/24 or 2001:db8::/48, "
            f"no wider than /{networks.WIDEST_V4} (IPv4) or /{networks.WIDEST_V6} (IPv6)."
        ) from None


def _markets(words: Iterable[str]) -> tuple[str, ...]:
    found = tuple(sorted({word.strip().upper() for word in words}))
    if len(found) > MARKETS_MAX or not all(_MARKET.match(word) for word in found):
        raise BadMarket("Name markets like BTC-USDT, at most so many.", limit=MARKETS_MAX)
    return found


def _new_public_key(words: str, owner: TradingAccount) -> bytes:
    try:
        public_key = signatures.read_public_key(words)
    except signatures.IsAPrivateKey:
        raise PrivateKeyGiven(
            "This is a private key. Do not use it any more: make another pair, and give its public "
            "half only."
        ) from None
    except signatures.NotAPublicKey:
        raise BadPublicKey("This is no Ed25519 public key, in PEM or base64.") from None
    own = ApiKey.objects.unrevoked().owned_by(owner.user_id)
    if own.filter(public_key=public_key).exists():
        raise PublicKeyInUse("One of your keys has this public key already: make another pair.")
    return public_key


def _put_terms(key: ApiKey, terms: KeyTerms) -> None:
    key.label = terms.label
    key.can_trade, key.can_withdraw = terms.can_trade, terms.can_withdraw
    key.markets, key.networks = list(terms.markets), list(terms.networks)
    key.expires_at = terms.expires_at


# ── Changing and ending ─────────────────────────────────────────────────────────────────────────


_TERMS = ("label", "can_trade", "can_withdraw", "markets", "networks", "expires_at")


def terms_of(key: ApiKey) -> KeyTerms:
    """Say what a key may do."""
    return KeyTerms(
        label=key.label,
        can_trade=key.can_trade,
        can_withdraw=key.can_withdraw,
        markets=tuple(key.markets),
        networks=tuple(key.networks),
        expires_at=key.expires_at,
    )


@transaction.atomic(durable=True)
def change_api_key(*, user_id: int, public_id: str, **changes: object) -> ApiKey:
    """Give a key another label, or let it do less, at every edge at once.

    `changes` are fields of `KeyTerms`; what would let it do more is refused.
    """
    key = locks.lock_key(user_id=user_id, public_id=public_id)
    if key is None:
        raise NoSuchKey("There is no such key.")
    old = terms_of(key)
    new = checked(msgspec.structs.replace(old, **changes))
    if not _is_within(new, old):
        raise KeyWouldWiden("A key can only be narrowed. Make a new one that may do more.")
    _put_terms(key, new)
    key.save(update_fields=_TERMS)
    _record("key.changed", key, user_id, actor=f"user:{user_id}")
    announcing.changed("key", public_id)
    return key


def _is_within(new: KeyTerms, old: KeyTerms) -> bool:
    """Whether a key of the new terms opens nothing that one of the old terms did not."""
    never = datetime.max.replace(tzinfo=UTC)
    return (
        new.can_trade <= old.can_trade
        and new.can_withdraw <= old.can_withdraw
        and (not old.markets or (bool(new.markets) and set(new.markets) <= set(old.markets)))
        and (not old.networks or _are_networks_within(new, old))
        and (new.expires_at or never) <= (old.expires_at or never)
    )


def _are_networks_within(new: KeyTerms, old: KeyTerms) -> bool:
    inner, outer = networks.of_words(new.networks), networks.of_words(old.networks)
    return bool(inner) and networks.are_within(inner, outer)


@transaction.atomic(durable=True)
def revoke_api_key(*, user_id: int, public_id: str) -> None:
    """End a key at once, at every edge."""
    key = ApiKey.objects.unrevoked().owned_by(user_id).filter(public_id=public_id).first()
    ended_at = timezone.now()
    if key is None or not ApiKey.objects.unrevoked().filter(pk=key.pk).update(revoked_at=ended_at):
        raise NoSuchKey("There is no such key.")
    _record("key.revoked", key, user_id, actor=f"user:{user_id}")
    announcing.changed("key", public_id, gone=True)


def _record(kind: str, key: ApiKey, user_id: int, *, actor: str) -> None:
    """Record an act. The key's name stays out of it: it opens a listen key by itself."""
    audit.record(
        kind,
        subject=f"user:{user_id}",
        actor=actor,
        key=key.pk,
        account=key.account_id,
        signs_by=key.kind,
        can_trade=key.can_trade,
        can_withdraw=key.can_withdraw,
        markets=list(key.markets),
        networks=len(key.networks),
        expires_at=key.expires_at.isoformat() if key.expires_at else None,
    )


# ── Last use ────────────────────────────────────────────────────────────────────────────────────

_NOTE_USES = """
    UPDATE users_apikey AS kept
       SET last_used_at = to_timestamp(use.at), last_used_address = use.address::inet
      FROM unnest(%s::text[], %s::float8[], %s::text[]) AS use (public_id, at, address)
     WHERE kept.public_id = use.public_id
       AND (kept.last_used_at IS NULL OR kept.last_used_at < to_timestamp(use.at))
"""


def note_uses(uses: Sequence[KeyUse]) -> None:
    """Write when and from where keys were used last. (How often: `apps.users.key_uses`.)"""
    columns = (
        [use.public_id for use in uses],
        [use.at for use in uses],
        [use.address or None for use in uses],
    )
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_USES, columns)
