"""The one registry of settings: every environment variable, its default, its meaning, its parser.

    from apps.common.config import config
    config.get("FAIRBOOK_PORT")             # parsed: int, str, bool, Path or tuple, as registered
    config.integer("FAIRBOOK_PORT")         # the same, typed for mypy; also text, flag, path, words

Standard library only: the bootstrap, the workers and Django all read it. A value comes from the
environment, else from `.env` in the repository (never under `test`), else (secrets only, never in
production) from `$FAIRBOOK_VAR/secrets.env`, which the first `make up` writes, else the default.
Nothing is cached, so read a value once and keep it; a test may set the environment at any time.
`.env.example` is made from this file: `python manage.py config --env-example > .env.example`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("demo", "test", "production")


class BadSetting(ValueError):
    """A setting is missing, malformed or unsafe. The message names it and says what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One environment variable."""

    name: str
    default: str | None
    help: str
    parse: Callable[[str], Any] = str
    secret: bool = False
    generated: bool = False  # Made at random by the first `make up`.
    required: bool = False  # Production has no default for it.


def _flag(raw: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True}
    words |= {"0": False, "false": False, "no": False, "off": False, "": False}
    if raw.strip().lower() not in words:
        raise ValueError("use 1 or 0")
    return words[raw.strip().lower()]


def _whole(raw: str) -> int:
    number = int(raw)
    if number < 0:
        raise ValueError("use a whole number, 0 or more")
    return number


def _port(raw: str) -> int:
    number = int(raw)
    if not 0 < number < 65536:
        raise ValueError("use a port from 1 to 65535")
    return number


def _words(raw: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in raw.split(",") if word.strip())


def _path(raw: str) -> Path:
    path = Path(raw).expanduser()
    return path if path.is_absolute() else (ROOT / path).resolve()


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(raw: str) -> str:
        if raw not in choices:
            raise ValueError(f"use one of {', '.join(choices)}")
        return raw

    return parse


SETTINGS: tuple[Setting, ...] = (
    # Where and what
    Setting("FAIRBOOK_ENV", "demo", "demo, test or production", _one_of(*ENVIRONMENTS)),
    Setting("FAIRBOOK_VAR", "./var", "directory of data, logs, sockets and secrets", _path),
    Setting("FAIRBOOK_HOST", "127.0.0.1", "address that the edges listen on"),
    Setting("FAIRBOOK_PORT", "8000", "port of edge-1 (edge-2 is the next one)", _port),
    Setting("FAIRBOOK_EDGES", "2", "number of edge processes", _whole),
    Setting("FAIRBOOK_ASGI", "uvicorn", "server of the edges", _one_of("uvicorn", "daphne")),
    Setting("FAIRBOOK_METRICS_PORT", "9100", "first port of health and metrics", _port),
    Setting("FAIRBOOK_STATUS_PORT", "8090", "port of the status page", _port),
    Setting("FAIRBOOK_ALLOWED_HOSTS", "*", "host names to answer to", _words, required=True),
    Setting("FAIRBOOK_PUBLIC_URL", "", "https://… that people use (production)", required=True),
    Setting("FAIRBOOK_DEBUG", "0", "Django's debug pages; refused in production", _flag),
    Setting("FAIRBOOK_LOG_LEVEL", "INFO", "lowest level that is logged"),
    Setting("FAIRBOOK_BUILD", "dev", "build id shown by health answers"),
    # The market
    Setting("FAIRBOOK_MARKETS", "BTC-USDT,ETH-USDT", "markets that have a book", _words),
    Setting("FAIRBOOK_RISK_PARTITIONS", "1", "number of risk partitions", _whole),
    Setting("FAIRBOOK_STANDBYS", "1", "run a hot standby of each book and partition", _flag),
    Setting("FAIRBOOK_BOTS", "1", "run the demo's market-making bots", _flag),
    Setting("FAIRBOOK_SEED", "1", "seed of everything random in demo and tests", _whole),
    # Servers. A URL that is set here means: use that server, start no embedded one
    Setting("DATABASE_URL", None, "PostgreSQL as the services use it", secret=True, required=True),
    Setting("DATABASE_OWNER_URL", None, "PostgreSQL as the owner, for migrations", secret=True),
    Setting("FAIRBOOK_DB_ROLE", "app", "role this process takes", _one_of("app", "owner")),
    Setting("JOURNAL_URL", None, "durable Valkey or Redis", secret=True, required=True),
    Setting("REDIS_URL", None, "Valkey or Redis for caches", secret=True, required=True),
    Setting("FAIRBOOK_POSTGRES_PORT", "55432", "port of the embedded PostgreSQL", _port),
    Setting("FAIRBOOK_JOURNAL_PORT", "56379", "port of the embedded journal", _port),
    Setting("FAIRBOOK_CACHE_PORT", "56380", "port of the embedded cache", _port),
    Setting("FAIRBOOK_POSTGRES_DIR", "", "data of the embedded PostgreSQL (var/postgres)"),
    Setting("FAIRBOOK_JOURNAL_DIR", "", "data of the embedded journal (var/journal)"),
    Setting("FAIRBOOK_ARCHIVE_DIR", "", "archived journal segments (var/archive)"),
    Setting("FAIRBOOK_SNAPSHOT_DIR", "", "snapshots of books and partitions (var/snapshots)"),
    Setting("FAIRBOOK_JOURNAL_MAXMEMORY_MB", "400", "memory of the embedded journal", _whole),
    Setting("FAIRBOOK_CACHE_MAXMEMORY_MB", "200", "memory of the embedded cache", _whole),
    # Workers and journals
    Setting("FAIRBOOK_HEARTBEAT_MS", "300", "pace of an owner's heartbeat", _whole),
    Setting("FAIRBOOK_LEASE_MS", "1500", "silence after which a standby tries", _whole),
    Setting("FAIRBOOK_JOURNAL_LIMIT_MB", "300", "journal memory above which orders wait", _whole),
    Setting("FAIRBOOK_STREAM_LIMIT_MB", "64", "stream size above which orders are refused", _whole),
    Setting("FAIRBOOK_STREAM_TRIM_MB", "16", "archived part kept in a stream", _whole),
    Setting("FAIRBOOK_TRIM_AGE_S", "30", "age after which archived entries are trimmed", _whole),
    Setting("FAIRBOOK_ARCHIVE_DISK_PERCENT", "80", "archive disk above which orders wait", _whole),
    Setting("FAIRBOOK_SNAPSHOT_S", "60", "time between two snapshots", _whole),
    Setting("FAIRBOOK_SNAPSHOT_COMMANDS", "200000", "commands between two snapshots", _whole),
    Setting("FAIRBOOK_REPLY_TTL_S", "60", "life of a reply stream", _whole),
    Setting("FAIRBOOK_SOURCE_FORGET_S", "600", "silence after which a source is forgotten", _whole),
    Setting("FAIRBOOK_CUT_S", "10", "time between two cuts of a book", _whole),
    Setting("FAIRBOOK_CHECKPOINT_S", "10", "time between two checkpoints of a partition", _whole),
    Setting("FAIRBOOK_VERIFY_S", "10", "time between two runs of the verifier", _whole),
    Setting("FAIRBOOK_SETTLEMENT_LAG_STOP_S", "10", "lag above which orders are refused", _whole),
    # Limits and holds
    Setting("FAIRBOOK_RATE_WEIGHT_1M", "6000", "request weight per account and minute", _whole),
    Setting("FAIRBOOK_RATE_ORDERS_10S", "100", "orders per account and ten seconds", _whole),
    Setting("FAIRBOOK_NEW_ADDRESS_HOLD_S", "259200", "hold of a new withdrawal address", _whole),
    Setting("FAIRBOOK_CREDENTIAL_LOCK_S", "86400", "withdrawal lock after a new password", _whole),
    Setting("FAIRBOOK_SWEEP_S", "900", "time between two sweeps of deposits", _whole),
    Setting("FAIRBOOK_FUNDING_S", "28800", "time between two funding payments", _whole),
    # Secrets
    Setting(
        "FAIRBOOK_SECRET_KEY",
        None,
        "Django's secret key",
        secret=True,
        generated=True,
        required=True,
    ),
    Setting(
        "FAIRBOOK_KEY_ENCRYPTION_KEY",
        None,
        "64 hex digits that seal API secrets",
        secret=True,
        generated=True,
        required=True,
    ),
    Setting("FAIRBOOK_DB_PASSWORD", None, "of the app role", secret=True, generated=True),
    Setting("FAIRBOOK_DB_ADMIN_PASSWORD", None, "of postgres", secret=True, generated=True),
    Setting("FAIRBOOK_DB_OWNER_PASSWORD", None, "of the owner role", secret=True, generated=True),
    Setting("FAIRBOOK_JOURNAL_PASSWORD", None, "of the journal", secret=True, generated=True),
    Setting("FAIRBOOK_CACHE_PASSWORD", None, "of the cache", secret=True, generated=True),
)
REGISTRY: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}

_DIRECTORIES = {
    "FAIRBOOK_POSTGRES_DIR": "postgres",
    "FAIRBOOK_JOURNAL_DIR": "journal",
    "FAIRBOOK_ARCHIVE_DIR": "archive",
    "FAIRBOOK_SNAPSHOT_DIR": "snapshots",
}
_SERVERS = {"DATABASE_URL", "DATABASE_OWNER_URL", "JOURNAL_URL", "REDIS_URL"}


def read_env_file(path: Path) -> dict[str, str]:
    """Read NAME=value lines; blank lines and lines that start with # are skipped."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text().splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): value.strip().strip("\"'") for name, _, value in pairs}


