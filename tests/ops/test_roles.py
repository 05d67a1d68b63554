"""What each role may do on the Valkeys, and what is refused: every act against every role.

An act lists who may; everybody else must be refused, also a role that is added later.
"""

from __future__ import annotations

import stat

import pytest
import redis

from apps.common.config import config
from apps.common.redis_clients import cache_client, journal_client
from exchange_site.ops import acl, environs, processes, roles

BOOK, RISK = "book:BTC-USDT", "risk:0"
OTHER_BOOK = "book:ETH-USDT"
WORKERS = (BOOK, OTHER_BOOK, RISK)
FOLLOW_ALL = {"edge", "projector", "archiver", "lister", "tasks"}
FOLLOW_BOOKS = {"publisher", "marketdata", "prover"}
TAKE_TASKS = {"settlement", "tasks"}

ON_THE_JOURNAL: list[tuple[str, set[str]]] = [
    ("XADD {risk:0}:commands * f x", {"edge", "relay"}),
    ("XADD {book:BTC-USDT}:cancels * f x", {"edge"}),
    ("XADD {book:BTC-USDT}:commands * f x", {"relay"}),
    ("XADD {events:users}:commands * f x", {"relay"}),
    ("XADD {risk:0}:log * h x", {RISK}),
    ("XADD {book:BTC-USDT}:log * h x", {BOOK}),
    ("XADD {book:BTC-USDT}:to:risk:0 * f x", {BOOK}),
    ("XADD {risk:0}:to:book:BTC-USDT * f x", {RISK}),
    ("XADD reply:{risk:0}:00 * f x", {RISK}),
    ("XADD reply:{book:BTC-USDT}:00 * f x", {BOOK}),
    ("HSET {risk:0}:cursor batch 1", {RISK}),
    ("HSET {book:BTC-USDT}:cursor batch 1", {BOOK}),
    ("INCR {risk:0}:epoch", {RISK}),
    ("INCR {book:BTC-USDT}:epoch", {BOOK}),
    ("HSET {risk:0}:trimmed x 1-0", {"archiver"}),
    ("XTRIM {risk:0}:log MINID 1-0", {"archiver"}),
    ("XTRIM {book:BTC-USDT}:cancels MINID 1-0", {"archiver"}),
    ("SET {book:NEW-USDT}:genesis x NX", {"lister"}),
    ("SET {risk:0}:genesis x", set()),
    ("SADD workers book:NEW-USDT", {"lister"}),
    ("DEL {risk:0}:log", set()),
    ("XDEL {risk:0}:log 1-0", set()),
    ("PEXPIRE {risk:0}:cursor 100000", {RISK}),
    ("GET {risk:0}:genesis", {*FOLLOW_ALL, "settlement", RISK}),
    ("GET {book:BTC-USDT}:genesis", {*FOLLOW_ALL, *FOLLOW_BOOKS, BOOK}),
    ("XRANGE {risk:0}:log - +", {*FOLLOW_ALL, "settlement", RISK}),
    ("XRANGE {book:BTC-USDT}:log - +", {*FOLLOW_ALL, *FOLLOW_BOOKS, BOOK}),
    ("XRANGE {risk:0}:commands - +", {*FOLLOW_ALL, "settlement", "relay", RISK}),
    ("XRANGE {risk:0}:to:book:BTC-USDT - +",
     {*FOLLOW_ALL, *FOLLOW_BOOKS, "settlement", BOOK, RISK}),
    ("XRANGE {risk:0}:to:book:ETH-USDT - +",
     {*FOLLOW_ALL, *FOLLOW_BOOKS, "settlement", OTHER_BOOK, RISK}),
    ("XREVRANGE {events:users}:commands + -", {*FOLLOW_ALL}),
    ("XRANGE reply:{risk:0}:00 - +", {"edge", RISK}),
]  # fmt: skip
ON_THE_CACHE: list[tuple[str, set[str]]] = [
    ("GET django:1:sessions:x", {"edge"}),
    ("SET django:1:sessions:x y", {"edge"}),
    ("DEL django:1:sessions:x", {"edge"}),
    ("GET listenkey:x", {"edge"}),
    ("SET once:x y", {"edge"}),
    ("INCRBY rate:w:x 1", {"edge"}),
    ("GET rm:order:1", {"edge", "projector", "tasks"}),
    ("SET rm:order:1 x", {"projector"}),
    ("HSET rm:balances:1 BTC x", {"projector"}),
    ("GET md:BTCUSDT:depth", {"edge", "marketdata", "tasks"}),
    ("SET md:BTCUSDT:depth x", {"marketdata"}),
    ("GET journal:pressure", {"edge"}),
    ("SET journal:pressure x", {"archiver"}),
    ("HGETALL settlement:lag", {"edge"}),
    ("HSET settlement:lag risk:0 1", {"settlement"}),
    ("GET standing:of:1", {"edge", "standing"}),
    ("SET standing:of:1 x", {"standing"}),
    ("SADD standing:wanted 1", {"edge"}),
    ("GET verify:status", {"edge"}),
    ("SET verify:status x", {"tasks"}),
    ("HSET publisher:cursor x 1", {"publisher"}),
    ("HSET markets:known_by edge-1 x", {"edge"}),
    ("HGETALL markets:known_by", {"edge", "lister"}),
    ("SET heartbeat:book:BTC-USDT 1:a", {BOOK}),
    ("SET heartbeat:risk:0 1:a", {RISK}),
    ("DEL snapshot:asked:risk:0", {RISK}),
    ("LPUSH celery:settlement x", {"publisher", "beat", *TAKE_TASKS}),
    ("LPUSH celery:default x", {"edge", "beat", *TAKE_TASKS}),
    ("RPOP celery:default", TAKE_TASKS),
    ("HGET celery:unacked x", TAKE_TASKS),
    ("PUBLISH channels__group__user.1 x", {"projector"}),
    ("PUBLISH channels__group__market.BTC-USDT x", {"publisher", "marketdata"}),
    ("PUBLISH users:changed x", {"edge", "tasks"}),
    ("PUBLISH markets:changed x", {"edge", "lister", "tasks"}),
    ("PUBLISH workers:new x", {"lister"}),
    ("PUBLISH standing:told x", {"standing"}),
    ("SCAN 0", {"projector", "standing"}),
    ("HINCRBY users:failed:1 1:log_in 1", {"edge"}),
    ("HGETALL users:failed:1", {"tasks"}),
    ("HSETNX users:failed:1:told 1:log_in 1", {"tasks"}),
    ("DEL users:failed:1", {"tasks"}),
]
ON_NEITHER = (
    *("FLUSHALL", "FLUSHDB", "KEYS *", "RANDOMKEY", "DBSIZE", "SWAPDB 0 0"),
    *("CONFIG GET *", "CONFIG SET maxmemory 1", "CONFIG REWRITE", "DEBUG OBJECT x", "MONITOR"),
    *("ACL LIST", "ACL USERS", "ACL GETUSER admin", "ACL SETUSER x on", "ACL LOAD", "ACL LOG"),
    *("CLIENT LIST", "CLIENT KILL ID 0", "SCRIPT FLUSH", "FUNCTION LIST", "MODULE LIST"),
    *("SHUTDOWN ABORT", "REPLICAOF NO ONE", "SAVE", "BGREWRITEAOF", "SLOWLOG GET"),
    *("DUMP {risk:0}:log", "COPY {risk:0}:log x", "RENAME {risk:0}:log x", "DEL workers"),
)  # fmt: skip


