"""What an edge knows of accounts' standings, and how it narrows what a way in opens.

An edge follows the accounts that it has met. It reads each once from `cache` and then hears every
change, with the publisher's beats. When it missed a message, or the publisher began a new life, it
reads all of them again. Without an answer, or without a beat for `stale_s`, an account may read,
cancel and reduce, and nothing new: the cache and the publisher may be away for that long, and
PostgreSQL for ever.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import msgspec
import redis
import redis.asyncio
import structlog

from apps.users.contracts import KeyGrant, SessionGrant, Standing
from apps.users.standing import codes, telling
from apps.users.standing.telling import Beat

KNOWN_MAX = 25_000  # More than the grants that an edge remembers.
CHUNK = 500
PATIENCE_S = 0.25
AGAIN_S = 1.0  # What was looked for in vain is looked for again after this.
SILENT_S = 15.0  # Three beats were missed: connect anew.

AnyGrant = TypeVar("AnyGrant", KeyGrant, SessionGrant, KeyGrant | SessionGrant)
OnNews = Callable[[list[int]], None]

log = structlog.get_logger("fairbook.standing")


class _Known:
    __slots__ = ("asked_at", "heard", "standing")

    def __init__(self) -> None:
        self.standing: Standing | None = None
        self.heard = asyncio.Event()
        self.asked_at = float("-inf")

    def learn(self, standing: Standing) -> None:
        self.standing = standing
        self.heard.set()


class Standings:
    """The standings that one edge knows. Written by its event loop, read by its threads, too."""

    def __init__(
        self,
        cache: redis.asyncio.Redis,
        *,
        stale_s: float,
        on_news: OnNews,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cache, self._stale_s, self._on_news, self._clock = cache, stale_s, on_news, clock
        self._known: OrderedDict[int, _Known] = OrderedDict()
        self._beat_at = float("-inf")
        self._heard: tuple[int, int] | None = None  # The life, and its last message.

    # -- asking

    async def applied(self, grant: AnyGrant) -> AnyGrant:
        """Return what a way in opens, narrowed to what its account may do now."""
        account = grant.standing.account
        known = self._known.get(account)
        if known is None or known.standing is None:
            await self._learn(account)
        return self.applied_now(grant)

    def applied_now(self, grant: AnyGrant) -> AnyGrant:
        """Do the same with what is known already."""
        known = self._known.get(grant.standing.account)
        live = known.standing if known is not None else None
        if self._clock() - self._beat_at > self._stale_s:
            narrowed = _uncertain(grant.standing, codes.STANDING_STALE)
        elif live is None:
            narrowed = _uncertain(grant.standing, codes.STANDING_UNKNOWN)
        else:
            narrowed = narrow(grant.standing, live)
        if narrowed is grant.standing:
            return grant
        return msgspec.structs.replace(grant, standing=narrowed)

    async def _learn(self, account: int) -> None:
        """Read an account's standing; of a new account the news may still be on its way."""
        known = self._follow(account)
        is_first = self._clock() - known.asked_at >= AGAIN_S
        if is_first:
            known.asked_at = self._clock()
        wait_s = known.asked_at + PATIENCE_S - self._clock()
        with contextlib.suppress(redis.RedisError, OSError, TimeoutError):
            async with asyncio.timeout(max(0.0, wait_s)):
                if is_first:
                    await self._look_up(account, known)
                await known.heard.wait()

    async def _look_up(self, account: int, known: _Known) -> None:
        raw: Any = await self._cache.get(telling.key_of(account))
        standing = telling.standing_in(raw)
        if standing is None:
            await self._cache.sadd(telling.WANTED, str(account))  # type: ignore[misc]
        elif known.standing is None:  # Else it was told meanwhile, and that is newer.
            known.learn(standing)

    def _follow(self, account: int) -> _Known:
        known = self._known.get(account)
        if known is None:
            known = self._known[account] = _Known()
            while len(self._known) > KNOWN_MAX:
                self._known.popitem(last=False)
        return known

    # -- hearing

    async def warm(self, accounts: Iterable[int]) -> None:
        """Follow these accounts, and read what is there, before the first request."""
        for account in accounts:
            self._follow(account)
        with contextlib.suppress(redis.RedisError, OSError, TimeoutError):
            async with asyncio.timeout(2):
                await self._read_all()

    async def listen(self) -> None:
        """Hear until cancelled. After a break everything is read again."""
        while True:
            with contextlib.suppress(redis.RedisError, OSError):
                await self._listen_once()
            await asyncio.sleep(0.5)

    async def _listen_once(self) -> None:
        async with self._cache.pubsub(ignore_subscribe_messages=True) as ears:
            await ears.subscribe(telling.CHANNEL)
            await self._read_all()
            heard_at = self._clock()
            while self._clock() - heard_at < SILENT_S:
                message = await ears.get_message(timeout=SILENT_S)
                if message is not None:
                    heard_at = self._clock()
                    await self._take_raw(message["data"])

    async def _take_raw(self, data: bytes) -> None:
        try:
            message = telling.decode_message(data)
        except (msgspec.DecodeError, TypeError):
            log.warning("standing.strange_message")
            return
        if isinstance(message, Beat):
            missed = self._heard != (message.life, message.number)
            self._beat_at = self._clock()
        else:
            missed = self._heard != (message.life, message.number - 1)
            self._heard = (message.life, message.number)
            self._take(message.standings)
        if missed:
            await self._read_all()

    def _take(self, standings: Iterable[Standing]) -> None:
        news = []
        for one in standings:
            known = self._known.get(one.account)
            if known is not None and known.standing != one:
                known.learn(one)
                news.append(one.account)
        if news:
            self._on_news(news)

    async def _read_all(self) -> None:
        """Read the beat, then all that is followed: no older than the beat."""
        raw: Any = await self._cache.get(telling.BEAT)
        if raw is None:
            return  # An empty cache says nothing; the publisher fills it, and then beats.
        beat = telling.decode_beat(raw)
        accounts = list(self._known)
        for start in range(0, len(accounts), CHUNK):
            names = [telling.key_of(account) for account in accounts[start : start + CHUNK]]
            raws: Any = await self._cache.mget(names)
            self._take(one for raw in raws if (one := telling.standing_in(raw)) is not None)
        self._heard = (beat.life, beat.number)
        age_s = max(0.0, time.time() - beat.at)
        self._beat_at = max(self._beat_at, self._clock() - age_s)


def narrow(opened: Standing, live: Standing) -> Standing:
    """Return what both allow: the account as it is now, and the way in (as it was read)."""
    if (
        opened.may_read <= live.may_read
        and opened.may_trade <= live.may_trade
        and opened.may_cancel <= live.may_cancel
        and opened.may_deposit <= live.may_deposit
        and opened.may_withdraw <= live.may_withdraw
        and opened.products == live.products
    ):
        return opened
    return msgspec.structs.replace(
        opened,
        may_read=opened.may_read and live.may_read,
        may_trade=opened.may_trade and live.may_trade,
        may_cancel=opened.may_cancel and live.may_cancel,
        may_deposit=opened.may_deposit and live.may_deposit,
        may_withdraw=opened.may_withdraw and live.may_withdraw,
        products=tuple(product for product in opened.products if product in live.products),
        reasons=live.reasons or opened.reasons,
    )


def _uncertain(opened: Standing, code: str) -> Standing:
    return msgspec.structs.replace(
        opened,
        may_trade=False,
        may_deposit=False,
        may_withdraw=False,
        products=(),
        reasons=(code, *opened.reasons),
    )
