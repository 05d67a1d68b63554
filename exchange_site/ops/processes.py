"""The one table of processes: the supervisor, `services`, tests and the bench read it.

A row also says whose rights its process has at the Valkeys (`acts_as`, a role of `roles.py`) and
which secrets it needs (`environs.Need`): it is given these and no others.

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
from apps.journals import keys
from exchange_site.ops import books, places, servers
from exchange_site.ops.environs import Need
from exchange_site.ops.roles import NOBODY

# Started from low to high, stopped from high to low.
SERVERS, WORKERS, SERVICES, DOORS = range(4)

MEMBERS_MAX = 2  # An owner and its standby.

_AT_VALKEYS = (Need.JOURNAL, Need.CACHE)
_EVERYWHERE = (*_AT_VALKEYS, Need.DATABASE)

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
    acts_as: str = NOBODY
    needs: tuple[Need, ...] = ()

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
    """Return a market's members: "b" decides by the reference, so the two check each other."""
    ways = {"a": config.text("FAIRBOOK_ENGINE"), "b": "pure"}
    return [
        Process(
            f"book-{market}-{member}",
            "book",
            WORKERS,
            _python("-m", "matching_worker", "--market", market, "--member", member),
            shard=market,
            role="member",
            environ={"FAIRBOOK_ENGINE": ways[member]},
            data_dirs=[str(config.path("FAIRBOOK_SNAPSHOT_DIR"))],
            acts_as=keys.worker_of_market(market),
            needs=_AT_VALKEYS,
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
            acts_as=keys.worker_of_partition(number),
            needs=_AT_VALKEYS,
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
            acts_as="projector",
            needs=_AT_VALKEYS,
        ),
        Process(
            "archiver",
            "archiver",
            WORKERS,
            _python("-m", "apps.journals.archiver"),
            data_dirs=[archive],
            acts_as="archiver",
            needs=_AT_VALKEYS,
        ),
        Process(
            "publisher",
            "publisher",
            WORKERS,
            _python("-m", "matching_worker.publisher"),
            nice=BEHIND,
            acts_as="publisher",
            needs=_AT_VALKEYS,
        ),
    ]


def _celery_row(queue: str, *, acts_as: str, needs: tuple[Need, ...]) -> Process:
    worker = ["-m", "celery", "-A", "exchange_site.celery", "worker", "-n", f"{queue}-1@%h"]
    worker += ["-Q", queue, "--pool", "solo", "-l", "INFO"]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Process(
        f"celery-{queue}-1",
        "celery",
        SERVICES,
        _python(*worker),
        nice=BEHIND,
        acts_as=acts_as,
        needs=needs,
    )


def _service_rows() -> list[Process]:
    beat = ["-m", "celery", "-A", "exchange_site.beat", "beat", "-l", "INFO", "--pidfile="]
    return [
        Process(
            "relay",
            "relay",
            SERVICES,
            _manage("run_relay"),
            acts_as="relay",
            needs=(Need.JOURNAL, Need.DATABASE),
        ),
        Process(
            "lister",
            "lister",
            SERVICES,
            _manage("run_lister"),
            acts_as="lister",
            needs=_EVERYWHERE,
        ),
        Process(
            "standing",
            "standing",
            SERVICES,
            _manage("run_standing"),
            nice=BEHIND,
            acts_as="standing",
            needs=(Need.CACHE, Need.DATABASE),
        ),
        _celery_row("settlement", acts_as="settlement", needs=_EVERYWHERE),
        # On its own: a slow mail server must not hold up settlement.
        _celery_row("default", acts_as="tasks", needs=(*_EVERYWHERE, Need.SEALING, Need.MAIL)),
        Process(
            "beat",
            "beat",
            SERVICES,
            _python(*beat),
            nice=BEHIND,
            acts_as="beat",
            needs=(Need.CACHE,),
        ),
        Process(
            "marketdata",
            "marketdata",
            SERVICES,
            _python("-m", "apps.marketdata.worker"),
            nice=BEHIND,
            acts_as="marketdata",
            needs=_EVERYWHERE,
        ),
        Process(
            "prover",
            "prover",
            SERVICES,
            _python("-m", "apps.proofs.worker"),
            data_dirs=[str(config.path("FAIRBOOK_PROOF_DIR"))],
            nice=BEHIND,
            acts_as="prover",
            needs=(Need.JOURNAL, Need.DATABASE, Need.PSEUDONYMS),
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
            acts_as="edge",
            needs=(*_EVERYWHERE, Need.COOKIES, Need.SEALING),
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
