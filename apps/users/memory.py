"""What an edge remembers of keys and log-ins, so that a signed order never waits for PostgreSQL.

An entry is fresh for 60 s, for 1 s while this edge cannot hear changes (the cache is away), and for
no time once a change that concerns it was heard. An entry that is no longer fresh is read again
before it is used, and while PostgreSQL does not answer the last one known is used as it is; what
is known to have ended stays ended. One in use is read again beside the request when half its time
has passed, and a new key when it is announced, so that neither keeps an order waiting.
Who asks by a name that opened nothing so far is counted before PostgreSQL is asked (`admit`).
Open sockets are woken by what they live on (`watchers`). What is remembered of a way in is narrowed
to what its account may do now (`standing.following`); the risk engine has its own word on frozen
accounts.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial

import msgspec
import redis
import redis.asyncio
import structlog
from django.db import InterfaceError, OperationalError, connections

from apps.common.errors import Unavailable
from apps.users import selectors, sessions
from apps.users.contracts import Changed, Grant, KeyGrant, SessionGrant
from apps.users.key_uses import KeyUses
from apps.users.services.announcing import CHANGED_CHANNEL
from apps.users.standing.following import Standings
from apps.users.watchers import Watchers

FRESH_S, DEAF_FRESH_S = 60.0, 1.0
AHEAD_S = 30.0  # From this age on an entry that is used is read again, before it must be.
LEARN_AT_ONCE = 8  # Announced keys that are read at a time; the rest is read when used.
PATIENCE_S = 0.25  # A known entry is used after this wait for a newer one.
DOWN_S = 2.0  # After a failure nobody tries PostgreSQL for so long.
ENTRIES_MAX = 20_000
STRANGERS_MAX = 2_000  # Apart: who invents names pushes out nobody whom this edge knows.
WARM_KEYS_MAX = 5_000
KEY, SESSION, ACCOUNT = "key", "session", "account"

Admit = Callable[[], Awaitable[object]]
AdmitNow = Callable[[], object]

log = structlog.get_logger("fairbook.users")
_decode = msgspec.msgpack.Decoder(Changed).decode


@dataclass(slots=True)
class _Entry:
    grant: Grant | None  # None: there is no such key or log-in.
    read_at: float


class EdgeMemory:
    """The keys and log-ins that this process knows. Used by its event loop and by its threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._strangers: OrderedDict[tuple[str, str], _Entry] = OrderedDict()
        self._lock = threading.Lock()
        self._reads: dict[tuple[str, str], asyncio.Task[Grant | None]] = {}
        self._down_until = float("-inf")
        self._hears = False
        self._changes = 0  # Heard so far: a read that one overtook is not fresh.
        self.watchers = Watchers()
        self.uses = KeyUses()
        self.standings: Standings | None = None  # None: what was read of a way in is the answer.

    # -- asking

    async def key(self, public_id: str, *, admit: Admit | None = None) -> KeyGrant | None:
        """Return what an API key opens, or None. `admit` may refuse to look a stranger up."""
        return self._unexpired(await self._ask((KEY, public_id), public_id, admit))

    async def session(self, session_key: str, *, admit: Admit | None = None) -> SessionGrant | None:
        """Return what a session cookie opens, or None."""
        name = self._session_name(session_key)
        return self._still_on(await self._ask(name, session_key, admit))

    def key_now(self, public_id: str, *, admit: AdmitNow | None = None) -> KeyGrant | None:
        """Do the same as `key` from a thread."""
        return self._unexpired(self._ask_now((KEY, public_id), public_id, admit))

    def session_now(
        self, session_key: str, *, admit: AdmitNow | None = None
    ) -> SessionGrant | None:
        """Do the same as `session` from a thread."""
        name = self._session_name(session_key)
        return self._still_on(self._ask_now(name, session_key, admit))

    def _session_name(self, session_key: str) -> tuple[str, str]:
        """Name a log-in; one that has run out, as far as is known here, is looked up again."""
        name = (SESSION, sessions.name_of(session_key))
        entry = self._entries.get(name)
        if entry is not None and entry.grant is not None and self._still_on(entry.grant) is None:
            entry.read_at = float("-inf")
        return name

    @staticmethod
    def _unexpired(grant: Grant | None) -> KeyGrant | None:
        if not isinstance(grant, KeyGrant) or grant.expires_at <= time.time():
            return None
        return grant

    @staticmethod
    def _still_on(grant: Grant | None) -> SessionGrant | None:
        if not isinstance(grant, SessionGrant) or grant.expires_at < time.time():
            return None
        return grant

    def _entry(self, name: tuple[str, str]) -> _Entry | None:
        return self._entries.get(name) or self._strangers.get(name)

    async def _ask(self, name: tuple[str, str], secret: str, admit: Admit | None) -> Grant | None:
        grant = await self._remembered(name, secret, admit)
        if grant is None or self.standings is None:
            return grant
        return await self.standings.applied(grant)

    async def _remembered(
        self, name: tuple[str, str], secret: str, admit: Admit | None
    ) -> Grant | None:
        entry = self._entry(name)
        if entry is not None and self._is_fresh(entry):
            if self._clock() - entry.read_at > AHEAD_S and self._clock() >= self._down_until:
                self._start_read(name, secret)
            return entry.grant
        if self._clock() < self._down_until:
            return self._last_known(entry)
        if admit is not None and self._is_strange(entry):
            await admit()
        read = self._start_read(name, secret)
        try:
            patience_s = PATIENCE_S if entry is not None else None
            return await asyncio.wait_for(asyncio.shield(read), patience_s)
        except (OperationalError, InterfaceError, TimeoutError):
            return self._last_known(entry)

    def _start_read(self, name: tuple[str, str], secret: str) -> asyncio.Task[Grant | None]:
        """Begin to read an entry again, unless that is under way."""
        read = self._reads.get(name)
        if read is None:
            read = asyncio.create_task(asyncio.to_thread(self._read_apart, name, secret))
            self._reads[name] = read
            read.add_done_callback(partial(self._end_read, name))
        return read

    def _end_read(self, name: tuple[str, str], read: asyncio.Task[Grant | None]) -> None:
        self._reads.pop(name, None)
        if not read.cancelled():
            read.exception()  # Said in the log by `_read`; nobody may be waiting for it.

    def _ask_now(self, name: tuple[str, str], secret: str, admit: AdmitNow | None) -> Grant | None:
        grant = self._remembered_now(name, secret, admit)
        if grant is None or self.standings is None:
            return grant
        return self.standings.applied_now(grant)

    def _remembered_now(
        self, name: tuple[str, str], secret: str, admit: AdmitNow | None
    ) -> Grant | None:
        entry = self._entry(name)
        if entry is not None and self._is_fresh(entry):
            return entry.grant
        if self._clock() < self._down_until:
            return self._last_known(entry)
        if admit is not None and self._is_strange(entry):
            admit()
        try:
            return self._read(name, secret)
        except (OperationalError, InterfaceError):
            return self._last_known(entry)

    @staticmethod
    def _is_strange(entry: _Entry | None) -> bool:
        return entry is None or entry.grant is None

    @staticmethod
    def _last_known(entry: _Entry | None) -> Grant | None:
        if entry is None:
            raise Unavailable("Checking who you are")
        return entry.grant

    def _is_fresh(self, entry: _Entry) -> bool:
        age_s = self._clock() - entry.read_at
        return age_s < (FRESH_S if self._hears else DEAF_FRESH_S)

    def _read_apart(self, name: tuple[str, str], secret: str) -> Grant | None:
        """Read in a thread of the pool, whose connection nobody else tidies up."""
        try:
            return self._read(name, secret)
        finally:
            connections.close_all()

    def _read(self, name: tuple[str, str], secret: str) -> Grant | None:
        """Read from PostgreSQL."""
        asked_at, changes = self._clock(), self._changes
        load = selectors.key_grant if name[0] == KEY else selectors.session_grant
        try:
            grant: Grant | None = load(secret)
        except (OperationalError, InterfaceError) as error:
            self._down_until = self._clock() + DOWN_S
            log.warning("users.memory.database_away", reason=str(error).splitlines()[0][:200])
            raise
        if changes == self._changes:
            self._put(name, _Entry(grant, asked_at))
            return grant
        known = self._entries.get(name)
        if known is None or known.grant is not None:  # What ended meanwhile stays ended.
            self._put(name, _Entry(grant, float("-inf")))
            return grant
        return None

    # -- keeping

    def _put(self, name: tuple[str, str], entry: _Entry, *, is_news: bool = False) -> None:
        with self._lock:
            kept, most = self._entries, ENTRIES_MAX
            if entry.grant is None and name not in self._entries and not is_news:
                kept, most = self._strangers, STRANGERS_MAX
            else:
                self._strangers.pop(name, None)
            kept[name] = entry
            kept.move_to_end(name)
            while len(kept) > most:
                kept.popitem(last=False)

    def warm(self) -> None:
        """Learn the newest live keys before the first request (in a thread)."""
        try:
            read_at = self._clock()
            for grant in selectors.live_key_grants(limit=WARM_KEYS_MAX):
                self._put((KEY, grant.public_id), _Entry(grant, read_at))
        except (OperationalError, InterfaceError) as error:
            log.warning("users.memory.not_warmed", reason=str(error).splitlines()[0][:200])
        finally:
            connections.close_all()

    def take(self, change: Changed) -> None:
        """Stop trusting what a change concerns, and wake the sockets that live on it."""
        self._changes += 1
        if change.kind == ACCOUNT:
            self.distrust([int(change.name)])
        elif change.gone:
            self._put((change.kind, change.name), _Entry(None, self._clock()), is_news=True)
        elif entry := self._entry((change.kind, change.name)):
            entry.read_at = float("-inf")
        self.watchers.tell((change.kind, change.name))

    def distrust(self, accounts: Iterable[int]) -> None:
        """Read what these accounts' ways in open again, before it is used."""
        changed = frozenset(accounts)
        with self._lock:
            for entry in self._entries.values():
                if entry.grant is not None and entry.grant.standing.account in changed:
                    entry.read_at = float("-inf")

    @property
    def accounts(self) -> set[int]:
        """The accounts of the ways in that are known."""
        with self._lock:
            grants = [entry.grant for entry in self._entries.values()]
        return {grant.standing.account for grant in grants if grant is not None}

    def _distrust_all(self) -> None:
        with self._lock:
            for entry in self._entries.values():
                if entry.grant is not None:
                    entry.read_at = min(entry.read_at, self._clock() - FRESH_S)

    # -- hearing

    async def listen(self, cache: redis.asyncio.Redis) -> None:
        """Hear changes until cancelled. After a break everything is read again before it counts."""
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                async with cache.pubsub(ignore_subscribe_messages=True) as ears:
                    await ears.subscribe(CHANGED_CHANNEL)
                    self._distrust_all()
                    self._hears = True
                    async for message in ears.listen():
                        self._take_raw(message["data"])
            self._hears = False
            await asyncio.sleep(0.5)

    def _take_raw(self, data: bytes) -> None:
        try:
            change = _decode(data)
            self.take(change)
        except (msgspec.DecodeError, TypeError, ValueError):
            log.warning("users.memory.strange_message")
            return
        if change.kind == KEY and not change.gone and len(self._reads) < LEARN_AT_ONCE:
            self._start_read((KEY, change.name), change.name)


class _Process:
    """The memory that this process's edge keeps up to date."""

    in_use: EdgeMemory | None = None
    own: EdgeMemory | None = None


def put_to_use(memory: EdgeMemory | None) -> None:
    """Make this the memory of all doors of this process (None: its edge stopped)."""
    _Process.in_use = memory


def in_use() -> EdgeMemory | None:
    """Return the memory of this process's edge, if one runs here."""
    return _Process.in_use


def for_threads() -> EdgeMemory:
    """Return what this process remembers: the edge's, or one of its own without an edge."""
    if _Process.in_use is not None:
        return _Process.in_use
    if _Process.own is None:
        _Process.own = EdgeMemory()
    return _Process.own
