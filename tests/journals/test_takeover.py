"""Wire rule 18: heartbeats say when to try, the epoch says who writes, and a doubter never owns."""

import pytest

from apps.common.redis_clients import cache_client
from apps.journals import atomic, keys
from apps.journals.lease import CACHE_SETTLED_S, Heartbeat, LeaseTerms, owner_is_silent
from apps.journals.machine import Outputs
from apps.journals.owner import Fenced
from apps.journals.recorded import Damage, Diverged
from tests.helpers.toy_machine import Add, Forget, ToyMachine
from tests.helpers.toy_world import ToyWorker, wait_until
from tests.helpers.valkey import LocalValkey


def heartbeat(cache, toy, *, epoch, member="a", lease_ms=300):
    terms = LeaseTerms(beat_s=0.05, lease_ms=lease_ms)
    return Heartbeat(cache, toy.worker, epoch=epoch, member=member, terms=terms)


@pytest.fixture
def settled(cache):
    """Return a cache that has been up long enough for its silence to mean something."""
    wait_until(lambda: cache.info("server")["uptime_in_seconds"] >= CACHE_SETTLED_S)
    return cache


def test_a_standby_says_what_the_owner_says_frame_by_frame(toy, cache):
    standby = toy.standby(cache)
    alice, bob = toy.source(), toy.source("cancels")
    for request in range(30):
        alice.send(*(Add(request, "abc"[n % 3], n) for n in range(request % 7)))
        bob.send(Forget("b"))
        toy.clock.pass_s(3)
        toy.run()
        standby.follow()

        assert standby.replica.hash == toy.owner.replica.hash
        assert standby.replica.state_hash() == toy.owner.replica.state_hash()


def test_a_standby_never_runs_ahead_of_the_headers(toy, cache):
    standby = toy.standby(cache)
    toy.source().send(Add(1, "a", 1))

    assert standby.follow() == 0
    assert standby.replica.machine.seq == 0


def test_no_takeover_while_the_owner_beats(toy, settled):
    beat = heartbeat(settled, toy, epoch=1)
    beat.start()
    try:
        assert toy.standby(settled).try_to_own() is None
    finally:
        beat.stop(release=False)


def test_a_silent_owner_is_followed_by_its_standby_under_the_next_epoch(toy, settled, journal):
    standby = toy.standby(settled)
    toy.source().send(Add(1, "a", 1))
    toy.run()
    toy.source().send(Add(2, "a", 1))
    heartbeat(settled, toy, epoch=1, lease_ms=150).beat()
    wait_until(lambda: owner_is_silent(settled, toy.worker))

    epoch = standby.try_to_own()
    replica = standby.take_over()

    assert epoch == 2
    assert replica.state() == toy.owner.replica.state()
    toy.owner = toy.owner_at(replica, epoch)
    toy.run()
    assert [batch.core.epoch for batch in toy.batches()] == [1, 2]


def test_of_two_that_try_at_once_one_gets_the_epoch(toy, journal):
    seen = atomic.read_epoch(journal, toy.worker)

    got = [atomic.claim_epoch(journal, toy.worker, seen=seen) for _ in range(2)]

    assert got == [1, None]


def test_a_cache_that_is_down_allows_no_takeover_and_changes_no_epoch(toy, journal):
    nobody = cache_client("redis://127.0.0.1:1/0", socket_connect_timeout=0.2)

    assert toy.standby(nobody).try_to_own() is None
    assert atomic.read_epoch(journal, toy.worker) == 0


def test_a_cache_that_has_just_started_allows_no_takeover(toy, journal, tmp_path):
    """Its heartbeats are gone because it was: owners get time to beat again."""
    fresh = LocalValkey(tmp_path / "cache", durable=False).start()
    cache = cache_client(fresh.url)
    try:
        assert toy.standby(cache).try_to_own() is None
        assert atomic.read_epoch(journal, toy.worker) == 0
    finally:
        fresh.kill()


def test_an_owner_that_leaves_gives_its_heartbeat_back(toy, settled):
    beat = heartbeat(settled, toy, epoch=1, lease_ms=60_000)
    beat.start()
    beat.stop(release=True)

    assert toy.standby(settled).try_to_own() == 1


def test_a_late_heartbeat_of_a_former_owner_does_not_hide_the_new_one(toy, settled):
    heartbeat(settled, toy, epoch=2, member="b").beat()
    heartbeat(settled, toy, epoch=1, member="a").beat()

    assert settled.get(keys.heartbeat(toy.worker)) == b"2:b"


def test_an_idle_owner_that_was_overtaken_ends_without_waiting_for_work(toy, settled, journal):
    owner = toy.start_owner()
    mine = heartbeat(settled, toy, epoch=1, member="a")
    owner._is_overtaken = mine.is_overtaken.is_set
    atomic.claim_epoch(journal, toy.worker, seen=1)
    heartbeat(settled, toy, epoch=2, member="b").beat()
    mine.beat()

    with pytest.raises(Fenced):
        owner.run()


def test_a_member_need_not_wait_for_the_lease_of_its_former_life(toy, settled):
    heartbeat(settled, toy, epoch=1, member="a", lease_ms=60_000).beat()

    assert toy.standby(settled, member="a").try_to_own() == 1
    assert toy.standby(settled, member="b").try_to_own() is None


class OtherToy(ToyMachine):
    """A toy that counts otherwise: another build, or a machine that has gone wrong."""

    def _apply_one(self, origin, command, at_ns, out: Outputs):
        super()._apply_one(origin, command, at_ns, out)
        self.counters["a"] = 0


def test_a_standby_that_gets_something_else_stops_and_never_takes_over(toy, settled, journal):
    toy.source().send(Add(1, "a", 1))
    toy.run()
    toy.source().send(Add(2, "a", 1))
    toy.run()
    other = ToyWorker(journal, toy.blueprint.archive_dir.parent, make_machine=OtherToy)
    standby = other.standby(settled)

    with pytest.raises(Diverged, match="batch 2"):
        standby.run()
    assert atomic.read_epoch(journal, toy.worker) == 1


def test_a_standby_whose_log_ends_before_the_cursor_does_not_open(toy, settled, journal):
    standby = toy.standby(settled)
    toy.source().send(Add(1, "a", 1))
    toy.run()
    journal.hset(keys.cursor(toy.worker), "batch", "7")
    epoch = standby.try_to_own()
    assert epoch is not None

    with pytest.raises(Damage, match="stands at batch 7"):
        standby.take_over()
