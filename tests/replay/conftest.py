"""An exchange on real servers, settled and projected, for those who check it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from django.db import connection

from apps.common.config import config
from apps.common.service import Service
from apps.journals.snapshots import Snapshots
from apps.ledger import services
from apps.monitoring import verify
from apps.monitoring.contracts import Verified
from apps.orders.projector.process import Projector
from tests.helpers.journal_world import JournalWorld


class Checked:
    """A world of journals, and what settlement, projector and verifier make of it."""

    def __init__(self, world: JournalWorld, cache) -> None:
        self.world = world
        self.cache = cache
        self.journal = world.journal

    def settle(self) -> None:
        """Let settlement and projector catch up with every partition."""
        for worker in self.world.replicas:
            if worker.startswith("risk:"):
                settled = services.settle(partition=int(worker[5:]))
                assert not settled.stopped, settled.stopped
        self.project()

    def project(self) -> None:
        """Let the projector catch up."""
        folders = config.path("FAIRBOOK_ARCHIVE_DIR"), config.path("FAIRBOOK_SNAPSHOT_DIR")
        service = Service("projector", "projector", handle_signals=False, configure_logs=False)
        projector = Projector(self.journal, self.cache, folders, service)
        projector.come_up()
        while projector.turn(block_ms=1):
            pass

    def snapshot(self) -> None:
        """Save every worker's state, as its standby does."""
        for worker, replica in self.world.replicas.items():
            Snapshots(config.path("FAIRBOOK_SNAPSHOT_DIR"), worker).save(replica)

    def verify(self) -> Verified:
        """Check everything. (Nobody stands by here, so there is no waiting for live states.)"""
        return verify.verify(self.journal, self.cache, live_wait_s=0.0)


@pytest.fixture
def folders(tmp_path, monkeypatch) -> None:
    """Keep archives and snapshots of each test apart."""
    monkeypatch.setenv("FAIRBOOK_ARCHIVE_DIR", str(tmp_path / "archive"))
    monkeypatch.setenv("FAIRBOOK_SNAPSHOT_DIR", str(tmp_path / "snapshots"))


@pytest.fixture
def checked(journal, cache, transactional_db, folders) -> Checked:
    """Return one partition and one market."""
    return Checked(JournalWorld(journal), cache)


@pytest.fixture
def partitions(journal, cache, transactional_db, folders) -> Checked:
    """Return two partitions and one market."""
    return Checked(JournalWorld(journal, partitions=2), cache)


@contextlib.contextmanager
def triggers_off(table: str) -> Iterator[None]:
    """Do to a table what only its owner can do, with its triggers off."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def sql(statement: str, *parameters: object) -> None:
    """Run one statement as the owner of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
