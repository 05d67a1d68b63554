"""A full disk, of the journal and of the snapshots: nothing that was acknowledged is lost.

The disks are small ones of the tests' own, which takes the right to mount.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from apps.journals import keys
from tests.faults.test_damage import assert_trades
from tests.helpers.book_processes import RISK, BookProcesses, Books
from tests.helpers.toy_world import wait_until

pytestmark = pytest.mark.timeout(180)

MEGABYTE = 2**20


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Mount a disk of this size; skip where nobody lets us."""
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here: a full disk is not shown")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leave: int) -> Path:
    """Write a file that leaves so many bytes of a disk; return it."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        file.write(bytes(max(0, free - leave)))
    return ballast


def test_a_full_disk_of_the_journal_loses_nothing_that_was_acknowledged(cache, servers, tmp_path):
    with (
        small_disk(tmp_path / "disk", megabytes=8) as disk,
        Books(tmp_path, cache_url=servers.cache_url, journal_dir=disk / "valkey") as books,
    ):
        btc = books.open("BTC-USDT")
        btc.start("a")
        btc.wait_for_role("a", "owner")
        acknowledged = btc.send(resting=6, crossing=3)
        ballast = fill(disk, leave=64 * 1024)
        with contextlib.suppress(redis.RedisError):
            while True:
                acknowledged = btc.send(resting=4, crossing=2, wait=False)
        wait_until(lambda: btc.health("a").get("status") != "ready", because="it is said")
        books.journal_server.kill()  # It has ended by itself: what it cannot write it cannot keep.

        ballast.unlink()
        books.journal_server.start()

        btc.wait_for(acknowledged)
        btc.wait_for_role("a", "owner")
        sold = [maker for _, maker in btc.trades()]
        assert len(sold) == len(set(sold)), "no lot of one was sold twice"
        assert btc.genesis_hash() == btc.state_hash()
        assert_no_frame_is_missing(books, btc)


def assert_no_frame_is_missing(books: Books, market: BookProcesses) -> None:
    """Claim that the frames that stand are numbered without a gap, and were all decided."""
    stream = keys.link(RISK, market.worker)
    numbers = [int(entry.partition(b"-")[0]) for entry, _ in books.journal.xrange(stream)]
    assert numbers == list(range(1, numbers[-1] + 1))
    market.wait_for(numbers[-1])


def test_a_snapshot_that_a_full_disk_cuts_short_is_said_and_is_not_used(cache, servers, tmp_path):
    with (
        small_disk(tmp_path / "snapshots", megabytes=1) as disk,
        Books(tmp_path, cache_url=servers.cache_url) as books,
    ):
        btc = books.open("BTC-USDT")
        btc.start("a")
        btc.wait_for_role("a", "owner")
        btc.start("b", FAIRBOOK_SNAPSHOT_COMMANDS="1")
        btc.wait_for_role("b", "standby")
        btc.send(resting=4, crossing=2)
        folder = btc.blueprint.snapshot_dir / "book-BTC-USDT"
        wait_until(lambda: list(folder.glob("*.snapshot")), because="one fits")
        whole = set(folder.glob("*.snapshot"))
        ballast = fill(disk, leave=0)

        btc.send(resting=40, crossing=2)
        wait_until(lambda: "not written" in btc.health("b").get("snapshot", ""), for_s=20)

        said = [line for line in btc.log("b") if line["event"] == "journals.snapshot.not_written"]
        assert "No space left" in said[0]["why"]
        assert set(folder.iterdir()) - {p for p in folder.iterdir() if p.suffix == ""} == whole
        assert btc.health("b")["status"] == "ready", "it stands by all the same"

        ballast.unlink()
        btc.send(resting=1)
        wait_until(lambda: btc.health("b").get("snapshot") == "ok", because="it tries again")
        live = btc.state_hash()
        btc.kill("a", "b")
        btc.start("c")
        btc.wait_for_role("c", "owner")
        assert btc.state_hash() == btc.genesis_hash() == live
        assert_trades(btc)
