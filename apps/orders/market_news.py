"""What an edge knows of markets: read when a change is announced, and every 15 s in any case.

After each reading the edge says on `cache` what it knows, so that a listing goes on once all do.
"""

from __future__ import annotations

import asyncio
import contextlib
import time

import redis
import redis.asyncio
import structlog
from django.db import InterfaceError, OperationalError, connections

from apps.markets import news
from apps.markets import selectors as markets

AGAIN_S = 1.0

log = structlog.get_logger("fairbook.edge")


def learn() -> bool:
    """Read the catalogue, in a thread; say whether PostgreSQL answered."""
    try:
        markets.forget()
        markets.catalogue()
    except (OperationalError, InterfaceError) as error:
        log.warning("edge.markets.not_learned", reason=str(error).splitlines()[0][:200])
        return False
    finally:
        connections.close_all()
    return True


async def keep_learning(name: str, cache: redis.asyncio.Redis, ears: redis.asyncio.Redis) -> None:
    """Learn until cancelled: at each announcement, and now and then without one."""
    while True:
        with contextlib.suppress(redis.RedisError, OSError):
            async with ears.pubsub(ignore_subscribe_messages=True) as heard:
                await heard.subscribe(news.CHANGED)
                while True:
                    await _learn_and_say(name, cache)
                    await heard.get_message(timeout=news.READ_EVERY_S)
        await asyncio.to_thread(learn)
        await asyncio.sleep(AGAIN_S)


async def _learn_and_say(name: str, cache: redis.asyncio.Redis) -> None:
    read_at = time.time()
    if await asyncio.to_thread(learn):
        known = news.knowledge_of(markets.known(), at=read_at)
        await cache.hset(news.KNOWN_BY, name, known)  # type: ignore[misc, arg-type]


async def fall_silent(name: str, cache: redis.asyncio.Redis) -> None:
    """Take back what this edge said: it stops, and nobody need wait for it."""
    with contextlib.suppress(redis.RedisError, OSError):
        await cache.hdel(news.KNOWN_BY, name)  # type: ignore[misc]
