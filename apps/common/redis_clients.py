"""Clients for the two servers, made one way.

`journal`: durable frames, cursors and epochs. Its clients never retry by themselves: a retried
write is a second write, and only the runtime knows whether the first one happened.
`cache`: everything that may be lost.

All clients return bytes (`decode_responses=False`), use hiredis, and send no health checks.
A blocking reader passes `socket_timeout=None`, or one longer than its block, and a connection
of its own.
"""

from __future__ import annotations

from typing import Any, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from apps.common.config import config
from apps.common.lean_clients import LeanAsyncClient, LeanClient


def _options(overrides: dict[str, Any]) -> dict[str, Any]:
    return {
        "decode_responses": False,
        "health_check_interval": 0,
        "socket_connect_timeout": 2,
        "socket_timeout": 10,
        "socket_keepalive": True,
        **overrides,
    }


def _sync(url: str, overrides: dict[str, Any]) -> redis.Redis:
    options = {"retry": Retry(NoBackoff(), 0), **_options(overrides)}
    return redis.Redis.from_url(url, **options)


def _async(url: str, overrides: dict[str, Any]) -> redis.asyncio.Redis:
    options = {"retry": AsyncRetry(NoBackoff(), 0), **_options(overrides)}
    return redis.asyncio.Redis.from_url(url, **options)


def lean_journal_client(**overrides: Any) -> LeanClient:
    """Return a journal client for one thread that sends many small commands."""
    options = {"retry": Retry(NoBackoff(), 0), **_options(overrides)}
    client = LeanClient.from_url(config.text("JOURNAL_URL"), **options)
    return cast("LeanClient", client)


def journal_client(url: str | None = None, **overrides: Any) -> redis.Redis:
    """Return a client of the journal server, without retries."""
    return _sync(url or config.text("JOURNAL_URL"), overrides)


def async_journal_client(url: str | None = None, **overrides: Any) -> redis.asyncio.Redis:
    """Return an asyncio client of the journal server, without retries."""
    return _async(url or config.text("JOURNAL_URL"), overrides)


def cache_client(url: str | None = None, **overrides: Any) -> redis.Redis:
    """Return a client of the cache server, without retries unless `retry` is passed."""
    return _sync(url or config.text("REDIS_URL"), overrides)


def lean_async_client(url: str, **overrides: Any) -> LeanAsyncClient:
    """Return a client for one event loop that sends many small commands at a time."""
    options = {"retry": AsyncRetry(NoBackoff(), 0), **_options(overrides)}
    return cast("LeanAsyncClient", LeanAsyncClient.from_url(url, **options))


def async_cache_client(url: str | None = None, **overrides: Any) -> redis.asyncio.Redis:
    """Return an asyncio client of the cache server, without retries unless `retry` is passed."""
    return _async(url or config.text("REDIS_URL"), overrides)
