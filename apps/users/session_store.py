"""Session rows in PostgreSQL with copies on the cache; without the cache, the rows alone.

Rows and copies are called by `sessions.name_of` the cookie, so that neither opens anything to who
reads it.
"""

from __future__ import annotations

from typing import Any

import redis
import structlog
from django.conf import settings
from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.backends.db import SessionStore as DBStore
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
            name = sessions.name_of(str(self.session_key))
            LogIn.objects.filter(session_key=sessions.name_of(before)).update(session_key=name)

    @property
    def cache_key(self) -> str:
        """What the copy is called."""
        key: str = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return f"{self.cache_key_prefix}{sessions.name_of(key)}"

    def exists(self, session_key: str) -> bool:
        """Whether there is such a session."""
        return bool(super().exists(sessions.name_of(session_key)))

    def create_model_instance(self, data: Any) -> Any:
        """Return the row, under its name."""
        row = super().create_model_instance(data)
        row.session_key = sessions.name_of(row.session_key)
        return row

    def _get_session_from_db(self) -> Any:
        named: Any = DBStore(sessions.name_of(self.session_key or ""))
        row = named._get_session_from_db()  # noqa: SLF001 - its parent's own.
        if row is None:
            self._session_key = None
        return row

    async def asave(self, must_create: bool = False) -> None:
        """Refuse: Django's own way would write the cookie down. Sessions are saved from threads."""
        raise NotImplementedError

    def delete(self, session_key: str | None = None) -> None:
        """Drop a session, at every edge at once: log-out anywhere, another log-in, the end."""
        key = session_key or self.session_key
        if key:
            self.end(sessions.name_of(key))

    def end(self, name: str) -> None:
        """Drop the session of this name (`sessions.name_of` its cookie), at every edge at once."""
        super().delete(name)
        announcing.end_session(name)

    def _validate_session_key(self, key: str | None) -> bool:
        return sessions.is_key(key)
