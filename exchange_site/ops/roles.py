"""What each role of process may do on the two Valkeys: the one table, in the words of their ACL.

A role is a user of both servers; which process has which role says `processes.py`. What a role is
not given here is refused: `default` is off, and only `admin`, who sets up and operates, may all.
A worker's role is the worker's name, so that a book writes its own record and no other's.

Patterns: `%R~` may be read, `%W~` written, `~` both; `&` are channels. What stands in parentheses
is a right of its own: those commands on those keys only. A script must be allowed every key that
it names, for reading and writing; what it does with them is checked like any caller's commands.

Standard library only: the launcher reads it before every start of a worker.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from apps.journals import keys

ADMIN = "admin"
NOBODY = "nobody"
"""Who has no user on either server."""
SERVERS = ("journal", "cache")


class Rights(NamedTuple):
    """The rules of one role at each server; without rules it has no user there."""

    journal: str = ""
    cache: str = ""


_ALL = "~* &* +@all"
_CONNECT = "+ping +client|setinfo +client|setname"
_SCRIPTS = "+eval +evalsha"
_TOGETHER = "+multi +exec +discard"
_READ_JOURNAL = (
    f"{_CONNECT} +get +exists +smembers +hget +hgetall +xread +xrange +xrevrange +xlen "
    "+xinfo|stream +memory|usage"
)
_EVERY_JOURNAL = f"%R~{keys.WORKERS} %R~{{*}}:* {_READ_JOURNAL}"
_BOOKS_JOURNALS = (
    f"%R~{keys.WORKERS} %R~{{book:*}}:* %R~{keys.link('*', 'book:*')} %R~{keys.trimmed('*')} "
    f"{_READ_JOURNAL}"
)
_TRIMMABLE = " ".join(f"~{{*}}:{kind}" for kind in ("commands", "cancels", "log", "to:*"))

_READ_MODELS = "+get +mget +exists +smembers +hget +hmget +hgetall +hvals +lrange"
_SESSIONS = "~django:* +get +set +setex +del +exists +expire +persist"
_MARKET_GROUPS = "&channels__group__market.*"
_USER_GROUPS = "&channels__group__user.*"
_TELLS_OF_PEOPLE_AND_MARKETS = "(+publish &users:changed &markets:changed)"


def _queue(name: str) -> str:
    """Return the right to put a task into a queue, and to see how long it is."""
    queue = f"~celery:{name}* ~celery:_kombu.binding*.{name}"  # One list for each priority.
    return f"(+lpush +llen +sadd {queue}) {_TOGETHER}"


_TAKES_TASKS = (
    "~celery:* "
    "+brpop +rpop +lpush +rpush +llen +sadd +srem +smembers +exists +del +get +set "
    "+hset +hget +hdel +zadd +zrem +zrange +watch +unwatch "
    f"{_TOGETHER} {_SCRIPTS} +script|load"
)


def _worker(name: str) -> Rights:
    """A member of a book or a partition: its own record, its peers' links to it, its heartbeat."""
    heartbeat = keys.heartbeat(name)
    own = " ".join(
        f"~{key}"
        for key in (
            keys.log(name),
            keys.cursor(name),
            keys.epoch(name),
            keys.link(name, "*"),
            keys.replies(name, b"") + "*",
        )
    )
    return Rights(
        journal=(
            f"{own} %R~{{{name}}}:* %R~{keys.link('*', name)} %R~{keys.trimmed('*')} "
            f"{_READ_JOURNAL} {_SCRIPTS} +script|load +hmget +incr +hset +xadd +pexpire +time"
        ),
        cache=(
            f"~{heartbeat} ~snapshot:asked:{name} {_CONNECT} +info +get +set +del {_SCRIPTS} "
            "+script|load"
        ),
    )


