"""Secrets at rest: AES-256-GCM under a key from the environment, bound to their public names.

Sealed data begins with its version and the number of its key, both covered by the seal. Two keys
may be set: the one in use seals, and both open. How keys are changed is in docs/keys.md.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from apps.common.config import BadSetting, config

_UNNUMBERED, _NUMBERED = b"\x01", b"\x02"  # Versions. The first one did not name its key.
_NONCE_BYTES, _NUMBER_BYTES = 12, 4
HEAD_BYTES = 1 + _NUMBER_BYTES


@dataclass(frozen=True)
class Key:
    """A key of keys."""

    secret: bytes = field(repr=False)

    @property
    def number(self) -> bytes:
        """What sealed data calls it: nothing about the key follows from it."""
        return hashlib.sha256(b"fairbook.key/1" + self.secret).digest()[:_NUMBER_BYTES]

    @property
    def head(self) -> bytes:
        """What everything begins with that is sealed under it."""
        return _NUMBERED + self.number

    def encrypt(self, nonce: bytes, secret: bytes, name: bytes) -> bytes:
        """Seal, bound to a name."""
        return AESGCM(self.secret).encrypt(nonce, secret, name)

    def decrypt(self, body: bytes, name: bytes) -> bytes:
        """Open a nonce and what was sealed with it."""
        return AESGCM(self.secret).decrypt(body[:_NONCE_BYTES], body[_NONCE_BYTES:], name)


def key_in_use() -> Key:
    """Return the key that seals."""
    return Key(_secret("FAIRBOOK_KEY_ENCRYPTION_KEY"))


def second_key() -> Key | None:
    """Return the key that only opens, if one is set: the one of before, or the next one."""
    name = "FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY"
    return Key(_secret(name)) if config.text(name) else None


def seal(secret: bytes, *, bound_to: str) -> bytes:
    """Encrypt a secret so that it opens only beside the name it was sealed for."""
    key, nonce = key_in_use(), os.urandom(_NONCE_BYTES)
    return key.head + nonce + key.encrypt(nonce, secret, key.head + bound_to.encode())


def unseal(sealed: bytes, *, bound_to: str) -> bytes:
    """Decrypt what `seal` made. A changed byte, another name or an unknown key is an error."""
    keys = [key for key in (key_in_use(), second_key()) if key is not None]
    if sealed[:1] == _UNNUMBERED:
        return _unseal_unnumbered(sealed, bound_to, keys)
    head = sealed[:HEAD_BYTES]
    for key in keys:
        if key.head == head:
            return key.decrypt(sealed[HEAD_BYTES:], head + bound_to.encode())
    raise InvalidTag


def _unseal_unnumbered(sealed: bytes, bound_to: str, keys: list[Key]) -> bytes:
    """Open what was sealed before keys had numbers: by whichever key fits."""
    for key in keys:
        try:
            return key.decrypt(sealed[1:], bound_to.encode())
        except InvalidTag:
            continue
    raise InvalidTag


def _secret(name: str) -> bytes:
    try:
        key = bytes.fromhex(config.text(name))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise BadSetting(f"{name} is not 64 hex digits")
    return key
