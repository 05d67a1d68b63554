"""API secrets at rest: AES-256-GCM under a key from the environment, bound to their public id."""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.common.config import BadSetting, config

_VERSION = b"\x01"
_NONCE_BYTES = 12


def _cipher() -> AESGCM:
    key = bytes.fromhex(config.text("FAIRBOOK_KEY_ENCRYPTION_KEY"))
    if len(key) != 32:
        raise BadSetting("FAIRBOOK_KEY_ENCRYPTION_KEY is not 64 hex digits")
    return AESGCM(key)


def seal(secret: bytes, *, bound_to: str) -> bytes:
    """Encrypt a secret so that it opens only beside the name it was sealed for."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + _cipher().encrypt(nonce, secret, bound_to.encode())


def unseal(sealed: bytes, *, bound_to: str) -> bytes:
    """Decrypt what `seal` made. A changed byte, another name or another key is an error."""
    if sealed[:1] != _VERSION:
        raise InvalidTag
    nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    return _cipher().decrypt(nonce, body, bound_to.encode())