_EDGE = Rights(
    journal=(
        f"{_EVERY_JOURNAL} %R~reply:* "
        f"(+xadd %W~{keys.commands('risk:*')} %W~{keys.cancels('book:*')})"
    ),
    cache=(
        f"{_CONNECT} {_SESSIONS} ~rate:* ~once:* ~bucket:* ~listenkey:* ~life:* ~list:n* "
        "~markets:known_by %W~standing:wanted "
        "%R~rm:* %R~md:* %R~standing:of:* %R~standing:beat %R~verify:status %R~heartbeat:* "
        "%R~journal:pressure %R~settlement:* "
        f"{_READ_MODELS} +incrby +sadd +hset +hdel {_TOGETHER} (+hincrby +expire ~users:failed:*) "
        f"({_SCRIPTS} ~rate:* ~bucket:* ~journal:pressure ~settlement:*) "
        "(+subscribe +unsubscribe &channels* &users:changed &markets:changed &standing:told) "
        f"{_TELLS_OF_PEOPLE_AND_MARKETS} {_queue('default')}"
    ),
)

_ROLES: dict[str, Rights] = {
    ADMIN: Rights(_ALL, _ALL),
    "edge": _EDGE,
    "projector": Rights(
        journal=_EVERY_JOURNAL,
        cache=(
            f"~rm:* {_USER_GROUPS} {_CONNECT} {_READ_MODELS} {_TOGETHER} +set +del +unlink +hset "
            "+hdel +lpush +ltrim +sadd +scan +publish"
        ),
    ),
    "archiver": Rights(
        journal=(
            f"{_EVERY_JOURNAL} +info +script|load ({_SCRIPTS} {_TRIMMABLE} ~{keys.trimmed('*')}) "
            f"(+xtrim {_TRIMMABLE}) (+hset ~{keys.trimmed('*')})"
        ),
        cache=f"{_CONNECT} (+set %W~journal:pressure)",
    ),
    "publisher": Rights(
        journal=_BOOKS_JOURNALS,
        cache=(
            f"~publisher:cursor {_MARKET_GROUPS} {_CONNECT} +hmget +hset +publish "
            f"{_queue('settlement')}"
        ),
    ),
    "relay": Rights(
        journal=f"%R~{keys.commands('*')} {_CONNECT} +xrange (+xadd %W~{keys.commands('*')})"
    ),
    "lister": Rights(
        journal=(f"{_EVERY_JOURNAL} (+set %W~{keys.genesis('book:*')}) (+sadd %W~{keys.WORKERS})"),
        cache=(f"%R~markets:known_by {_CONNECT} +hgetall (+publish &workers:new &markets:changed)"),
    ),
    "standing": Rights(
        cache=f"~standing:* &standing:told {_CONNECT} +get +set +mget +mset +spop +scan +publish"
    ),
    "settlement": Rights(
        journal=f"%R~{{risk:*}}:* {_READ_JOURNAL}",
        cache=f"{_CONNECT} {_TAKES_TASKS} (+hset +hdel {_TOGETHER} ~settlement:*)",
    ),
    "tasks": Rights(
        journal=_EVERY_JOURNAL,
        cache=(
            f"{_CONNECT} {_TAKES_TASKS} (%R~rm:* %R~md:* {_READ_MODELS}) (+set %W~verify:status) "
            "(+hgetall +hsetnx +hdel +expire +del ~users:failed:*) "
            f"{_TELLS_OF_PEOPLE_AND_MARKETS}"
        ),
    ),
    "beat": Rights(cache=f"{_CONNECT} {_queue('default')} {_queue('settlement')}"),
    "marketdata": Rights(
        journal=_BOOKS_JOURNALS,
        cache=(
            f"~md:* {_MARKET_GROUPS} {_CONNECT} {_READ_MODELS} {_TOGETHER} +set +del +rpush +ltrim "
            "+hset +hdel +sadd +publish"
        ),
    ),
    "prover": Rights(journal=_BOOKS_JOURNALS),
}


def is_worker(role: str) -> bool:
    """Whether this is the role of one book or one partition."""
    return role.startswith(("book:", "risk:"))


def rights_of(role: str) -> Rights:
    """Return what a role may do; KeyError for a role that the table does not know."""
    return _worker(role) if is_worker(role) else _ROLES[role]


def all_roles(workers: Iterable[str]) -> dict[str, Rights]:
    """Return every role of an exchange with these workers."""
    return _ROLES | {worker: _worker(worker) for worker in workers}
