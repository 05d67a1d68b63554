"""Where things of one running exchange lie: run files, logs, sockets."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from apps.common.config import config

_SOCKET_PATH_MAX = 90  # sun_path holds about 107 bytes, and PostgreSQL adds a name of its own.


def var() -> Path:
    """Return the data directory."""
    return config.path("FAIRBOOK_VAR")


def run_dir() -> Path:
    """Return the directory of pid files, start records and the supervisor's configuration."""
    return _made(var() / "run")


def log_dir() -> Path:
    """Return the directory of logs."""
    return _made(var() / "log")


def socket_dir() -> Path:
    """Return a private directory whose path is short enough for unix sockets."""
    wanted = var() / "run"
    if len(os.fsencode(str(wanted))) + len("/.s.PGSQL.55432.lock") < _SOCKET_PATH_MAX:
        return run_dir()
    mark = hashlib.sha256(os.fsencode(str(var()))).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"fairbook-{os.getuid()}-{mark}"
    if len(os.fsencode(str(short))) > _SOCKET_PATH_MAX:
        short = Path("/tmp") / short.name  # noqa: S108 - made private below # nosec B108
    short.mkdir(mode=0o700, exist_ok=True)
    if short.lstat().st_uid != os.getuid() or short.is_symlink():
        raise PermissionError(f"{short} belongs to somebody else: remove it, or set FAIRBOOK_VAR")
    short.chmod(0o700)
    return short


def supervisor_socket() -> Path:
    """Return the unix socket that the supervisor listens on."""
    return socket_dir() / "supervisor.sock"


def _made(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.mkdir(exist_ok=True, mode=0o700)
    return path
