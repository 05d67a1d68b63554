"""What a process finds in its environment: settings, and of the secrets those that it needs.

The table of processes names each row's needs. The launcher, which starts every process, knows all
secrets, hands over these and drops the rest; the process is told not to look for others itself
(FAIRBOOK_SECRETS_FROM). What a person's shell holds besides is nobody's business and stays out.

Standard library only: the launcher reads it before every start.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping
from enum import StrEnum
from pathlib import Path

from apps.common.config import REGISTRY, Config, read_env_file
from exchange_site.ops import roles

NEEDS, ROLE = "FAIRBOOK_NEEDS", "FAIRBOOK_ROLE"


class Need(StrEnum):
    """A secret, by what it is good for."""

    JOURNAL = "journal"
    CACHE = "cache"
    DATABASE = "database"
    COOKIES = "cookies"  # Signs them.
    SEALING = "sealing"  # The key of keys, and the second one while it is changed.
    PSEUDONYMS = "pseudonyms"
    MAIL = "mail"


_URLS = {
    Need.JOURNAL: ("JOURNAL_URL", "FAIRBOOK_JOURNAL_PASSWORD"),
    Need.CACHE: ("REDIS_URL", "FAIRBOOK_CACHE_PASSWORD"),
    Need.DATABASE: ("DATABASE_URL", "FAIRBOOK_DB_PASSWORD"),
}
_WORDS = {
    Need.COOKIES: ("FAIRBOOK_SECRET_KEY",),
    Need.SEALING: ("FAIRBOOK_KEY_ENCRYPTION_KEY", "FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY"),
    Need.PSEUDONYMS: ("FAIRBOOK_PROOF_SECRET",),
    Need.MAIL: ("FAIRBOOK_SMTP_PASSWORD",),
}
_OF_THE_SYSTEM = {"PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR"}
_OF_THE_SYSTEM_TOO = ("LC_", "LD_", "PYTHON", "SSL_CERT_")
_OF_THE_SUPERVISOR = {NEEDS, "FAIRBOOK_RUN_VAR", "FAIRBOOK_SERVICE", "FAIRBOOK_SERVICE_PORT"}


def password_of(role: str, server: str, settings: Config) -> str:
    """Return a role's password at an embedded server. All come from the one of its admin."""
    word = settings.text(f"FAIRBOOK_{server.upper()}_PASSWORD")
    if role == roles.ADMIN:
        return word
    return hmac.digest(word.encode(), f"fairbook.role/1:{role}".encode(), hashlib.sha256).hex()


def environ_of(
    base: Mapping[str, str], *, needs: Iterable[str], role: str = roles.NOBODY
) -> dict[str, str]:
    """Return the environment of a process with these needs, started where `base` is known."""
    settings = Config({**base, **_role_file(base, role)})
    given = {
        name: value for name, value in base.items() if _is_for_all(name) and not _is_secret(name)
    }
    given |= {ROLE: role, "FAIRBOOK_SECRETS_FROM": "environment"}
    for need in map(Need, needs):
        given |= {name: value for name, value in _secrets(need, role, settings).items() if value}
    return given


def _secrets(need: Need, role: str, settings: Config) -> dict[str, str]:
    """Return the variables that answer a need, with their texts; a missing one is refused."""
    if need in _WORDS:
        return {name: str(settings.get(name) or "") for name in _WORDS[need]}
    url, word = _URLS[need]
    if settings.is_set(url) or settings.is_production:
        return {url: settings.text(url)}
    server = "db" if need is Need.DATABASE else need.value
    return {word: password_of(role, server, settings)}


def _role_file(base: Mapping[str, str], role: str) -> dict[str, str]:
    """Read what a person wants processes of this role to have in place of what all have."""
    folder = Config(base).get("FAIRBOOK_ROLE_FILES")
    return read_env_file(Path(folder) / f"{role.partition(':')[0]}.env") if folder else {}


def _is_secret(name: str) -> bool:
    return name in REGISTRY and REGISTRY[name].secret


def _is_for_all(name: str) -> bool:
    is_of_the_system = name in _OF_THE_SYSTEM or name.startswith(_OF_THE_SYSTEM_TOO)
    return is_of_the_system or name in REGISTRY or name in _OF_THE_SUPERVISOR