pytestmark = pytest.mark.skipif(
    config.is_set("JOURNAL_URL") or config.is_set("REDIS_URL"),
    reason="given servers have the users that their owner made",
)


def client_by(user: str, word: str, server: str) -> redis.Redis:
    """Return a client of a server that logs in as somebody, and tries once."""
    port = config.integer(f"FAIRBOOK_{server.upper()}_PORT")
    return cache_client(f"redis://{user}:{word}@127.0.0.1:{port}/0", socket_timeout=5)


def client_of(role: str, server: str) -> redis.Redis:
    """Return a client of a server that logs in as a role's process does."""
    return client_by(role.replace(":", "%3A"), environs.password_of(role, server, config), server)


def may(role: str, server: str, words: str) -> bool:
    """Have a role do something and say whether the server let it."""
    with client_of(role, server) as client:
        try:
            client.execute_command(*words.split())
        except (redis.exceptions.NoPermissionError, redis.AuthenticationError):
            return False
        except redis.ResponseError as error:  # It would have done it, or nobody may.
            return not str(error).startswith("DEBUG command not allowed")
        return True


everybody = pytest.mark.parametrize("role", sorted({*roles.all_roles(WORKERS)} - {roles.ADMIN}))


@everybody
def test_on_the_journal_a_role_may_what_the_matrix_says_and_nothing_else(journal, role):
    found = {words: may(role, "journal", words) for words, _ in ON_THE_JOURNAL}
    assert found == {words: role in who for words, who in ON_THE_JOURNAL}


