"""The prover: follows every book, writes lines and segments, keeps a head of each minute."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import redis
import structlog

from apps.common.service import Service
from apps.journals import directory
from apps.journals.history import GROUP
from apps.journals.keys import worker_of_market
from apps.proofs.follower import BookFollower, KeepHeads
from apps.proofs.spool import Spool

PACE_S = 1.0  # Nobody waits for us: what came within it is followed in one go.
LOOK_S = 5.0
SAVE_S = 300.0
GRACE_NS = 5 * 10**9  # So long after a minute or a cut is over, a batch of it may still come.
BOOK = "book:"

_log = structlog.get_logger("fairbook.proofs")


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where records are read, and proofs are written."""

    archive: Path
    snapshots: Path
    proofs: Path


class HeadsUnavailable(Exception):
    """The keeper of heads does not answer. Nothing is lost: the same head is tried again."""


class Prover:
    """Follows all books."""

    def __init__(
        self,
        journal: redis.Redis,
        places: Places,
        service: Service,
        *,
        secret: bytes,
        cut_s: int,
        keep: KeepHeads,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._journal, self._places, self._service = journal, places, service
        self._secret, self._cut_s, self._keep, self._clock = secret, cut_s, keep, clock
        self.followers: dict[str, BookFollower] = {}
        self._looked = self._saved = float("-inf")

    def run(self) -> None:
        """Live until asked to stop."""
        self._saved = time.monotonic()
        while not self._service.stopping.is_set():
            try:
                came = self.turn()
            except (redis.RedisError, HeadsUnavailable) as error:
                self._service.check("prover", False, type(error).__name__)
                self._service.stopping.wait(PACE_S)
                continue
            self._service.check("prover", True)
            if came < GROUP:
                self._service.stopping.wait(PACE_S)
        self.close()

    def turn(self) -> int:
        """Let every book's follower move on; returns how many batches the busiest one followed."""
        self._look()
        came = 0
        for follower in self.followers.values():
            followed = follower.step()
            came = max(came, followed)
            if not followed:
                follower.rest(self._clock() - GRACE_NS)
        if time.monotonic() - self._saved >= SAVE_S:
            self.save()
        self._service.info(batches={f.spool.market: f.batch for f in self.followers.values()})
        return came

    def save(self) -> None:
        """Write snapshots to come back to."""
        self._saved = time.monotonic()
        for follower in self.followers.values():
            follower.save()

    def close(self) -> None:
        """Leave everything durable."""
        self.save()
        for follower in self.followers.values():
            follower.spool.close()

    def _look(self) -> None:
        """Take up books that are new."""
        if time.monotonic() - self._looked < LOOK_S:
            return
        for worker in directory.workers(self._journal):
            market = worker.removeprefix(BOOK)
            if worker == worker_of_market(market) and worker not in self.followers:
                self.followers[worker] = self._follower_of(worker, market)
                _log.info("proofs.prover.following", market=market)
        self._looked = time.monotonic()

    def _follower_of(self, worker: str, market: str) -> BookFollower:
        return BookFollower(
            worker,
            self._journal,
            archive_dir=self._places.archive,
            snapshot_dir=self._places.snapshots,
            spool=Spool(self._places.proofs, market, cut_s=self._cut_s),
            secret=self._secret,
            keep=self._keep,
        )
