"""PostgreSQL, the cache, and the Channels layer."""

from typing import Any
from urllib.parse import unquote, urlsplit

from apps.common.config import config


def database(url: str) -> dict[str, Any]:
    """Turn a postgresql:// URL into Django's settings, with a small pool per process."""
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": True,  # A pooled connection that died with its server is replaced.
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            "connect_timeout": 3,
            "application_name": config.environ.get("FAIRBOOK_SERVICE", "manage"),
            "pool": {
                "min_size": 0,
                "max_size": 6,
                "timeout": 3,
                "max_idle": 60,
                "reconnect_timeout": 5,
            },
        },
    }


DATABASES = {
    "default": database(
        config.text(
            "DATABASE_OWNER_URL" if config.get("FAIRBOOK_DB_ROLE") == "owner" else "DATABASE_URL"
        )
    )
}
# The role whose rights on append-only tables migrations take away.
APP_DATABASE_ROLE = unquote(urlsplit(config.text("DATABASE_URL")).username or "")

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": config.text("REDIS_URL"),
        "KEY_PREFIX": "django",
        "OPTIONS": {
            "serializer": "apps.common.cache_json.JsonSerializer",
            "socket_connect_timeout": 1,
            "socket_timeout": 2,
        },
    }
}

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [config.text("REDIS_URL")], "prefix": "channels", "capacity": 1000},
    }
}

# Session rows live in PostgreSQL; the cache holds copies, and may lose them.
SESSION_ENGINE = "apps.users.session_store"
SESSION_CACHE_ALIAS = "default"
