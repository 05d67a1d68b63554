"""The one way to settings; `registry` has each one's variable, default, meaning and parser.

    from apps.common.config import config
    config.get("FAIRBOOK_PORT")             # parsed: int, str, bool, Path or tuple, as registered
    config.integer("FAIRBOOK_PORT")         # the same, typed for mypy; also text, flag, path, words

Standard library only: the bootstrap, the workers and Django all read it. A value comes from the
environment, else from `.env` in the repository (never under `test`), else (secrets only, never in
production) from `$FAIRBOOK_VAR/secrets.env`, which the first `make up` writes, else the default.
Nothing is cached, so read a value once and keep it; a test may set the environment at any time.
Under FAIRBOOK_SECRETS_FROM=environment secrets come from the environment and from nowhere else: so
run the processes of an exchange, each with those that its row of the table names.
`.env.example` is made from the registry: `python manage.py config --env-example > .env.example`.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from apps.common.registry import ENVIRONMENTS, ROOT, SETTINGS, Setting

__all__ = ["ENVIRONMENTS", "ROOT", "SETTINGS", "BadSetting", "Config", "config", "env_example"]


class BadSetting(ValueError):
    """A setting is missing, malformed or unsafe. The message names it and says what to do."""


REGISTRY: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}

_DIRECTORIES = {
    "FAIRBOOK_POSTGRES_DIR": "postgres",
    "FAIRBOOK_JOURNAL_DIR": "journal",
    "FAIRBOOK_ARCHIVE_DIR": "archive",
    "FAIRBOOK_SNAPSHOT_DIR": "snapshots",
    "FAIRBOOK_PROOF_DIR": "proofs",
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
        if self.environ.get("FAIRBOOK_ENV") == "test" or self.is_withheld(name):
            return None
        return read_env_file(ROOT / ".env").get(name) or None

    def is_withheld(self, name: str) -> bool:
        """Whether this is a secret that this process was not given, and may not look for."""
        only_given = self.environ.get("FAIRBOOK_SECRETS_FROM") == "environment"
        return only_given and REGISTRY[name].secret and not self.environ.get(name)

    def is_set(self, name: str) -> bool:
        """Whether a person gave this setting: then no default, and no embedded server."""
        return self.raw(REGISTRY[name].name) is not None

    def get(self, name: str) -> Any:
        """Return the parsed value, or raise BadSetting that names it."""
        setting = REGISTRY[name]
        raw = self.raw(name)
        if raw is None and self._must_be_set(setting):
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

    def _must_be_set(self, setting: Setting) -> bool:
        """Whether production needs it; who was not given a secret does not use it."""
        is_asked = setting.required and not self.is_withheld(setting.name)
        return is_asked and setting.name != "FAIRBOOK_ENV" and self.is_production

    def _fallback(self, setting: Setting) -> str | None:
        if setting.name in _SERVERS:
            return self._embedded_url(setting.name)
        if self.is_withheld(setting.name):
            return setting.default
        if setting.name in _DIRECTORIES:
            return str(self.path("FAIRBOOK_VAR") / _DIRECTORIES[setting.name])
        if setting.generated and not self.is_production:
            return read_env_file(self.secrets_file).get(setting.name)
        return setting.default

    def _embedded_url(self, name: str) -> str:
        if name == "DATABASE_OWNER_URL" and self.is_set("DATABASE_URL"):
            return self.text("DATABASE_URL")
        role = self.text("FAIRBOOK_ROLE")
        service = "app" if role == "admin" else role
        user, password, port, path = {
            "DATABASE_URL": (
                f"fairbook_{service}",
                "FAIRBOOK_DB",
                "FAIRBOOK_POSTGRES",
                "/fairbook",
            ),
            "DATABASE_OWNER_URL": (
                "fairbook_owner",
                "FAIRBOOK_DB_OWNER",
                "FAIRBOOK_POSTGRES",
                "/fairbook",
            ),
            "JOURNAL_URL": (role, "FAIRBOOK_JOURNAL", "FAIRBOOK_JOURNAL", "/0"),
            "REDIS_URL": (role, "FAIRBOOK_CACHE", "FAIRBOOK_CACHE", "/0"),
        }[name]
        scheme = "postgresql" if path == "/fairbook" else "redis"
        word = quote(self.get(f"{password}_PASSWORD") or "", safe="")
        place = f"127.0.0.1:{self.integer(f'{port}_PORT')}{path}"
        return f"{scheme}://{quote(user, safe='')}:{word}@{place}"

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
        "# Made from apps/common/registry.py: python manage.py config --env-example > .env.example",
        "",
    ]
    for setting in SETTINGS:
        note = " (secret; made by the first start)" if setting.generated else ""
        lines += [f"# {setting.help}{note}", f"# {setting.name}={setting.default or ''}", ""]
    return "\n".join(lines)


config = Config()
