"""The whole life of a worker's process: up the one way, stand by, own, and end for a reason.

sys.exit(process.run(worker="book:BTC-USDT", member="a", make_machine=..., codec=BOOK_CODEC))
"""

import gc
from collections.abc import Callable

import msgspec
import redis
import structlog

from apps.common.config import config
from apps.common.redis_clients import cache_client, journal_client, lean_journal_client
from apps.common.service import EXIT_LEAVE_STOPPED, Service
from apps.journals import atomic, metrics
from apps.journals.behind import behind
from apps.journals.codec import Codec
from apps.journals.deaths import Deaths
from apps.journals.directory import NotFounded
from apps.journals.lease import Heartbeat, LeaseTerms
from apps.journals.machine import Machine
from apps.journals.owner import BACKOFF_S, Fenced, MemoryDoubted, Owner, Stopped
from apps.journals.recorded import Damage, Diverged
from apps.journals.recovery import Blueprint, bring_up
from apps.journals.replica import Replica
from apps.journals.standby import SnapshotPace, Standby
from apps.journals.tables import LinkBroken

EXIT_FAILED = 1
"""Something broke: start again. Three times without a new header, and it stays stopped."""
EXIT_FENCED = 3
"""Another owner writes: start again, as a standby."""
BLOCK_TIMEOUT_S = 5
"""The longest a socket may be silent: longer than any blocking read, short enough to notice."""

_log = structlog.get_logger("fairbook.journals")


class WorkerSettings(msgspec.Struct, frozen=True):
    """What the environment says about workers."""

    terms: LeaseTerms
    pace: SnapshotPace
    reply_ttl_ms: int


def settings() -> WorkerSettings:
    """Read the environment."""
    return WorkerSettings(
        terms=LeaseTerms(
            beat_s=config.integer("FAIRBOOK_HEARTBEAT_MS") / 1000,
            lease_ms=config.integer("FAIRBOOK_LEASE_MS"),
        ),
        pace=SnapshotPace(
            every_s=config.integer("FAIRBOOK_SNAPSHOT_S"),
            every_commands=config.integer("FAIRBOOK_SNAPSHOT_COMMANDS"),
        ),
        reply_ttl_ms=config.integer("FAIRBOOK_REPLY_TTL_S") * 1000,
    )


def blueprint_of(worker: str, make_machine: Callable[[], Machine], codec: Codec) -> Blueprint:
    """Return what makes a worker's replica, with the directories that the environment names."""
    return Blueprint(
        worker=worker,
        make_machine=make_machine,
        codec=codec,
        archive_dir=config.path("FAIRBOOK_ARCHIVE_DIR"),
        snapshot_dir=config.path("FAIRBOOK_SNAPSHOT_DIR"),
    )


def run(
    *,
    worker: str,
    member: str = "a",
    make_machine: Callable[[], Machine],
    codec: Codec,
    service: Service | None = None,
) -> int:
    """Live as one of a worker's two members. Returns the process's exit code."""
    kind, _, shard = worker.partition(":")
    service = service or Service(kind=kind)
    service.info(role="starting", worker=worker, shard=shard, member=member, epoch=0)
    life = WorkerLife(blueprint_of(worker, make_machine, codec), member=member, service=service)
    try:
        return life.run()
    finally:
        service.close()


