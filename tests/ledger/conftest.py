"""A journal-backed world and settlement over it."""

from __future__ import annotations

import pytest

from apps.ledger import services
from apps.ledger.contracts import Settled
from tests.helpers.journal_world import JournalWorld


@pytest.fixture
def world(journal, cache) -> JournalWorld:
    """Return one partition and one market, on real journals."""
    return JournalWorld(journal)


@pytest.fixture
def settle(transactional_db, cache):
    """Return settlement of a partition, as its task calls it."""

    def run(partition: int = 0) -> Settled:
        return services.settle(partition=partition)

    return run
