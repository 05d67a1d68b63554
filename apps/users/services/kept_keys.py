"""Keys of other uses that stay when the key of keys is changed: that of blind indexes.

Such a key was derived from the key of keys once. From its first use on it is kept in a row, sealed,
and sealed anew with everything else; what it had made can still be found.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from apps.common.errors import Refusal
from apps.users import sealing
from apps.users.models import KeptKey


class KeyNotKept(Refusal):
    """Two keys of keys are set, and which of them this one came from is not known."""

    code = "key_not_kept"
    http_status = 503


def kept_key(name: str, *, made_of: bytes) -> bytes:
    """Return a key by its name; `made_of` says from what it was derived, before there were rows."""
    row = KeptKey.objects.filter(pk=name).first()
    if row is None:
        row = _keep(name, made_of)
    return sealing.unseal(bytes(row.sealed), bound_to=bound_to(row))


def bound_to(row: KeptKey) -> str:
    """Return what a row's key is bound to."""
    return f"kept_key:{row.name}"


def _keep(name: str, made_of: bytes) -> KeptKey:
    """Keep the key. At the same moment another process makes the same one."""
    if sealing.second_key() is not None:
        raise KeyNotKept("Run `manage.py rewrap_keys` with the old key alone first (docs/keys.md).")
    secret = HKDF(SHA256(), 32, salt=None, info=made_of).derive(sealing.key_in_use().secret)
    sealed = sealing.seal(secret, bound_to=bound_to(KeptKey(name=name)))
    return KeptKey.objects.get_or_create(name=name, defaults={"sealed": sealed})[0]
