"""The prover: from a book's real record to lines, segments and heads, through stops and crashes."""

from __future__ import annotations

import gzip
import json
import shutil

import pytest

from apps.common.service import Service
from apps.proofs import shelf
from apps.proofs.chain import START, hash_of
from apps.proofs.follower import SecretChanged
from apps.proofs.prover import HeadsUnavailable, Places, Prover
from apps.proofs.spool import SpoolBroken
from tests.helpers.journal_world import SECOND_NS, JournalWorld
from tests.proofs.stage import MARKET, SECRET, Day, verify
from tests.replay.keep import a_day

pytestmark = pytest.mark.usefixtures("journal")


class Kept:
    """Keeps heads, unless it is away."""

    def __init__(self):
        self.heads = []
        self.is_away = False

    def __call__(self, heads):
        if self.is_away:
            raise HeadsUnavailable("gone")
        self.heads += [head for head in heads if head not in self.heads]


@pytest.fixture
def kept():
    """Return who keeps heads."""
    return Kept()


@pytest.fixture
def prover_of(journal, tmp_path, kept):
    """Return what starts a prover at a time of its own, its files under a name."""

    def start(name="proofs", *, now_ns=0, cut_s=60, secret=SECRET):
        places = Places(
            archive=tmp_path / "archive",
            snapshots=tmp_path / f"{name}-snapshots",
            proofs=tmp_path / name,
        )
        service = Service("prover", handle_signals=False, configure_logs=False)
        return Prover(
            journal, places, service, secret=secret, cut_s=cut_s, keep=kept, clock=lambda: now_ns
        )

    return start


def follow(prover):
    """Let a prover follow all there is."""
    while prover.turn():
        pass


def lines_in(folder):
    """Return all lines of a market, segments first."""
    lines = []
    for segment in shelf.segments(folder, MARKET):
        raw = shelf.path_of(folder, MARKET, segment.name).read_bytes()
        lines += gzip.decompress(raw).splitlines()
    return [*lines, *(shelf.folder_of(folder, MARKET) / shelf.OPEN).read_bytes().splitlines()]


def test_a_day_of_real_journals_is_published_with_a_head_of_each_minute_and_holds(
    journal, prover_of, kept, tmp_path
):
    world = a_day(journal, seed=1)
    prover = prover_of()
    follow(prover)
    prover.close()
    lines = lines_in(tmp_path / "proofs")
    heads = [
        {"market": h.market, "batch": h.batch, "outside": h.outside, "inside": h.inside}
        for h in kept.heads
    ]

    done = verify(tmp_path, Day(lines), heads=heads)

    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(lines[-1])["journalHash"] == world.replicas[f"book:{MARKET}"].hash.hex()
    assert any('"trade.v1"' in line.decode() for line in lines)
    batches = [fields for fields in map(json.loads, lines) if fields["kind"] == "batch"]
    minutes = {fields["at_ns"] // (60 * SECOND_NS): fields["batch"] for fields in batches}
    assert [head["batch"] for head in heads] == list(minutes.values())[:-1]
    assert len(heads) > 5


def test_a_prover_that_is_stopped_and_started_writes_the_same_chain(journal, prover_of, tmp_path):
    world = JournalWorld(journal)
    one = prover_of("one")
    people = [world.account(n, BTC=5, USDT=50_000) for n in (1, 2)]
    for turn in range(30):
        world.place(people[turn % 2], "BS"[turn % 2], lots=1, at=100)
        world.run(seconds=7.0)
        follow(one)
        if turn % 4 == 1:
            one.close()
            one = prover_of("one")
    whole = prover_of("whole")
    follow(whole)
    follow(one)

    assert lines_in(tmp_path / "one") == lines_in(tmp_path / "whole")
    names = [[s.name for s in shelf.segments(tmp_path / n, MARKET)] for n in ("one", "whole")]
    assert names[0] == names[1] != []


def test_what_a_crash_left_half_written_is_written_again(journal, prover_of, tmp_path):
    world = JournalWorld(journal)
    account = world.account(1, BTC=5, USDT=50_000)
    world.place(account, "B", lots=1, at=100)
    world.run()
    first = prover_of()
    follow(first)
    first.close()
    before = lines_in(tmp_path / "proofs")
    part = shelf.folder_of(tmp_path / "proofs", MARKET) / shelf.OPEN
    part.write_bytes(part.read_bytes()[:-20])
    shutil.rmtree(tmp_path / "proofs-snapshots")

    follow(prover_of())

    assert lines_in(tmp_path / "proofs") == before


def test_lines_that_somebody_changed_are_not_written_on(journal, prover_of, tmp_path):
    world = JournalWorld(journal)
    world.account(1, BTC=5)
    world.run()
    prover = prover_of()
    follow(prover)
    prover.close()
    part = shelf.folder_of(tmp_path / "proofs", MARKET) / shelf.OPEN
    part.write_bytes(part.read_bytes().replace(b'"pre_open"', b'"halted"', 1))

    with pytest.raises(SpoolBroken):
        follow(prover_of())


def test_a_day_is_not_written_on_under_another_secret(journal, prover_of, tmp_path):
    JournalWorld(journal)
    prover = prover_of()
    follow(prover)
    prover.close()
    before = lines_in(tmp_path / "proofs")

    with pytest.raises(SecretChanged):
        follow(prover_of(secret=bytes(32)))

    assert lines_in(tmp_path / "proofs") == before


def test_without_a_keeper_of_heads_nothing_goes_on_and_no_head_is_lost(
    journal, prover_of, kept, tmp_path
):
    world = JournalWorld(journal)
    account = world.account(1, BTC=5, USDT=50_000)
    prover = prover_of()
    follow(prover)
    kept.is_away = True
    for _ in range(3):
        world.run(seconds=61.0)
        world.place(account, "B", lots=1, at=10_000)
        world.run()
    with pytest.raises(HeadsUnavailable):
        follow(prover)
    prover.close()
    assert kept.heads == []

    kept.is_away = False
    follow(prover_of())

    assert [head.at_ns // (60 * SECOND_NS) for head in kept.heads] == sorted(
        {json.loads(line)["at_ns"] // (60 * SECOND_NS) for line in batch_lines(tmp_path)}
    )[:-1]


def batch_lines(tmp_path):
    return [line for line in lines_in(tmp_path / "proofs") if b'"kind":"batch"' in line]


def test_a_quiet_market_gets_its_head_and_its_segment_when_their_time_is_over(
    journal, prover_of, kept, tmp_path
):
    world = JournalWorld(journal)
    follow(prover_of(now_ns=world.now_ns))
    assert (kept.heads, shelf.segments(tmp_path / "proofs", MARKET)) == ([], [])

    follow(prover_of(now_ns=world.now_ns + 70 * SECOND_NS))

    (head,) = kept.heads
    (segment,) = shelf.segments(tmp_path / "proofs", MARKET)
    assert head.batch == segment.last
    assert (shelf.folder_of(tmp_path / "proofs", MARKET) / shelf.OPEN).read_bytes() == b""
    raw = gzip.decompress(shelf.path_of(tmp_path / "proofs", MARKET, segment.name).read_bytes())
    lines = raw.splitlines()
    assert json.loads(lines[0])["prev"] == START
    assert hash_of(lines[-1]) == head.outside
