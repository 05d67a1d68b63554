"""What the publisher puts on `cache` and how edges read it: keys, messages, and their bytes."""

from __future__ import annotations

import msgspec

from apps.users.contracts import Standing

CHANNEL = "standing:told"
BEAT = "standing:beat"
WANTED = "standing:wanted"
"""A set of accounts that an edge looked for and did not find."""


class Told(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """Standings that are new. `number` counts these messages of one life of the publisher."""

    life: int
    number: int
    standings: tuple[Standing, ...]


class Beat(msgspec.Struct, frozen=True, gc=False, array_like=True, tag=True):
    """The publisher lives, and has told this much."""

    life: int
    number: int
    at: float  # Unix seconds.


encode = msgspec.msgpack.Encoder().encode
decode_message = msgspec.msgpack.Decoder(Told | Beat).decode
decode_beat = msgspec.msgpack.Decoder(Beat).decode
_decode_standing = msgspec.msgpack.Decoder(Standing).decode


def key_of(account: int) -> str:
    """Return where an account's standing is."""
    return f"standing:of:{account}"


def standing_in(raw: bytes | None) -> Standing | None:
    """Read a standing; what another version wrote, and nothing, are None."""
    try:
        return _decode_standing(raw) if raw is not None else None
    except (msgspec.DecodeError, TypeError):
        return None
