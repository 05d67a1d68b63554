"""A worker's state as bytes: one way to write it, so that equal states have equal hashes."""

import hashlib
from typing import Any

import msgspec

_sorted_encoder = msgspec.msgpack.Encoder(order="sorted")
_plain_encoder = msgspec.msgpack.Encoder()


def canonical(state: Any) -> bytes:
    """Return msgpack with all maps sorted by key."""
    try:
        return _sorted_encoder.encode(state)
    except TypeError:  # Keys that are no text: sorted by hand, slower, to the same bytes.
        return _plain_encoder.encode(_sorted(state))


def digest(state: bytes) -> bytes:
    """Return the state hash of canonical bytes."""
    return hashlib.sha256(state).digest()


def decode(state: bytes) -> Any:
    """Read canonical bytes back."""
    return msgspec.msgpack.decode(state)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value
