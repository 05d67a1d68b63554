"""Every setting of the exchange: environment variable, default, meaning, parser.

`apps.common.config` reads them. Standard library only: the bootstrap and the workers read it, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("demo", "test", "production")


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


def _key(raw: str) -> str:
    if len(bytes.fromhex(raw)) != 32:
        raise ValueError("use 64 hex digits")
    return raw


def _part_of_a_day(raw: str) -> int:
    number = int(raw)
    if not 0 < number <= 86_400 or 86_400 % number:
        raise ValueError("use seconds that divide a day")
    return number


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
    Setting("FAIRBOOK_ROLE", "admin", "role at the embedded servers"),
    Setting(
        "FAIRBOOK_ROLE_FILES",
        "",
        "directory of ROLE.env files: what processes of one role get in place of these",
    ),
    Setting(
        "FAIRBOOK_SECRETS_FROM",
        "files",
        "where secrets are looked for; the supervisor sets it",
        _one_of("files", "environment"),
    ),
    Setting("FAIRBOOK_POSTGRES_PORT", "55432", "port of the embedded PostgreSQL", _port),
    Setting("FAIRBOOK_JOURNAL_PORT", "56379", "port of the embedded journal", _port),
    Setting("FAIRBOOK_CACHE_PORT", "56380", "port of the embedded cache", _port),
    Setting("FAIRBOOK_POSTGRES_DIR", "", "data of the embedded PostgreSQL (var/postgres)"),
    Setting("FAIRBOOK_JOURNAL_DIR", "", "data of the embedded journal (var/journal)"),
    Setting("FAIRBOOK_ARCHIVE_DIR", "", "archived journal segments (var/archive)"),
    Setting("FAIRBOOK_SNAPSHOT_DIR", "", "snapshots of books and partitions (var/snapshots)"),
    Setting("FAIRBOOK_PROOF_DIR", "", "published segments of the outside chains (var/proofs)"),
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
    Setting(
        "FAIRBOOK_ENGINE",
        "auto",
        "how member a of a book takes frames: pure, compiled, or auto (compiled if built); b: pure",
        _one_of("auto", "pure", "compiled"),
    ),
    Setting("FAIRBOOK_SNAPSHOT_COMMANDS", "200000", "commands between two snapshots", _whole),
    Setting("FAIRBOOK_REPLY_TTL_S", "60", "life of a reply stream", _whole),
    Setting("FAIRBOOK_SOURCE_FORGET_S", "600", "silence after which a source is forgotten", _whole),
    Setting("FAIRBOOK_CUT_S", "10", "time between two cuts of a book", _whole),
    Setting("FAIRBOOK_CHECKPOINT_S", "10", "time between two checkpoints of a partition", _whole),
    Setting("FAIRBOOK_VERIFY_S", "10", "time between two runs of the verifier", _whole),
    Setting("FAIRBOOK_PROOF_DELAY_S", "86400", "age from which segments are public", _whole),
    Setting("FAIRBOOK_PROOF_CUT_S", "3600", "time that one segment holds", _part_of_a_day),
    Setting("FAIRBOOK_SETTLEMENT_LAG_STOP_S", "10", "lag above which orders are refused", _whole),
    # Limits and holds
    Setting("FAIRBOOK_STANDING_BEAT_S", "5", "pace of the standing publisher's beats", _whole),
    Setting("FAIRBOOK_STANDING_STALE_S", "60", "silence of it after which new orders wait", _whole),
    Setting("FAIRBOOK_RATE_WEIGHT_1M", "6000", "request weight per account and minute", _whole),
    Setting("FAIRBOOK_RATE_ORDERS_10S", "100", "orders per account and ten seconds", _whole),
    Setting("FAIRBOOK_SUBACCOUNTS_MAX", "20", "sub-accounts of an institution", _whole),
    Setting("FAIRBOOK_SOCKETS_PER_ADDRESS", "100", "WebSockets of an address at an edge", _whole),
    Setting("FAIRBOOK_SOCKETS_PER_EDGE", "5000", "WebSockets at an edge", _whole),
    Setting("FAIRBOOK_NEW_ADDRESS_HOLD_S", "259200", "hold of a new withdrawal address", _whole),
    Setting("FAIRBOOK_CREDENTIAL_LOCK_S", "86400", "withdrawal lock after a new password", _whole),
    Setting("FAIRBOOK_SWEEP_S", "900", "time between two sweeps of deposits", _whole),
    Setting("FAIRBOOK_FUNDING_S", "28800", "time between two funding payments", _whole),
    # Identity checks
    Setting("FAIRBOOK_KYC_PROVIDER", "sandbox", "who checks papers (see docs/kyc.md)"),
    Setting("FAIRBOOK_KYC_KEEP_DAYS", "1825", "days that papers are kept by law", _whole),
    # People
    Setting("FAIRBOOK_HASHES_AT_ONCE", "2", "passwords that a process hashes at once", _whole),
    Setting("FAIRBOOK_RESET_LINK_S", "600", "life of a link that resets", _whole),
    Setting("FAIRBOOK_LOG_INS", "20", "log-ins of a customer at a time", _whole),
    Setting("FAIRBOOK_STAFF_LOG_INS", "3", "log-ins of one of the staff at a time", _whole),
    Setting("FAIRBOOK_BREACHED_PASSWORDS", "", "file of lost passwords, ordered by SHA-1"),
    Setting("FAIRBOOK_STAFF_PASSKEY", "1", "staff need a passkey; 0 never in production", _flag),
    Setting("FAIRBOOK_MAIL_FROM", "Fairbook <no-reply@fairbook.example>", "sender of mails"),
    Setting("FAIRBOOK_SMTP_HOST", "", "mail server; the demo sends nothing", required=True),
    Setting("FAIRBOOK_SMTP_PORT", "587", "port of the mail server", _port),
    Setting("FAIRBOOK_SMTP_USER", "", "log-in name at the mail server"),
    Setting("FAIRBOOK_SMTP_PASSWORD", "", "password at the mail server", secret=True),
    Setting("FAIRBOOK_SMTP_TLS", "starttls", "or tls or none", _one_of("starttls", "tls", "none")),
    # Places of network addresses
    Setting(
        "FAIRBOOK_GEO_PLACES",
        "node_modules/@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb",
        "MMDB file that knows countries (and cities) of addresses",
        _path,
    ),
    Setting(
        "FAIRBOOK_GEO_HOSTING",
        "apps/compliance/data/hosting.txt",
        "MMDB files or lists of networks of hosting and VPNs",
        _words,
    ),
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
    Setting(
        "FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY",
        "",
        "another such key, that opens and does not seal (docs/keys.md)",
        secret=True,
    ),
    Setting(
        "FAIRBOOK_PROOF_SECRET",
        None,
        "64 hex digits from which the pseudonyms of each day come",
        _key,
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
