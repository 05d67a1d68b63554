"""Signatures as the dialect makes them: over the query string and the body, as sent.

By HMAC-SHA256 (hex) or Ed25519 (base64), whichever the key is of.
"""

from __future__ import annotations

import base64
import hashlib
import re

from apps.orders.dialect import refusals
from apps.orders.dialect.params import Params
from apps.users import signatures
from apps.users.contracts import KeyGrant

FUTURE_MAX_NS = 1_000_000_000
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}\Z", re.ASCII)


def check_key_format(key: str) -> None:
    """Refuse what cannot be an API key before anybody looks for it."""
    if not _KEY.match(key):
        raise refusals.bad_key_format()


def signed_bytes(query: bytes, body: bytes) -> bytes:
    """Return what the client signed: query then body, as sent, without the signature itself."""
    return _without_signature(query) + _without_signature(body)


def _without_signature(raw: bytes) -> bytes:
    if b"signature=" not in raw:
        return raw
    return b"&".join(part for part in raw.split(b"&") if not part.startswith(b"signature="))


def believed(grant: KeyGrant | None, signed: bytes, *, signature: str) -> KeyGrant:
    """Return the key that signed these bytes; refuse any other signature, and unknown keys."""
    is_good = signatures.is_signed(grant, signed, signature)
    if grant is None:
        raise refusals.bad_key()
    if not is_good:
        raise refusals.bad_signature()
    return grant


def check_time(params: Params, *, now_ns: int) -> int:
    """Refuse a request from outside its window; return its deadline (timestamp + recvWindow)."""
    timestamp_ns, window_ns = params.timestamp_ns(), params.window_ns()
    if timestamp_ns >= now_ns + FUTURE_MAX_NS:
        raise refusals.from_the_future()
    if now_ns - timestamp_ns > window_ns:
        raise refusals.outside_window()
    return timestamp_ns + window_ns


def derived_client_id(key: str, signed: bytes) -> str:
    """Name an order whose client named none: equal signed bytes of one key get equal names."""
    digest = hashlib.sha256(key.encode() + b"\x00" + signed).digest()
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()
