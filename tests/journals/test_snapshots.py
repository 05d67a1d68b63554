"""Wire rule 21, first half: snapshots are whole or not there, and a bad one is set aside."""

import pytest

from apps.journals.recovery import bring_up
from apps.journals.snapshots import KEPT, Snapshots
from apps.journals.standby import SnapshotPace
from tests.helpers.toy_machine import Add, ToyMachine
from tests.helpers.toy_world import ToyWorker


@pytest.fixture
def snapshots(toy) -> Snapshots:
    return Snapshots(toy.blueprint.snapshot_dir, toy.worker)


def add_and_save(toy, snapshots, *, times=1):
    alice = toy.source()
    for request in range(times):
        alice.send(Add(request, "a", 1))
        toy.run()
        snapshots.save(toy.owner.replica)


def test_a_worker_comes_up_from_its_snapshot_and_the_batches_after_it(toy, journal, snapshots):
    add_and_save(toy, snapshots)
    toy.source().send(Add(2, "a", 1))
    toy.run()

    assert toy.blueprint.from_snapshot(journal).batch == 1
    assert bring_up(toy.blueprint, journal).state() == toy.owner.replica.state()


def test_a_snapshot_that_was_not_finished_is_not_there(toy, journal, snapshots, monkeypatch):
    """The crash comes before the rename: the draft is never read."""
    add_and_save(toy, snapshots)
    monkeypatch.setattr("pathlib.Path.replace", lambda *_: (_ for _ in ()).throw(OSError("crash")))
    toy.source().send(Add(2, "a", 1))
    toy.run()
    with pytest.raises(OSError, match="crash"):
        snapshots.save(toy.owner.replica)

    assert [snapshot.batch for snapshot in snapshots.whole()] == [1]


@pytest.mark.parametrize("place", [3, 40, -1, -60])
def test_a_damaged_snapshot_is_set_aside_and_the_one_before_it_is_used(
    toy, journal, snapshots, place
):
    add_and_save(toy, snapshots, times=2)
    newest = max(snapshots.directory.glob("*.snapshot"))
    content = bytearray(newest.read_bytes())
    content[place] ^= 0xFF
    newest.write_bytes(content)

    replica = bring_up(toy.blueprint, journal)

    assert replica.state() == toy.owner.replica.state()
    assert [path.name for path in snapshots.directory.glob("*.bad")] == ["000000000002.bad"]


def test_a_torn_snapshot_is_set_aside(toy, journal, snapshots):
    add_and_save(toy, snapshots)
    (newest,) = snapshots.directory.glob("*.snapshot")
    newest.write_bytes(newest.read_bytes()[:-10])

    assert bring_up(toy.blueprint, journal).state() == toy.owner.replica.state()


def test_a_snapshot_that_loads_as_another_state_is_set_aside(toy, journal, snapshots, tmp_path):
    add_and_save(toy, snapshots, times=2)

    class Forgetful(ToyMachine):
        def load(self, state):
            super().load(state)
            self.counters.clear()

    forgetful = ToyWorker(journal, tmp_path, make_machine=Forgetful)
    replica = forgetful.blueprint.from_snapshot(journal)

    assert replica.batch == 0  # Both were set aside: it replays everything.
    assert len(list(snapshots.directory.glob("*.bad"))) == 2


def test_only_the_newest_snapshots_are_kept(toy, snapshots):
    add_and_save(toy, snapshots, times=KEPT + 3)

    assert [snapshot.batch for snapshot in snapshots.whole()] == [6, 5, 4]


def test_a_snapshot_says_where_it_stands(toy, snapshots):
    add_and_save(toy, snapshots)
    replica = toy.owner.replica

    (snapshot,) = snapshots.whole()

    assert (snapshot.batch, snapshot.hash, snapshot.seq) == (1, replica.hash, 1)
    assert snapshot.inputs == replica.cursor
    assert snapshot.state_hash == replica.state_hash()


def test_the_standby_saves_by_commands_and_at_batches_that_hold_one(toy, cache, snapshots):
    standby = toy.standby(cache)
    standby._pace = SnapshotPace(every_s=10**6, every_commands=3)
    alice = toy.source()
    for request in range(7):
        alice.send(Add(request, "a", 1))
        toy.run()
        standby.follow()

    assert [snapshot.seq for snapshot in snapshots.whole()] == [6, 3]
    standby._pace = SnapshotPace(every_s=0, every_commands=10**9)
    toy.clock.pass_s(60)
    toy.run()  # A timer's batch: no command in it.
    standby.follow()
    assert [snapshot.seq for snapshot in snapshots.whole()] == [6, 3]


def test_the_owner_makes_no_snapshots(toy, snapshots):
    alice = toy.source()
    for request in range(50):
        alice.send(Add(request, "a", 1))
        toy.run()

    assert list(snapshots.whole()) == []
