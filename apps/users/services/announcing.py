"""Every edge hears at once of what changed: a key, a log-in, an account."""

from __future__ import annotations

from functools import partial

import msgspec
import redis
import structlog
from django.db import connection, transaction

from apps.common.redis_clients import cache_client
from apps.users.contracts import Changed
from apps.users.models import TradingAccount

CHANGED_CHANNEL = "users:changed"  # On the cache.
STANDING_CHANNEL = "standing"  # In PostgreSQL. What it says is an account's number.

log = structlog.get_logger("fairbook.users")


def changed(kind: str, name: str, *, gone: bool = False) -> None:
    """Tell every edge, once this commits, that something is no longer as it was.

    Of an account the publisher of standings hears, too: whether or not the cache can be told.
    """
    if kind == "account":
        notify_standing(name)
    transaction.on_commit(partial(_announce, Changed(kind, name, gone)))


def notify_standing(word: str) -> None:
    """Have the publisher compute an account's standing again, once this commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [STANDING_CHANNEL, word])


def end_session(name: str) -> None:
    """Tell every edge that this log-in ended (its name is `sessions.name_of` its key)."""
    _announce(Changed("session", name, True))


def look_again_at(user_id: int) -> None:
    """Let every edge look again at a person's log-ins: those of an old password are over."""
    for number in TradingAccount.objects.filter(user_id=user_id).values_list("number", flat=True):
        changed("account", str(number))


def _announce(change: Changed) -> None:
    """Tell all edges. Deaf ones look again by themselves within a second or so (`memory`)."""
    client = cache_client(socket_connect_timeout=0.5, socket_timeout=1)
    try:
        client.publish(CHANGED_CHANNEL, msgspec.msgpack.encode(change))
    except redis.RedisError as error:
        log.warning("users.change.not_announced", kind=change.kind, reason=str(error))
    finally:
        client.close()
