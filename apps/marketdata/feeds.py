"""The dialect's stream sockets: `/ws/<streams>` raw, `/stream?streams=…` wrapped; their requests.

Join first, then answer: what is sent after the answer is never missed, and every event is numbered,
so that a client takes a REST snapshot after it and sees by itself whether the two fit.
"""

from __future__ import annotations

import contextlib
import time
from typing import Any
from urllib.parse import parse_qs

import msgspec
import redis

from apps.common import addresses
from apps.common.errors import Unavailable
from apps.common.redis_clients import async_cache_client
from apps.marketdata import listen_keys, store, stream_names
from apps.marketdata.groups import user_group
from apps.marketdata.listen_keys import ListenKey
from apps.marketdata.sockets import NOT_LOGGED_IN, POLICY, Closed, Socket, remembered

STREAMS_MAX = 1_024
SYMBOLS_FRESH_S = 5.0
INVALID_JSON, UNKNOWN_PROPERTY, INVALID_VALUE, INVALID_REQUEST = 3, 0, 1, 2


class Wrong(Exception):
    """The client asked for something that is not there."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


class _Known:
    """The symbols there are, as of a moment ago."""

    symbols: frozenset[str] = frozenset()
    read_at = float("-inf")


async def _symbols() -> frozenset[str]:
    if time.monotonic() - _Known.read_at > SYMBOLS_FRESH_S:
        async with async_cache_client() as cache:
            found: Any = await cache.smembers(store.SYMBOLS)
        _Known.symbols = frozenset(name.decode() for name in found)
        _Known.read_at = time.monotonic()
    return _Known.symbols


async def group_named(name: str) -> str:
    """Return the group of a public stream, or refuse its name."""
    group = stream_names.group_of(name)
    known = await _symbols()
    symbol = stream_names.symbol_of(name)
    if group is None or (symbol is not None and known and symbol not in known):
        raise Wrong(INVALID_REQUEST, f"Invalid request: unknown stream {name[:60]}")
    return group


class StreamSocket(Socket):
    """A socket that follows streams by name."""

    combined = False

    def named_at_first(self) -> list[str]:
        """Return the streams that the address names."""
        return stream_names.in_path(self.scope["url_route"]["kwargs"].get("names", ""))

    async def begin(self) -> None:
        """Follow what the address names."""
        try:
            await self.subscribe(self.named_at_first())
        except Wrong as wrong:
            self.say({"code": wrong.code, "msg": wrong.text})
            raise Closed(POLICY, wrong.text) from None

    async def watch(self) -> None:
        """Follow listen keys no more that ran out, or whose maker ended; close if nothing is left.

        While nobody can say, they go on.
        """
        ended = [name for name in self._listen_keys() if not await self._is_open(name)]
        for name in ended:
            self.say({"e": "listenKeyExpired", "E": time.time_ns() // 1_000_000})
            with contextlib.suppress(redis.RedisError, OSError):  # It is forgotten here already.
                await self.unsubscribe([name])
        if ended and not self.groups:
            raise Closed(NOT_LOGGED_IN, "the listen key has ended")

    def _listen_keys(self) -> list[str]:
        held = {name for mine in self.groups.values() for name in mine}
        return [name for name in held if stream_names.is_listen_key(name)]

    async def _is_open(self, name: str) -> bool:
        try:
            return await self._opened(name) is not None
        except (Unavailable, redis.RedisError, OSError):
            return True

    async def _opened(self, name: str) -> ListenKey | None:
        """Return a listen key that opens its stream now; from here on, hear of its end at once."""
        async with async_cache_client() as cache:
            found = await listen_keys.find(cache, name)
        if found is None:
            return None
        memory = remembered()
        address = addresses.peer(self.scope)
        grant = await listen_keys.grant_of(name, found, memory, address=address)
        if grant is None:
            return None
        self.ends_at = min(self.ends_at, grant.expires_at)
        self.heed(memory.watchers, *listen_keys.lives_on(name, found))
        return found

    async def _group_of(self, name: str) -> str:
        """Return the group of a stream, public or private, or refuse its name."""
        try:
            if not stream_names.is_listen_key(name):
                return await group_named(name)
            found = await self._opened(name)
        except (Unavailable, redis.RedisError, OSError):
            raise Wrong(INVALID_REQUEST, "Streams are not available now; try again.") from None
        if found is None:
            raise Wrong(INVALID_REQUEST, "Invalid request: unknown listen key")
        return user_group(found.account)

    def frame(self, name: str, text: str) -> str:
        """Send events bare, or wrapped with the name of their stream."""
        return f'{{"stream":"{name}","data":{text}}}' if self.combined else text

    async def subscribe(self, names: list[str]) -> None:
        """Follow all of these streams, or none of them."""
        held = {name for mine in self.groups.values() for name in mine}
        if len(held.union(names)) > STREAMS_MAX:
            raise Wrong(INVALID_REQUEST, f"Invalid request: at most {STREAMS_MAX} streams")
        groups = [(await self._group_of(name), name) for name in names]
        try:
            for group, name in groups:
                await self.follow(group, name)
        except (redis.RedisError, OSError):
            raise Wrong(INVALID_REQUEST, "Streams are not available now; try again.") from None

    async def unsubscribe(self, names: list[str]) -> None:
        """Follow these streams no more; those that were not followed do not matter."""
        for group, mine in list(self.groups.items()):
            for name in [one for one in mine if one in names]:
                await self.unfollow(group, name)

    async def hear(self, text: str) -> None:
        """Answer one request."""
        request_id: Any = None
        try:
            request = _parsed(text)
            request_id = request.get("id")
            self.say({"result": await self._answer(request), "id": request_id})
        except Wrong as wrong:
            error = {"code": wrong.code, "msg": wrong.text}
            self.say({"error": error, "id": request_id})

    async def _answer(self, request: dict[str, Any]) -> Any:
        match request:
            case {"method": "SUBSCRIBE"}:
                await self.subscribe(_names(request))
            case {"method": "UNSUBSCRIBE"}:
                await self.unsubscribe(_names(request))
            case {"method": "LIST_SUBSCRIPTIONS"}:
                return sorted(name for mine in self.groups.values() for name in mine)
            case {"method": "SET_PROPERTY", "params": ["combined", bool() as combined]}:
                self.combined = combined
            case {"method": "GET_PROPERTY", "params": ["combined"]}:
                return self.combined
            case {"method": "SET_PROPERTY" | "GET_PROPERTY"}:
                raise Wrong(UNKNOWN_PROPERTY, "Unknown property")
            case _:
                raise Wrong(INVALID_REQUEST, "Invalid request: unknown method")
        return None


class CombinedSocket(StreamSocket):
    """A socket at `/stream`: events come wrapped, and the query names the first streams."""

    combined = True

    def named_at_first(self) -> list[str]:
        """Return the streams that the query names."""
        query = parse_qs(self.scope.get("query_string", b"").decode("latin-1"))
        return [name for word in query.get("streams", []) for name in word.split("/") if name]


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Wrong(INVALID_JSON, "Invalid JSON") from None
    if not isinstance(request, dict):
        raise Wrong(INVALID_REQUEST, "Invalid request: expected an object")
    request_id = request.get("id")
    if isinstance(request_id, bool | float | list | dict) or len(str(request_id)) > 40:
        request["id"] = None
        raise Wrong(INVALID_VALUE, "Invalid value type: id must be an integer or a short string")
    return request


def _names(request: dict[str, Any]) -> list[str]:
    names = request.get("params")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise Wrong(INVALID_VALUE, "Invalid value type: params must be a list of stream names")
    return names
