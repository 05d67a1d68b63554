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


class LeanClient(redis.Redis):
    """One thread, one connection: a command costs no pool, no retry and no telemetry around it.

    For an owner, whose every batch is two commands: a quarter less CPU per small batch. After an
    error the connection is dropped, and the next command makes a new one.
    """

    _line: Any = None

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its parsed answer; errors are those of any client."""
        options.pop("keys", None)  # For caches on the client's side, which we have none of.
        if self._line is None:
            self._line = self.connection_pool.make_connection()
        try:
            self._line.send_command(*args)
            return self.parse_response(self._line, args[0], **options)
        except redis.ResponseError:
            raise  # The answer was read whole.
        except BaseException:
            self._line.disconnect()
            raise

    def close(self) -> None:
        """Let go of the connection."""
        if self._line is not None:
            self._line.disconnect()
        super().close()


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


def async_cache_client(url: str | None = None, **overrides: Any) -> redis.asyncio.Redis:
    """Return an asyncio client of the cache server, without retries unless `retry` is passed."""
    return _async(url or config.text("REDIS_URL"), overrides)
