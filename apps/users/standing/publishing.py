"""Keeps every account's standing on `cache`, tells edges of each change, and beats.

Two threads share a publisher. One reads PostgreSQL (`take`, `sweep`); the other minds the cache
once a second (`mind`): it beats, answers what edges looked for in vain, and writes everything anew
when the cache came back empty. So beats go on while PostgreSQL is away, with the last answers.
An edge counts the messages of a life; a new life, or a gap, lets it read its accounts again.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar, cast

import redis
import structlog

from apps.compliance import selectors as compliance
from apps.users.contracts import Standing
from apps.users.standing import computing, telling
from apps.users.standing.telling import Beat, Told

SLICE = 1_000  # Accounts that one turn of the sweep reads.
CHUNK = 500  # Standings in one write.
WANTED_MAX = 1_000
PACE_S = 1.0

T = TypeVar("T")

log = structlog.get_logger("fairbook.standing")


def _batched(things: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    left = iter(things)
    while some := tuple(islice(left, size)):
        yield some


class Publisher:
    """What every account's standing is, as far as this process has read, and who was told."""

    def __init__(
        self,
        cache: redis.Redis,
        *,
        beat_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache, self._beat_s, self._clock = cache, beat_s, clock
        self._standings: dict[int, Standing] = {}
        self._life, self._number = secrets.randbits(32), 0
        self._lock = threading.Lock()
        self._swept_to = 0
        self._rules = 0
        self._beaten_at = float("-inf")
        self._is_whole = False  # All accounts were read, or what a former life wrote was adopted.
        self._is_written = False  # The cache holds what is known here.

    @property
    def accounts(self) -> int:
        """How many accounts are known."""
        return len(self._standings)

    @property
    def is_ready(self) -> bool:
        """Whether edges find everything on the cache."""
        return self._is_whole and self._is_written

    # -- what PostgreSQL says

    def read_all(self) -> None:
        """Read every account's standing, and tell what is new."""
        self._rules = compliance.version_in_force()
        self._swept_to = 0
        self.sweep()
        while self._swept_to:
            self.sweep()
        self._is_whole = True

    def sweep(self) -> None:
        """Read the next slice of all accounts: the net for what nobody announced."""
        found = computing.read_after(self._swept_to, most=SLICE)
        self._swept_to = found[-1].account if len(found) == SLICE else 0
        self._publish(found)

    def look_at_rules(self) -> None:
        """Read everything again if other rules came into force."""
        if compliance.version_in_force() != self._rules:
            self.read_all()

    def take(self, accounts: Iterable[int]) -> None:
        """Read these accounts' standings, and tell what is new."""
        for some in _batched(sorted(set(accounts)), SLICE):
            self._publish(computing.read(some))

    def adopt(self) -> None:
        """Go on with what a former life left on the cache: PostgreSQL does not answer."""
        if self._is_whole:
            return
        try:
            if self._cache.get(telling.BEAT) is None:
                return
            names = list(self._cache.scan_iter(match=telling.key_of(0)[:-1] + "*", count=CHUNK))
            raws = [raw for some in _batched(names, CHUNK) for raw in self._values(some)]
        except redis.RedisError:
            return
        found = [one for raw in raws if (one := telling.standing_in(raw)) is not None]
        with self._lock:
            self._standings = {one.account: one for one in found} | self._standings
            self._is_whole = self._is_written = True
        log.warning("standing.adopted", accounts=len(found))

    def _values(self, names: Sequence[Any]) -> list[bytes | None]:
        return cast("list[bytes | None]", self._cache.mget(names))

    # -- what edges are told

    def _publish(self, found: Iterable[Standing]) -> None:
        with self._lock:
            news = [one for one in found if self._standings.get(one.account) != one]
            self._standings |= {one.account: one for one in news}
            if not self._is_written:
                return  # `mind` writes everything.
            try:
                for some in _batched(news, CHUNK):
                    self._tell(some)
            except redis.RedisError as error:
                self._is_written = False
                log.warning("standing.not_told", reason=str(error)[:200])

    def _tell(self, some: tuple[Standing, ...]) -> None:
        """Write first, tell second: who reads after hearing finds it."""
        self._number += 1
        with self._cache.pipeline(transaction=False) as pipe:
            pipe.mset({telling.key_of(one.account): telling.encode(one) for one in some})
            pipe.set(telling.BEAT, self._beat_now())
            pipe.publish(telling.CHANNEL, telling.encode(Told(self._life, self._number, some)))
            pipe.execute()

    def mind(self) -> None:
        """See to the cache: once a second, by a thread that never waits for PostgreSQL."""
        with self._lock:
            if not self._is_whole:
                return
            try:
                if not self._is_written or self._cache.get(telling.BEAT) is None:
                    self._write_all()
                self._answer_wanted()
                if self._clock() - self._beaten_at >= self._beat_s:
                    self._beat()
            except redis.RedisError as error:
                if self._is_written:
                    log.warning("standing.cache_away", reason=str(error)[:200])
                self._is_written = False

    def _write_all(self) -> None:
        for some in _batched(self._standings.values(), CHUNK):
            pairs = {telling.key_of(one.account): telling.encode(one) for one in some}
            self._cache.mset(cast("dict[Any, Any]", pairs))
        self._life, self._number = secrets.randbits(32), 0
        self._is_written = True
        self._beat()
        log.info("standing.written", accounts=len(self._standings))

    def _answer_wanted(self) -> None:
        names = cast("list[bytes]", self._cache.spop(telling.WANTED, WANTED_MAX))
        wanted = (self._standings.get(int(name)) for name in names or ())
        for some in _batched([one for one in wanted if one is not None], CHUNK):
            self._tell(some)

    def _beat(self) -> None:
        beat = self._beat_now()
        with self._cache.pipeline(transaction=False) as pipe:
            pipe.set(telling.BEAT, beat)
            pipe.publish(telling.CHANNEL, beat)
            pipe.execute()
        self._beaten_at = self._clock()

    def _beat_now(self) -> bytes:
        return telling.encode(Beat(self._life, self._number, time.time()))

    def keep_minding(self, stopping: threading.Event) -> None:
        """Mind the cache until stopped."""
        while not stopping.wait(PACE_S):
            self.mind()