@everybody
def test_on_the_cache_a_role_may_what_the_matrix_says_and_nothing_else(cache, role):
    found = {words: may(role, "cache", words) for words, _ in ON_THE_CACHE}
    assert found == {words: role in who for words, who in ON_THE_CACHE}


@everybody
@pytest.mark.parametrize("server", roles.SERVERS)
def test_nobody_but_the_admin_empties_configures_or_looks_behind_a_server(servers, server, role):
    assert [words for words in ON_NEITHER if may(role, server, words)] == []


@pytest.mark.parametrize("server", roles.SERVERS)
def test_nobody_comes_in_without_a_name(servers, server):
    word = config.text(f"FAIRBOOK_{server.upper()}_PASSWORD")
    strangers = (
        ("", ""),
        ("", word),
        ("default", word),
        ("default", "default"),
        ("admin", "admin"),
    )
    for user, password in strangers:
        with client_by(user, password, server) as client, pytest.raises(redis.AuthenticationError):
            client.ping()


def test_a_role_does_not_come_in_by_the_word_of_another_or_of_another_server(servers):
    for role, server in (("projector", "journal"), ("edge", "cache"), (roles.ADMIN, "cache")):
        word = environs.password_of(role, server, config)
        with client_by("edge", word, "journal") as edge, pytest.raises(redis.AuthenticationError):
            edge.ping()


def test_a_script_may_do_no_more_than_who_calls_it(journal, cache):
    writes = "return redis.call('SET', KEYS[1], 'x')"
    with client_of("edge", "cache") as edge:
        assert edge.eval("return redis.call('GET', KEYS[1])", 1, "journal:pressure") is None
        with pytest.raises(redis.ResponseError, match="ermission"):
            edge.eval(writes, 1, "journal:pressure")
    undeclared = "return redis.call('HSET', '{risk:0}:cursor', 'batch', '9')"
    with client_of(BOOK, "journal") as book, pytest.raises(redis.ResponseError, match="ermission"):
        book.eval(undeclared, 1, "{book:BTC-USDT}:cursor")
    assert not journal.exists("{risk:0}:cursor")
    assert not cache.exists("journal:pressure")


def test_edges_hear_the_feeds_and_cannot_speak_on_them(cache):
    with client_of("edge", "cache") as edge, edge.pubsub() as ears:
        ears.subscribe("channels__group__user.1", "users:changed", "standing:told")
        assert [ears.get_message(timeout=2)["type"] for _ in range(3)] == ["subscribe"] * 3
        with pytest.raises(redis.exceptions.NoPermissionError):
            edge.publish("channels__group__user.1", "x")


@pytest.mark.parametrize("server", roles.SERVERS)
def test_what_is_written_down_holds_no_password(servers, server):
    path = acl.folder_of(server) / acl.FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    files = path.read_text() + (path.parent / "valkey.conf").read_text()
    words = [environs.password_of(r, server, config) for r in roles.all_roles(WORKERS)]
    assert len(set(words)) == len(words)
    assert [word for word in words if word in files] == []


def test_a_worker_that_is_new_in_life_is_known_and_stays_known(servers):
    for _ in range(2):  # Both members add it, and again at each start.
        acl.add("book:NEW-USDT")
    for server, client in (("journal", journal_client()), ("cache", cache_client())):
        client.execute_command("ACL", "LOAD")  # What a server does when it starts.
        with client_of("book:NEW-USDT", server) as book:
            assert book.ping()
        client.close()
    assert may("book:NEW-USDT", "journal", "XADD {book:NEW-USDT}:log 1-0 h x")
    assert not may("book:NEW-USDT", "journal", "XADD {book:BTC-USDT}:log 9-0 h x")
    assert not may("book:NEW-USDT", "cache", "SET heartbeat:book:BTC-USDT 1:a")


def test_every_process_has_a_role_and_every_role_a_process():
    rows = [row for row in processes.all_processes() if row.phase != processes.SERVERS]
    known = roles.all_roles(row.acts_as for row in rows if roles.is_worker(row.acts_as))
    assert {row.acts_as for row in rows if row.kind != "bot"} == {*known} - {roles.ADMIN}
    for row in rows:
        rights = known.get(row.acts_as, roles.Rights())
        asked = {environs.Need.JOURNAL, environs.Need.CACHE} & {*row.needs}
        assert asked == {
            n for n in (environs.Need.JOURNAL, environs.Need.CACHE) if getattr(rights, n)
        }
