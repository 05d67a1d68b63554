"""Faults are shown on an exchange of their own: other tests must not miss what is killed here."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator

import pytest

from tests.helpers.dialect_client import Keys
from tests.helpers.stack import Stack

STALE_S = 10  # So soon, here, does the silence of the standings' publisher count.


@pytest.fixture(scope="package")
def victim() -> Iterator[Stack]:
    """Run an exchange that this package's tests may kill piece by piece."""
    running = Stack(
        # Reading every order's fate many times over would meet a client's limits: not shown here.
        FAIRBOOK_RATE_WEIGHT_1M="1000000",
        FAIRBOOK_STANDING_STALE_S=str(STALE_S),
        FAIRBOOK_STANDING_BEAT_S="1",
    )
    try:
        running.up()
        yield running
        assert running.refused() == []  # However it is killed: nobody lacks a right.
    finally:
        running.down()


@pytest.fixture
def seed() -> int:
    """Choose the moments of the faults; printed, so that FAIRBOOK_SEED repeats them."""
    chosen = int(os.environ.get("FAIRBOOK_SEED") or random.SystemRandom().randrange(10**6))
    print(f"seed {chosen}")
    return chosen


@pytest.fixture
def traders(victim: Stack, seed: int) -> list[Keys]:
    """Make eight new traders: their whole history belongs to the test that asked for them."""
    prefix = f"victim{seed}x{random.SystemRandom().randrange(10**6)}n"
    done = victim.manage("make_traders", "--count", "8", "--prefix", prefix)
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout.splitlines()[-1])
    return [Keys(entry["api_key"], entry["api_secret"]) for entry in made]
