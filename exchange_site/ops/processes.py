"""The one table of processes: the supervisor, `services`, tests and the bench read it.

Each process finds in its environment FAIRBOOK_SERVICE (its name here) and FAIRBOOK_SERVICE_PORT
(where `apps.common.service.Service` serves health and metrics on loopback). Ports are
FAIRBOOK_METRICS_PORT + the row's number, in the order of the table; edges answer health on their
public port as well. Books of listed markets (`books.py`) come after all others, so that listing one
moves nobody's port.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from apps.common.config import ROOT, config
from exchange_site.ops import books, places, servers

# Started from low to high, stopped from high to low.
SERVERS, WORKERS, SERVICES, DOORS = range(4)

MEMBERS_MAX = 2  # An owner and its standby.

BEHIND = 10
"""How nice a process is that follows: an order waits for edges, engines and servers, and for no
reader of what they wrote. On a full machine readers lag and orders do not."""


@dataclass(frozen=True, slots=True)
class Process:
    """One row: what runs, how it is watched, and when its turn is."""

    name: str
    kind: str
    phase: int
    command: list[str]
    shard: str | None = None
    role: str = "single"  # "member": the health answer says owner or standby
    port: int | None = None
    health_url: str | None = None
    metrics_url: str | None = None
    environ: dict[str, str] = field(default_factory=dict)
    data_dirs: list[str] = field(default_factory=list)
    public_port: int | None = None
    stop_signal: str = "TERM"
    stop_seconds: int = 10
    restart_policy: str = "always"
    nice: int = 0

    @property
    def log(self) -> Path:
        """Where the supervisor writes what the process prints."""
        return places.log_dir() / f"{self.name}.log"


def _python(*words: str) -> list[str]:
    return [sys.executable, *words]


def _manage(*words: str) -> list[str]:
    return _python(str(ROOT / "manage.py"), *words)


def _server_rows() -> list[Process]:
    return [
        Process(
            server.name,
            server.kind,
            SERVERS,
            server.command(),
            data_dirs=[str(server.data_dir)],
            public_port=server.port,
            stop_signal=server.stop_signal,
            stop_seconds=30,
        )
        for server in servers.all_servers()
        if server.embedded
    ]


def _members() -> tuple[str, ...]:
    return ("a", "b") if config.flag("FAIRBOOK_STANDBYS") else ("a",)


def _book_rows(market: str) -> list[Process]:
    return [
        Process(
            f"book-{market}-{member}",
            "book",
            WORKERS,
            _python("-m", "matching_worker", "--market", market, "--member", member),
            shard=market,
            role="member",
            data_dirs=[str(config.path("FAIRBOOK_SNAPSHOT_DIR"))],
        )
        for member in _members()
    ]


def _worker_rows() -> list[Process]:
    snapshots = str(config.path("FAIRBOOK_SNAPSHOT_DIR"))
    archive = str(config.path("FAIRBOOK_ARCHIVE_DIR"))
    risk = [
        Process(
            f"risk-{number}-{member}",
            "risk",
            WORKERS,
            _python("-m", "apps.risk.worker", "--partition", str(number), "--member", member),
            shard=str(number),
            role="member",
            data_dirs=[snapshots],
        )
        for number in range(config.integer("FAIRBOOK_RISK_PARTITIONS"))
        for member in _members()
    ]
    return [
        *risk,
        *(row for market in config.words("FAIRBOOK_MARKETS") for row in _book_rows(market)),
        Process(
            "projector",
            "projector",
            WORKERS,
            _python("-m", "apps.orders.projector"),
            nice=BEHIND,
        ),
        Process(
            "archiver",
            "archiver",
            WORKERS,
            _python("-m", "apps.journals.archiver"),
            data_dirs=[archive],
        ),
        Process(
            "publisher",
            "publisher",
            WORKERS,
            _python("-m", "matching_worker.publisher"),
            nice=BEHIND,
        ),
    ]


def _celery_row(queue: str) -> Process:
    worker = ["-m", "celery", "-A", "exchange_site.celery", "worker", "-n", f"{queue}-1@%h"]
    worker += ["-Q", queue, "--pool", "solo", "-l", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Process(f"celery-{queue}-1", "celery", SERVICES, _python(*worker), nice=BEHIND)


def _service_rows() -> list[Process]:
    beat = ["-m", "celery", "-A", "exchange_site.beat", "beat", "-l", "INFO", "--pidfile="]
    return [
        Process("relay", "relay", SERVICES, _manage("run_relay")),
        Process("lister", "lister", SERVICES, _manage("run_lister")),
        Process("standing", "standing", SERVICES, _manage("run_standing"), nice=BEHIND),
        _celery_row("settlement"),
        _celery_row("default"),  # On its own: a slow mail server must not hold up settlement.
        Process("beat", "beat", SERVICES, _python(*beat), nice=BEHIND),
        Process(
            "marketdata",
            "marketdata",
            SERVICES,
            _python("-m", "apps.marketdata.worker"),
            nice=BEHIND,
        ),
        Process(
            "prover",
            "prover",
            SERVICES,
            _python("-m", "apps.proofs.worker"),
            data_dirs=[str(config.path("FAIRBOOK_PROOF_DIR"))],
            nice=BEHIND,
        ),
    ]


def _door_rows() -> list[Process]:
    first, host = config.integer("FAIRBOOK_PORT"), config.text("FAIRBOOK_HOST")
    rows = [
        Process(
            f"edge-{number}",
            "edge",
            DOORS,
            _python("-m", "exchange_site.ops.serve", host, str(first + number - 1)),
            health_url=f"http://127.0.0.1:{first + number - 1}/health/ready",
            public_port=first + number - 1,
        )
        for number in range(1, config.integer("FAIRBOOK_EDGES") + 1)
    ]
    if config.flag("FAIRBOOK_BOTS") and not config.is_production:
        rows.append(Process("bots", "bot", DOORS, _manage("run_bots"), nice=BEHIND))
    return rows


def all_processes() -> list[Process]:
    """Return every process of this exchange, in the order of the contract."""
    rows = [*_door_rows(), *_worker_rows(), *_service_rows(), *_server_rows()]
    first = config.integer("FAIRBOOK_METRICS_PORT")
    behind = first + len(rows)
    listed = books.read().without(config.words("FAIRBOOK_MARKETS"))
    table = [
        *(_with_port(row, first + index) for index, row in enumerate(rows)),
        *(
            _with_port(row, behind + book.slot * MEMBERS_MAX + index)
            for book in listed.books
            for index, row in enumerate(_book_rows(book.market))
        ),
    ]
    return [row for row in table if row.kind != "book" or row.shard not in listed.closed]


def of_market(market: str) -> list[Process]:
    """Return the processes of one market's book."""
    return [row for row in all_processes() if row.kind == "book" and row.shard == market]


def _with_port(row: Process, port: int) -> Process:
    if row.phase == SERVERS:
        return row
    return replace(
        row,
        port=port,
        health_url=row.health_url or f"http://127.0.0.1:{port}/health/ready",
        metrics_url=f"http://127.0.0.1:{port}/metrics",
        environ={"FAIRBOOK_SERVICE": row.name, "FAIRBOOK_SERVICE_PORT": str(port), **row.environ},
    )
