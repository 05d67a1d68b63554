"""Toy workers on the real servers."""

from pathlib import Path

import pytest
import redis

from tests.helpers.toy_world import ToyWorker


@pytest.fixture
def toy(journal: redis.Redis, tmp_path: Path) -> ToyWorker:
    """Return a toy worker without links, founded and not yet owned."""
    return ToyWorker(journal, tmp_path)
