"""Session rows in PostgreSQL with copies on the cache; without the cache, the rows alone."""

from __future__ import annotations

from typing import Any

import redis
import structlog
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.core.cache import caches

from apps.users import sessions
from apps.users.models import LogIn
from apps.users.services import announcing

log = structlog.get_logger("fairbook.users")


class _Forgiving:
    """A cache that holds nothing while its server is away."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def _try(self, act: str, default: Any, *args: Any) -> Any:
        try:
            return getattr(self._cache, act)(*args)
        except (redis.RedisError, OSError) as error:
            log.warning("users.session.cache_away", reason=str(error)[:200])
            return default

    def get(self, key: str, default: Any = None) -> Any:
        """Return a copy, or the default."""
        return self._try("get", default, key, default)

    def set(self, key: str, value: Any, timeout: Any = None) -> None:
        """Keep a copy, if that can be done."""
        self._try("set", None, key, value, timeout)

    def delete(self, key: str) -> None:
        """Drop a copy."""
        self._try("delete", None, key)

    def __contains__(self, key: str) -> bool:
        return bool(self._try("has_key", False, key))


class SessionStore(CachedStore):
    """What SESSION_ENGINE names."""

    cache_key_prefix = "sessions:"

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache: Any = _Forgiving(caches[settings.SESSION_CACHE_ALIAS])

    def cycle_key(self) -> None:
        """Go on under another cookie. What is known of the log-in goes with it."""
        before = self.session_key
        super().cycle_key()
        if before:
            LogIn.objects.filter(session_key=before).update(session_key=self.session_key)

    def delete(self, session_key: str | None = None) -> None:
        """Drop a session, at every edge at once: log-out anywhere, another log-in, the end."""
        key = session_key or self.session_key
        super().delete(session_key)
        if key:
            announcing.end_session(sessions.name_of(key))

    def _validate_session_key(self, key: str | None) -> bool:
        return sessions.is_key(key)
