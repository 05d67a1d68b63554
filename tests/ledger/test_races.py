"""Two settlements of one partition at once: the lock keeps them apart."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from apps.ledger import locks, selectors, services
from apps.ledger.contracts import Settled
from apps.ledger.models import Cursor, Entry

READERS = 2


@pytest.fixture
def slow_reads(monkeypatch):
    """Hold each settlement between lock and read until the other is there, or 1 s passed."""
    both = threading.Barrier(READERS)
    read_after = services._Drain._read_after

    def waits_for_the_other(drain, batch, count):
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(timeout=1)
        return read_after(drain, batch, count)

    monkeypatch.setattr(services._Drain, "_read_after", waits_for_the_other)


@pytest.fixture
def locks_off(monkeypatch):
    """Read the cursor without locking it."""
    monkeypatch.setattr(
        locks, "try_lock_cursor", lambda worker: Cursor.objects.filter(worker=worker).first()
    )


@pytest.fixture
def attempts(monkeypatch) -> list[int]:
    """Count the entries of every booking that somebody tries to write."""
    tried: list[int] = []
    write = services.rows.write

    def counted(booking):
        tried.append(len(booking.entries))
        return write(booking)

    monkeypatch.setattr(services.rows, "write", counted)
    return tried


def in_parallel(act: Callable[[], Settled]) -> list[Settled]:
    """Do the same thing at once in threads with connections of their own."""

    def run(_number: int) -> Settled:
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(READERS) as pool:
        return list(pool.map(run, range(READERS)))


def test_this_test_can_see_the_race(world, settle, slow_reads, locks_off, attempts):
    """Unlocked, both book the same entry. If this fails, the next test proves nothing."""
    world.account(1, USDT=100)
    world.run()
    services.begin("risk:0", partition=0, journal=world.journal)

    in_parallel(settle)

    assert sum(attempts) == READERS
    assert Entry.objects.count() == 1, "the last word: the database refused the second"


def test_two_settlements_of_one_partition_book_everything_once(world, settle, slow_reads, attempts):
    account = world.account(1, USDT=100)
    world.run()
    services.begin("risk:0", partition=0, journal=world.journal)

    settled = in_parallel(settle)

    assert sum(attempts) == 1
    assert not any(one.stopped for one in settled)
    assert not selectors.withdrawals_stopped()
    assert selectors.balances_of(account) == {"USDT": 100 * 10**8}
