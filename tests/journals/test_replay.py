"""Replay: the same headers and frames give the same state, from anywhere, any day."""

import gc
import random

import pytest

from apps.journals.archiver import ArchivePace, WorkerArchiver
from apps.journals.contracts import LinkAdd, RulesSet
from apps.journals.recorded import Diverged
from apps.journals.replay import replay, replay_archive, replay_with
from apps.journals.snapshots import Snapshots
from tests.helpers.toy_machine import TOY_CODEC, Add, Forget, ToyMachine
from tests.helpers.toy_world import ToyWorker


def random_day(seed, toy, other, standby, snapshots):
    """Let two toys talk for a day of chance; yields after every turn."""
    chance = random.Random(seed)
    sources = [toy.source() for _ in range(3)]
    cancels, others = toy.source("cancels"), other.source()
    for turn in range(60):
        for _ in range(chance.randrange(4)):
            commands = [
                Add(turn, chance.choice("abcd"), chance.randrange(-9, 10), chance.random() < 0.2)
                for _ in range(chance.randrange(12))
            ]
            chance.choice(sources).send(*commands)
        if chance.random() < 0.3:
            cancels.send(Forget(chance.choice("abcd")))
        if chance.random() < 0.3:
            others.send(Add(turn, "x", turn, tell=True))
        if chance.random() < 0.05:
            chance.choice(sources).send(Add(turn, "a", 1), number=chance.randrange(1, 99))
        if chance.random() < 0.05:
            chance.choice(sources).append(chance.randbytes(9))
        if turn == 30:
            sources[0].send(RulesSet(2), LinkAdd("risk:0"))
        toy.clock.pass_s(chance.choice([0, 0, 0, 1, 20, 700]))
        other.clock.now_ns = toy.clock.now_ns
        toy.run()
        other.run()
        if chance.random() < 0.5:
            standby.follow()
        if chance.random() < 0.1:
            snapshots.save(standby.replica)
        yield chance


@pytest.mark.parametrize("seed", range(5))
def test_owner_standby_and_every_replay_agree_on_a_random_day(journal, cache, tmp_path, seed):
    toy = ToyWorker(journal, tmp_path, "book:TOY", peers=("risk:0",))
    other = ToyWorker(journal, tmp_path, "risk:0", peers=("book:TOY",))
    standby = toy.standby(cache)
    snapshots = Snapshots(toy.blueprint.snapshot_dir, toy.worker)
    pace = ArchivePace(read_s=0, read_batches=1, cut_s=0, trim_age_s=0, trim_bytes=0)
    archiver = WorkerArchiver(journal, toy.blueprint.archive_dir, toy.worker, pace)
    for number, chance in enumerate(random_day(seed, toy, other, standby, snapshots)):
        if chance.random() < 0.1:
            archiver.turn(newest_batch=toy.owner.replica.batch, now=float(number))
        if chance.random() < 0.05:
            toy.start_owner()  # A crash: the memory is gone, the record is not.
        toy.owner.replica.machine.check()
    while standby.follow():
        pass

    live = toy.owner.replica
    assert standby.replica.state() == live.state(), f"seed={seed}"
    for start in ("genesis", "snapshot"):
        again = replay_with(toy.blueprint, journal, from_=start)
        assert (again.batch, again.hash) == (live.batch, live.hash), f"seed={seed} {start}"
        assert again.state_hash == live.state_hash(), f"seed={seed} {start}"
    for snapshot in snapshots.whole():
        at = replay_with(toy.blueprint, journal, at_batch=snapshot.batch)
        assert at.state_hash == snapshot.state_hash, f"seed={seed} batch={snapshot.batch}"


def test_replay_at_a_sequence_gives_the_hash_of_the_snapshot_of_that_sequence(toy, journal):
    snapshots = Snapshots(toy.blueprint.snapshot_dir, toy.worker)
    alice = toy.source()
    for request in range(6):
        alice.send(*(Add(request, "a", n) for n in range(4)))
        toy.run()
        if request in (2, 4):
            snapshots.save(toy.owner.replica)
        toy.clock.pass_s(20)
        toy.run()

    for snapshot in snapshots.whole():
        for start in ("genesis", "snapshot"):
            at = replay_with(toy.blueprint, journal, at_seq=snapshot.seq, from_=start)
            assert (at.seq, at.state_hash) == (snapshot.seq, snapshot.state_hash)


def test_replay_at_a_sequence_inside_a_batch_stops_behind_that_command(toy, journal):
    alice, bob = toy.source(), toy.source()
    alice.send(Add(1, "a", 1), Add(2, "a", 1), Add(3, "a", 1))
    bob.send(Add(4, "b", 1), Add(5, "b", 1))
    toy.run()
    assert len(toy.batches()) == 1

    hashes = [replay_with(toy.blueprint, journal, at_seq=seq).state_hash for seq in range(1, 6)]

    assert len(set(hashes)) == 5
    assert hashes[4] == toy.owner.replica.state_hash()
    assert [replay_with(toy.blueprint, journal, at_seq=seq).seq for seq in (2, 4, 9)] == [2, 4, 5]


def test_an_archive_replays_without_any_server(toy, journal):
    """Kept journals of earlier builds, and published ones, are files and nothing else."""
    alice = toy.source()
    for request in range(10):
        alice.send(Add(request, "a", 1))
        toy.run()
    pace = ArchivePace(read_s=0, read_batches=1, cut_s=0)
    archiver = WorkerArchiver(journal, toy.blueprint.archive_dir, toy.worker, pace)
    archiver.turn(newest_batch=10, now=0.0)
    archiver.turn(newest_batch=10, now=1.0)
    journal.flushall()

    assert replay_archive(toy.blueprint).state_hash == toy.owner.replica.state_hash()


def test_replay_finds_its_servers_and_directories_in_the_environment(toy, journal, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_ARCHIVE_DIR", str(toy.blueprint.archive_dir))
    monkeypatch.setenv("FAIRBOOK_SNAPSHOT_DIR", str(toy.blueprint.snapshot_dir))
    toy.source().send(Add(1, "a", 1))
    toy.run()

    assert replay(toy.worker, ToyMachine, TOY_CODEC).commands == 1


def test_a_machine_that_decides_otherwise_is_found_at_its_first_difference(toy, journal):
    class Generous(ToyMachine):
        def _apply_one(self, origin, command, at_ns, out):
            if self.seq == 5:
                self.counters["a"] += 1
            super()._apply_one(origin, command, at_ns, out)

    alice = toy.source()
    for request in range(8):
        alice.send(Add(request, "a", 1))
        toy.run()
    other = ToyWorker(journal, toy.blueprint.archive_dir.parent, make_machine=Generous)

    with pytest.raises(Diverged) as found:
        replay_with(other.blueprint, journal)
    assert found.value.batch == 5


def test_a_day_of_work_leaves_no_cycles_for_the_collector(toy, cache):
    """Workers run with the collector off: what they make must go by counting alone."""
    alice = toy.source()
    toy.run()
    gc.collect()
    gc.disable()
    try:
        for request in range(50):
            alice.send(*(Add(request, "a", 1) for _ in range(20)))
            toy.run()
        found = gc.collect()
    finally:
        gc.enable()

    assert found < 50, "the runtime makes cycles"
