"""Wire rules 1, 4, 15 and 17: what happened, happened once, by one owner."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import redis

from apps.common.redis_clients import journal_client
from apps.journals import atomic, keys, wire
from apps.journals.atomic import Written
from apps.journals.owner import Fenced, MemoryDoubted
from apps.journals.sender import Sender
from tests.helpers.toy_machine import Add, Counted
from tests.helpers.toy_world import ToyWorker
from tests.helpers.valkey import CuttingProxy


def counted(toy: ToyWorker) -> list[int]:
    """Return the requests that were counted, in order."""
    return [event.request for event in toy.events() if isinstance(event, Counted)]


@pytest.fixture
def proxy(journal: redis.Redis) -> Iterator[CuttingProxy]:
    """Return a line to the journal server that can be cut."""
    proxy = CuttingProxy(journal.connection_pool.connection_kwargs["port"])
    yield proxy
    proxy.close()


def through(proxy: CuttingProxy, journal: redis.Redis) -> redis.Redis:
    """Return a client that goes through the proxy."""
    return journal_client(proxy.url_of(journal))


def test_streams_that_a_worker_writes_are_numbered_from_one(journal, tmp_path):
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    alice = toy.source()
    for _ in range(3):
        alice.send(Add(1, "a", 1, tell=True))
        toy.run()

    log = [entry for entry, _ in journal.xrange(keys.log("book:TOY"))]
    link = [entry for entry, _ in journal.xrange(keys.link("book:TOY", "risk:0"))]

    assert log == link == [b"1-0", b"2-0", b"3-0"]


def test_no_atomic_call_touches_two_workers_keys(journal, tmp_path):
    """All keys of a call carry the writer's hash tag, so a worker may live on any server."""
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    asked: list[list[str]] = []
    owner = toy.start_owner()
    words = owner._writer._words
    owner._writer._words = lambda batch: asked.append(words(batch)[0]) or words(batch)

    toy.source().send(Add(1, "a", 1, tell=True))
    toy.run()

    assert len(asked) == 1
    assert len(asked[0]) == 5  # Epoch, cursor, log, one link, one reply.
    assert all("{book:TOY}" in key for key in asked[0])


def test_a_batch_whose_answer_was_lost_is_sent_again_and_written_once(toy, journal, proxy):
    owner = toy.start_owner(through(proxy, journal))
    toy.source().send(Add(1, "a", 5))
    owner._inbox.read(journal, block_ms=0)

    batch = owner._decide()
    proxy.lose_next_answer()
    owner._send(batch, 0.0, 0.0)
    owner._settle()

    assert counted(toy) == [1]
    assert atomic.Writer(journal, toy.worker).write(batch) is Written.ALREADY
    assert len(toy.batches()) == 1


def test_an_owner_goes_on_after_the_line_was_cut_while_it_wrote(toy, journal, proxy):
    owner = toy.start_owner(through(proxy, journal))
    alice = toy.source()
    for request in range(1, 21):
        alice.send(Add(request, "a", 1))
        if request % 3 == 0:
            proxy.lose_next_answer()
        while owner.turn(wait=False):
            pass

    assert counted(toy) == list(range(1, 21))
    assert owner.replica.state() == toy.replayed().state()


def test_a_batch_of_an_earlier_epoch_is_fenced_and_writes_nothing(toy, journal):
    old = toy.start_owner()
    toy.source().send(Add(1, "a", 1))
    atomic.claim_epoch(journal, toy.worker, seen=1)

    with pytest.raises(Fenced):
        old.turn(wait=False)

    assert toy.batches() == []
    assert not journal.exists(keys.cursor(toy.worker))


def test_a_batch_that_does_not_follow_the_cursor_is_a_conflict_and_writes_nothing(toy, journal):
    owner = toy.start_owner()
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    toy.run()
    stale = toy.owner_at(toy.blueprint.at_genesis(journal), epoch=1)
    alice.send(Add(2, "a", 1))

    with pytest.raises(MemoryDoubted):
        stale.turn(wait=False)

    assert len(toy.batches()) == 1
    assert owner.replica.batch == 1


def test_a_worker_whose_memory_is_not_the_record_comes_up_anew_after_an_outage(toy, journal):
    owner = toy.start_owner()
    toy.source().send(Add(1, "a", 1))
    toy.run()
    journal.hset(keys.cursor(toy.worker), "batch", "0")  # The server came back with less.

    with pytest.raises(MemoryDoubted):
        owner._compare_cursor()