class Config:
    """Typed access to the settings of one environment."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ = environ

    @property
    def environ(self) -> Mapping[str, str]:
        return os.environ if self._environ is None else self._environ

    def raw(self, name: str) -> str | None:
        """Return the text of a setting as a person gave it, or None when nobody did."""
        if value := self.environ.get(name):
            return value
        if self.environ.get("FAIRBOOK_ENV") == "test":
            return None
        return read_env_file(ROOT / ".env").get(name) or None

    def is_set(self, name: str) -> bool:
        """Whether a person gave this setting: then no default, and no embedded server."""
        return self.raw(REGISTRY[name].name) is not None

    def get(self, name: str) -> Any:
        """Return the parsed value, or raise BadSetting that names it."""
        setting = REGISTRY[name]
        raw = self.raw(name)
        if raw is None and name != "FAIRBOOK_ENV" and self.is_production and setting.required:
            raise BadSetting(f"{name} has no default in production: set it ({setting.help})")
        if raw is None:
            raw = self._fallback(setting)
        if raw is None:
            return None
        try:
            return setting.parse(raw)
        except ValueError as error:
            shown = "(secret)" if setting.secret else repr(raw)
            raise BadSetting(f"{name}={shown} is not usable: {error}") from None

    def _fallback(self, setting: Setting) -> str | None:
        if setting.name in _SERVERS:
            return self._embedded_url(setting.name)
        if setting.name in _DIRECTORIES:
            return str(self.path("FAIRBOOK_VAR") / _DIRECTORIES[setting.name])
        if setting.generated and not self.is_production:
            return read_env_file(self.secrets_file).get(setting.name)
        return setting.default

    def _embedded_url(self, name: str) -> str:
        if name == "DATABASE_OWNER_URL" and self.is_set("DATABASE_URL"):
            return self.text("DATABASE_URL")
        user, password, port, path = {
            "DATABASE_URL": ("fairbook_app", "FAIRBOOK_DB", "FAIRBOOK_POSTGRES", "/fairbook"),
            "DATABASE_OWNER_URL": (
                "fairbook_owner",
                "FAIRBOOK_DB_OWNER",
                "FAIRBOOK_POSTGRES",
                "/fairbook",
            ),
            "JOURNAL_URL": ("", "FAIRBOOK_JOURNAL", "FAIRBOOK_JOURNAL", "/0"),
            "REDIS_URL": ("", "FAIRBOOK_CACHE", "FAIRBOOK_CACHE", "/0"),
        }[name]
        scheme = "postgresql" if path == "/fairbook" else "redis"
        word = quote(self.get(f"{password}_PASSWORD") or "", safe="")
        return f"{scheme}://{user}:{word}@127.0.0.1:{self.integer(f'{port}_PORT')}{path}"

    # -- typed doors

    def text(self, name: str) -> str:
        """Return a setting that is text; an unset one without a default is refused."""
        value = self.get(name)
        if value is None:
            raise BadSetting(f"{name} is not set; `make up` generates it, or set it yourself")
        return str(value)

    def integer(self, name: str) -> int:
        """Return a setting that is a whole number."""
        return int(self.get(name))

    def flag(self, name: str) -> bool:
        """Return a setting that is on or off."""
        return bool(self.get(name))

    def path(self, name: str) -> Path:
        """Return a setting that is a directory, absolute."""
        return Path(self.get(name))

    def words(self, name: str) -> tuple[str, ...]:
        """Return a setting that is a list of words."""
        return tuple(self.get(name))

    @property
    def env(self) -> str:
        """The environment's name: demo, test or production."""
        return str(self.get("FAIRBOOK_ENV"))

    @property
    def is_production(self) -> bool:
        return self.env == "production"

    @property
    def secrets_file(self) -> Path:
        return self.path("FAIRBOOK_VAR") / "secrets.env"

    # -- what the commands show

    def generate_secrets(self) -> bool:
        """Write the secrets that are missing into secrets.env (mode 600). True if any was."""
        known = read_env_file(self.secrets_file)
        missing = [s.name for s in SETTINGS if s.generated and s.name not in known]
        if self.is_production or not missing:
            return False
        known |= {name: secrets.token_hex(32) for name in missing}
        self.secrets_file.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"{name}={value}\n" for name, value in sorted(known.items()))
        draft = self.secrets_file.with_suffix(".tmp")
        draft.unlink(missing_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(
                "# Made at the first start. Losing it locks you out of this data directory.\n"
            )
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.secrets_file)
        return True

    def table(self) -> list[dict[str, Any]]:
        """Return what `manage.py config --json` prints: secret values are null."""
        return [
            {
                "name": s.name,
                "value": None if s.secret else self._shown(s.name),
                "default": None if s.secret else s.default,
                "secret": s.secret,
            }
            for s in SETTINGS
        ]

    def _shown(self, name: str) -> str | None:
        value = self.get(name)
        if isinstance(value, tuple):
            return ",".join(value)
        if isinstance(value, bool):
            return "1" if value else "0"
        return None if value is None else str(value)


def env_example() -> str:
    """Return the text of `.env.example`."""
    lines = [
        "# Every setting, with its default. Copy to .env and change what you need.",
        "# Made from apps/common/config.py: python manage.py config --env-example > .env.example",
        "",
    ]
    for setting in SETTINGS:
        note = " (secret; made by the first start)" if setting.generated else ""
        lines += [f"# {setting.help}{note}", f"# {setting.name}={setting.default or ''}", ""]
    return "\n".join(lines)


config = Config()