class WorkerLife:
    """One member of a worker, from its start to its end."""

    def __init__(self, blueprint: Blueprint, *, member: str, service: Service) -> None:
        self._blueprint = blueprint
        self._worker = blueprint.worker
        self._member = member
        self._service = service
        self._settings = settings()
        self._journal = journal_client(socket_timeout=BLOCK_TIMEOUT_S)
        self._cache = cache_client(socket_timeout=0.5, socket_connect_timeout=0.5)
        self._deaths = Deaths(blueprint.snapshot_dir, blueprint.worker, member)

    def run(self) -> int:
        """Come up, stand by and own, again and again, until something ends it."""
        service = self._service
        service.check("journal", False, "connecting")
        service.check("replica", False, "not up yet")
        try:
            while not service.stopping.is_set():
                if (code := self._live_once()) is not None:
                    return code
        except Fenced as error:
            self._deaths.not_this_time()
            _log.warning("journals.worker.fenced", worker=self._worker, why=str(error))
            return EXIT_FENCED
        except (Damage, Diverged) as error:
            return self._stop_for_damage(error)
        except LinkBroken as error:
            _log.critical("journals.worker.link_broken", worker=self._worker, why=str(error))
            return EXIT_FAILED
        except Stopped:
            self._deaths.not_this_time()
            _log.info("journals.worker.stopped_while_journal_was_down", worker=self._worker)
        return 0

    def _live_once(self) -> int | None:
        """Live until the memory is lost (None: come up again) or the process ends (its code)."""
        try:
            if self._deaths.are_too_many(
                batch=atomic.read_cursor(self._journal, self._worker).batch
            ):
                _log.critical("journals.worker.left_stopped", worker=self._worker, deaths=3)
                return EXIT_LEAVE_STOPPED
            replica = self._come_up()
            standby = self._standby(replica)
            epoch = behind(standby.run)
            if epoch is None:
                return 0
            self._own(standby, epoch)
            self._deaths.not_this_time()
        except redis.RedisError as error:
            self._journal_is_down(error)
        except NotFounded as error:
            self._service.check("replica", False, str(error))
            self._service.stopping.wait(1)
        except MemoryDoubted as error:
            _log.error("journals.worker.memory_dropped", worker=self._worker, why=str(error))
        else:
            return 0
        return None

    def _come_up(self) -> Replica:
        service = self._service
        self._deaths.trying(batch=atomic.read_cursor(self._journal, self._worker).batch)
        service.check("journal", True)
        replica = bring_up(
            self._blueprint, self._journal, go_on=lambda: not service.stopping.is_set()
        )
        self._deaths.not_this_time()
        gc.collect()
        gc.freeze()
        gc.disable()
        service.check("replica", True)
        return replica

    def _standby(self, replica: Replica) -> Standby:
        self._service.info(role="standby", epoch=0)
        metrics.of_worker(self._worker).epoch.set(0)
        return Standby(
            replica,
            blueprint=self._blueprint,
            journal=self._journal,
            cache=self._cache,
            service=self._service,
            member=self._member,
            terms=self._settings.terms,
            pace=self._settings.pace,
        )

    def _own(self, standby: Standby, epoch: int) -> None:
        """Serve under an epoch that was just claimed, with a heartbeat."""
        heartbeat = Heartbeat(
            self._cache,
            self._worker,
            epoch=epoch,
            member=self._member,
            terms=self._settings.terms,
        )
        heartbeat.start()
        try:
            replica = standby.take_over()
            self._service.info(role="owner", epoch=epoch)
            metrics.of_worker(self._worker).epoch.set(epoch)
            _log.info("journals.worker.owns", worker=self._worker, epoch=epoch, batch=replica.batch)
            with lean_journal_client(socket_timeout=BLOCK_TIMEOUT_S) as journal:
                Owner(
                    replica,
                    blueprint=self._blueprint,
                    journal=journal,
                    epoch=epoch,
                    service=self._service,
                    deaths=self._deaths,
                    is_overtaken=heartbeat.is_overtaken.is_set,
                    reply_ttl_ms=self._settings.reply_ttl_ms,
                ).run()
        finally:
            heartbeat.stop(release=True)

    def _journal_is_down(self, error: redis.RedisError) -> None:
        self._service.check("journal", False, f"{type(error).__name__}: {error}")
        self._service.stopping.wait(BACKOFF_S)

    def _stop_for_damage(self, error: Damage | Diverged) -> int:
        """A record that is damaged, or that we do not get: `verify` says who is right, not we.

        The process stays, unready, so that its health tells why, until an operator stops it.
        """
        self._deaths.not_this_time()
        metrics.DIVERGED.labels(self._worker).set(1)
        self._service.check("replica", False, str(error))
        self._service.info(role="standby", epoch=0, halted=True)
        _log.critical("journals.worker.record_differs", worker=self._worker, why=str(error))
        self._service.stopping.wait()
        return EXIT_LEAVE_STOPPED