def test_replies_can_be_read_only_once_the_batch_is_written(toy, journal):
    owner = toy.start_owner()
    alice = toy.source()
    alice.send(Add(7, "a", 1))
    owner._inbox.read(journal, block_ms=0)
    batch = owner._decide()
    before = toy.replies(alice.source)

    owner._send(batch, 0.0, 0.0)
    owner._settle()

    assert before == []
    (frame,) = toy.replies(alice.source)
    assert (frame.engine, frame.batch, frame.hash) == (toy.worker, 1, batch.hash)
    assert msgspec.msgpack.decode(frame.replies[0], type=Counted).request == 7


def test_replies_live_for_a_minute(toy, journal):
    alice = toy.source()
    alice.send(Add(7, "a", 1))
    toy.run()

    assert 59_000 < journal.pttl(keys.replies(toy.worker, alice.source)) <= 60_000


def test_the_journal_answers_only_after_its_fsync(journal):
    """One I/O thread and `appendfsync always`: the answer leaves after the turn's fsync."""
    settings = journal.config_get("io-threads", "appendfsync", "appendonly", "maxmemory-policy")

    assert settings == {
        "io-threads": "1",
        "appendfsync": "always",
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
    } or settings == {
        b"io-threads": b"1",
        b"appendfsync": b"always",
        b"appendonly": b"yes",
        b"maxmemory-policy": b"noeviction",
    }


def test_a_repeated_frame_is_dropped(toy):
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    alice.send(Add(1, "a", 1), number=1)
    alice.send(Add(2, "a", 1), number=2)
    alice.send(Add(1, "a", 1), number=1)
    toy.run()

    assert counted(toy) == [1, 2]
    assert toy.refusals() == []


def test_a_gap_is_refused_as_an_event_and_the_frame_before_it_may_still_come(toy):
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    alice.send(Add(3, "a", 1), number=3)
    alice.send(Add(2, "a", 1), number=2)
    toy.run()

    assert counted(toy) == [1, 2]
    assert toy.refusals() == [(-1, "gap")]


def test_a_later_frame_of_a_source_that_is_not_known_is_refused(toy):
    toy.source().send(Add(1, "a", 1), number=2)
    toy.run()

    assert counted(toy) == []
    assert toy.refusals() == [(-1, "unknown_source")]


def test_a_source_is_forgotten_ten_minutes_of_header_time_after_its_last_frame(toy):
    alice, bob = toy.source(), toy.source()
    alice.send(Add(1, "a", 1))
    bob.send(Add(2, "a", 1))
    toy.run()
    toy.clock.pass_s(599)
    bob.send(Add(3, "a", 1))
    toy.run()
    toy.clock.pass_s(2)

    alice.send(Add(4, "a", 1))
    bob.send(Add(5, "a", 1))
    toy.run()

    assert counted(toy) == [1, 2, 3, 5]
    assert toy.refusals() == [(-1, "unknown_source")]


def test_sources_are_known_per_stream(toy):
    """Frames are numbered per target stream: the same source starts at 1 in each."""
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    toy.source("cancels", alice.source).send(number=1)
    toy.run()

    assert toy.refusals() == []


def test_a_crash_between_deciding_and_writing_leaves_nothing(toy, journal):
    """The next owner takes the inputs again, at a new time, perhaps cut otherwise."""
    first = toy.start_owner()
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    first._inbox.read(journal, block_ms=0)
    lost = first._decide()
    alice.send(Add(2, "a", 1))
    toy.clock.pass_s(60)

    toy.start_owner()
    toy.run()

    (batch,) = toy.batches()
    assert batch.core.at_ns > lost.at_ns
    assert counted(toy) == [1, 2]


def test_a_sender_sends_a_frame_of_unknown_fate_again_before_any_other(toy, journal, proxy):
    sender = Sender(through(proxy, journal))
    sender.to(toy.worker, Add(1, "a", 1))
    proxy.lose_next_answer()
    with pytest.raises(redis.RedisError):
        sender.to(toy.worker, Add(2, "a", 1))

    sender.to(toy.worker, Add(3, "a", 1))
    toy.run()

    assert journal.xlen(keys.commands(toy.worker)) == 4  # One of them twice.
    assert counted(toy) == [1, 2, 3]
    assert toy.refusals() == []


def test_a_genesis_is_written_once(journal, tmp_path: Path):
    ToyWorker(journal, tmp_path)

    assert journal.get(keys.genesis("book:TOY")) == wire.encode([])
    ToyWorker(journal, tmp_path)  # The same one again changes nothing.
    with pytest.raises(Exception, match="one genesis"):
        ToyWorker(journal, tmp_path, peers=("risk:0",))
