"""Listen keys: names of private streams, which only their owner knows.

A listen key lives on `cache`, for an hour from when it was made or renewed, and no longer than the
API key or the log-in that made it: whoever takes a listen key asks the edge's memory about its
maker too. So revoking ends all of them at every edge, and nothing has to be found and deleted.
The cache knows it by a digest: who reads the cache can follow nobody's stream.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag

from apps.users import networks, sealing, sessions
from apps.users.contracts import Grant
from apps.users.memory import ACCOUNT, KEY, SESSION, EdgeMemory
from apps.users.watchers import Name

LIFE_S = 60 * 60
PREFIX = "listenkey:"

_encode = msgspec.msgpack.Encoder().encode


class ListenKey(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Whose stream it opens, and by which way in it was made."""

    account: int
    kind: str  # "key" or "session".
    maker: bytes  # The API key's public name, or the cookie: sealed, for it opens more than this.


_decode = msgspec.msgpack.Decoder(ListenKey).decode


def kept_as(name: str) -> str:
    """Return what the cache calls a listen key."""
    return f"{PREFIX}{sha256(name.encode()).hexdigest()}"


async def make(cache: Any, name: str, *, account: int, kind: str, maker: str) -> None:
    """Keep a new listen key."""
    word = maker.encode()
    if kind == SESSION:
        word = sealing.seal(word, bound_to=name)
    await cache.set(kept_as(name), _encode(ListenKey(account, kind, word)), ex=LIFE_S)


async def find(cache: Any, name: str) -> ListenKey | None:
    """Return a listen key that has not run out."""
    raw = await cache.get(kept_as(name))
    try:
        return _decode(raw) if raw is not None else None
    except msgspec.DecodeError:
        return None


async def renew(cache: Any, name: str) -> None:
    """Let it live for another hour."""
    await cache.expire(kept_as(name), LIFE_S)


async def end(cache: Any, name: str) -> None:
    """End it."""
    await cache.delete(kept_as(name))


def lives_on(name: str, found: ListenKey) -> tuple[Name, ...]:
    """Return the names whose changes concern it."""
    word = _maker(name, found)
    own = sessions.name_of(word) if found.kind == SESSION else word
    return (found.kind, own), (ACCOUNT, str(found.account))


async def grant_of(
    name: str, found: ListenKey, memory: EdgeMemory, *, address: str
) -> Grant | None:
    """Return what its maker opens at this moment, or None if that has ended.

    What an API key made opens to no connection from where the key may not be used.
    """
    word = _maker(name, found)
    grant: Grant | None = None
    if found.kind == KEY:
        key = await memory.key(word)
        grant = key if key is not None and networks.allow(key.networks, address) else None
    elif found.kind == SESSION:
        grant = await memory.session(word)
    if grant is None or not grant.standing.may_read or grant.standing.account != found.account:
        return None
    return grant


def _maker(name: str, found: ListenKey) -> str:
    if found.kind != SESSION:
        return found.maker.decode()
    try:
        return sealing.unseal(found.maker, bound_to=name).decode()
    except InvalidTag:  # Sealed before the key of keys was changed.
        return ""
