"""Whether a key signed these bytes, and which bytes a request under `/api/v1` signs.

HMAC-SHA256 signatures are hex, Ed25519 signatures base64, as the trading dialect has them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from functools import lru_cache
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from apps.users.contracts import ED25519, KeyGrant

UNKNOWN_SECRET: Final = b"\x00" * 64  # An unknown key costs the same as a wrong signature.
KEY_HEADER: Final = "HTTP_X_FAIRBOOK_KEY"
TIME_HEADER: Final = "HTTP_X_FAIRBOOK_TIMESTAMP"  # Unix milliseconds.
WINDOW_HEADER: Final = "HTTP_X_FAIRBOOK_WINDOW"  # Milliseconds; may be left out.
SIGNATURE_HEADER: Final = "HTTP_X_FAIRBOOK_SIGNATURE"
FIRST_LINE: Final = b"FAIRBOOK-1"
KEY_BYTES: Final = 32
_BEGIN, _END = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
_HEX = re.compile(r"[0-9A-Fa-f]{64}\Z", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9+/]{86}==\Z", re.ASCII)
_PRIME: Final = 2**255 - 19
_ORDER_8: Final = int.from_bytes(
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little"
)
# The y of the eight points under which anybody's signature would hold.
_SMALL: Final = frozenset({0, 1, _PRIME - 1, _ORDER_8, _PRIME - _ORDER_8})


def is_signed(grant: KeyGrant | None, signed: bytes, signature: str) -> bool:
    """Say whether a key signed these bytes. An unknown key did not, at the same cost."""
    if grant is not None and grant.kind == ED25519:
        return is_ed25519(grant.secret, signed, signature)
    return is_hmac(UNKNOWN_SECRET if grant is None else grant.secret, signed, signature)


def is_hmac(secret: bytes, signed: bytes, signature: str) -> bool:
    """Compare in constant time."""
    if not _HEX.match(signature):
        return False
    wanted = hmac.new(secret, signed, hashlib.sha256).digest()
    return hmac.compare_digest(wanted, bytes.fromhex(signature))


def is_ed25519(public_key: bytes, signed: bytes, signature: str) -> bool:
    """Check a signature: nothing about it is secret, so its time may tell nothing either."""
    if not _BASE64.match(signature):
        return False
    try:
        _loaded(public_key).verify(base64.b64decode(signature), signed)
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=5_000)
def _loaded(public_key: bytes) -> Ed25519PublicKey:
    return Ed25519PublicKey.from_public_bytes(public_key)


def v1_bytes(
    *, method: str, path: str, query: bytes, timestamp: str, window: str, body: bytes
) -> bytes:
    """Return what a request under `/api/v1` signs: six lines, then the body as it was sent."""
    lines = (
        *(FIRST_LINE, method.encode(), path.encode(), query),
        *(timestamp.encode(), window.encode(), b""),
    )
    return b"\n".join(lines) + body


# ── Public keys as people paste them ────────────────────────────────────────────────────────────


class NotAPublicKey(ValueError):
    """These words are no Ed25519 public key that may be trusted."""


class IsAPrivateKey(NotAPublicKey):
    """These words are what its owner must keep."""


def read_public_key(words: str) -> bytes:
    """Read an Ed25519 public key: PEM, or base64 of its DER or of its 32 bytes.

    Raises `NotAPublicKey`; for a private key, `IsAPrivateKey`.
    """
    if "PRIVATE KEY" in words:
        raise IsAPrivateKey
    inner = words.strip()
    if inner.startswith(_BEGIN):
        inner = inner.removeprefix(_BEGIN).partition(_END)[0]
    try:
        raw = base64.b64decode("".join(inner.split()), validate=True)
    except (binascii.Error, ValueError):
        raise NotAPublicKey from None
    if len(raw) != KEY_BYTES:
        raw = _of_der(raw)
    if (int.from_bytes(raw, "little") & (2**255 - 1)) % _PRIME in _SMALL:
        raise NotAPublicKey
    return raw


def _of_der(raw: bytes) -> bytes:
    if len(raw) == 48:  # PKCS #8 without its head and tail.
        raise IsAPrivateKey
    try:
        found = load_der_public_key(raw)
    except (ValueError, UnsupportedAlgorithm):
        raise NotAPublicKey from None
    if not isinstance(found, Ed25519PublicKey):
        raise NotAPublicKey
    return found.public_bytes_raw()


def written(public_key: bytes) -> str:
    """Write a public key as its owner knows it: base64 of its 32 bytes."""
    return base64.b64encode(public_key).decode()
