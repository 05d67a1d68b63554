"""Signatures as the dialect makes them: HMAC-SHA256 over the query string and the body, as sent."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from apps.orders.dialect import refusals
from apps.orders.dialect.params import Params

FUTURE_MAX_NS = 1_000_000_000
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}\Z", re.ASCII)
_SIGNATURE = re.compile(r"[0-9A-Fa-f]{64}\Z", re.ASCII)


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


def check_signature(secret: bytes, signed: bytes, *, signature: str) -> None:
    """Refuse a signature that is not this secret's over these bytes; compares in constant time."""
    if not _SIGNATURE.match(signature):
        raise refusals.bad_signature()
    wanted = hmac.new(secret, signed, hashlib.sha256).digest()
    if not hmac.compare_digest(wanted, bytes.fromhex(signature)):
        raise refusals.bad_signature()


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
