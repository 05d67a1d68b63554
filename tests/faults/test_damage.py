"""What a bad disk does to a market: it halts and says where, or goes on with all that was promised.

Two markets as real processes on a journal server of their own. Whatever happens to the record of
one, the other trades; and nothing that was acknowledged is lost by what never was.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from apps.journals import keys, wire
from apps.journals.archiver import ArchivePace, WorkerArchiver
from tests.helpers.book_processes import RISK, BookProcesses, Books
from tests.helpers.toy_world import wait_until

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def books(cache, servers, tmp_path):
    with Books(tmp_path, cache_url=servers.cache_url) as books:
        yield books


@pytest.fixture
def both(books) -> tuple[BookProcesses, BookProcesses]:
    """Return two markets after some trades each, with one member each."""
    markets = books.open("BTC-USDT"), books.open("ETH-USDT")
    for market in markets:
        market.start("a")
    for market in markets:
        for _ in range(5):
            market.send(resting=4, crossing=2)
    return markets


def flip_a_bit(path: Path, *, inside: bytes) -> None:
    """Flip one bit in the middle of these bytes of a file, where they stand last."""
    content = bytearray(path.read_bytes())
    start = content.rindex(inside)
    content[start + len(inside) // 2] ^= 4
    path.write_bytes(content)


def crash(books: Books) -> None:
    """Kill everything, the journal server included."""
    for market in books.markets:
        market.kill()
    books.journal_server.kill()


def everything_back(books: Books) -> None:
    books.journal_server.start()
    for market in books.markets:
        market.start("a")


def assert_halted(market: BookProcesses, *, at: str, whole_to: int) -> None:
    """Claim that a market does not come up, and that its health and log name the place."""
    wait_until(lambda: market.health("a").get("halted"), for_s=30, because="it says that it halts")
    health = market.health("a")
    assert health["status"] != "ready"
    assert at in health["checks"]["replica"]
    assert f"whole up to sequence {whole_to}" in health["checks"]["replica"]
    said = [line for line in market.log("a") if line["event"] == "journals.worker.record_differs"]
    assert at in said[-1]["why"]
    assert f"sequence {whole_to}" in said[-1]["why"]
    assert market.processes["a"].poll() is None, "it stays, to be asked why"


def assert_trades(market: BookProcesses) -> None:
    before = len(market.trades())
    market.send(resting=1, crossing=1)
    assert len(market.trades()) == before + 1


def test_a_flipped_bit_in_a_journal_halts_its_market_and_no_other(books, both):
    btc, eth = both
    _, fields = books.journal.xrange(keys.link(RISK, eth.worker))[2]
    crash(books)
    flip_a_bit(books.journal_server.aof(), inside=fields[keys.FRAME_FIELD])

    everything_back(books)

    # The command that opened the market, then two whole frames of six orders.
    assert_halted(eth, at="entry 3-0: not the bytes that were hashed", whole_to=13)
    assert_trades(btc)


def test_a_flipped_bit_in_a_journals_log_halts_its_market_and_no_other(books, both):
    btc, eth = both
    number, fields = books.journal.xrange(keys.log(eth.worker))[-3]
    batch = int(number.partition(b"-")[0])
    first_seq = wire.decode_header(wire.decode_sealed(fields[keys.LOG_FIELD_HEADER]).core).first_seq
    crash(books)
    flip_a_bit(books.journal_server.aof(), inside=fields[keys.LOG_FIELD_OUTPUTS])

    everything_back(books)

    assert_halted(eth, at=f"batch {batch}: its outputs are not", whole_to=first_seq - 1)
    assert_trades(btc)


def test_a_flipped_bit_in_a_segment_halts_its_market_and_no_other(books, both):
    btc, eth = both
    for market in both:
        archive(books, market)
    (segment,) = (books.folder / "archive/book-ETH-USDT").glob("*.seg")
    crash(books)
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 4
    segment.write_bytes(content)

    everything_back(books)

    assert_halted(eth, at="not the bytes that were written", whole_to=0)
    assert segment.name in eth.health("a")["checks"]["replica"]
    assert_trades(btc)


def archive(books: Books, market: BookProcesses) -> None:
    """Write a market's batches into a segment, and trim them from the journal server."""
    pace = ArchivePace(read_s=0, cut_s=0, trim_s=10**6, trim_bytes=2**62)
    archiver = WorkerArchiver(books.journal, books.folder / "archive", market.worker, pace)
    while archiver.archive.last_batch < market.batch():
        archiver.turn(newest_batch=market.batch(), now=time.monotonic())
        archiver.cut()
    archiver.trim(now_ns=time.time_ns() + 3600 * 10**9)
    assert books.journal.xlen(keys.log(market.worker)) == 1


def command_on_disk(*words: str) -> bytes:
    """Return a command as an append-only file holds it (the server's protocol, RESP 2)."""
    bulks = [b"$%d\r\n%s\r\n" % (len(word), word.encode()) for word in words]
    return b"*%d\r\n" % len(words) + b"".join(bulks)


def test_a_record_that_was_torn_before_it_was_acknowledged_is_dropped(books, both):
    _, eth = both
    before = {market.worker: market.state_hash() for market in both}
    crash(books)
    record = command_on_disk("HSET", keys.cursor(eth.worker), "batch", "999")
    with books.journal_server.aof().open("ab") as file:
        file.write(record[:-7])

    everything_back(books)

    for market in both:
        market.wait_for_role("a", "owner")
        assert market.state_hash() == before[market.worker]
        assert_trades(market)
        assert market.genesis_hash() == market.state_hash()


def snapshots_of(market: BookProcesses) -> list[Path]:
    return sorted((market.blueprint.snapshot_dir / "book-ETH-USDT").glob("*.snapshot"))


def live_with_snapshots(books: Books, *, frames: int = 8) -> BookProcesses:
    """Return a market whose standby saved its state after every command or so."""
    eth = books.open("ETH-USDT")
    eth.start("a")
    eth.wait_for_role("a", "owner")
    eth.start("b", FAIRBOOK_SNAPSHOT_COMMANDS="1")
    eth.wait_for_role("b", "standby")
    for _ in range(frames):
        eth.send(resting=2, crossing=1)
        batch = eth.batch()
        wait_until(
            lambda batch=batch: eth.health("b").get("batch") == batch,
            for_s=20,
            because="the standby follows",
        )
    return eth


def test_the_last_three_snapshots_are_kept_and_a_bad_one_is_set_aside_and_said(books):
    eth = live_with_snapshots(books)
    wait_until(lambda: len(snapshots_of(eth)) == 3, because="three are kept")
    live = eth.state_hash()
    crash(books)
    kept = snapshots_of(eth)
    assert len(kept) == 3
    flip_a_bit(kept[-1], inside=kept[-1].read_bytes())

    books.journal_server.start()
    eth.start("c")
    eth.wait_for_role("c", "owner")

    log = {line["event"]: line for line in eth.log("c")}
    assert log["journals.snapshot.bad"]["file"] == kept[-1].name
    assert kept[-1].with_suffix(".bad").exists()
    assert log["journals.recovery.done"]["snapshot_batch"] == int(kept[-2].stem)
    assert eth.state_hash() == live
