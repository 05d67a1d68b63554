"""Wire rule 19: links are numbered, chained, and part of the state."""

import pytest

from apps.common.kernel.invariants import InvariantBroken
from apps.journals import keys, wire
from apps.journals.contracts import LinkAdd
from apps.journals.tables import LinkBroken
from tests.helpers.toy_machine import Add, Told, ToyMachine
from tests.helpers.toy_world import ToyWorker


class Speaker:
    """A peer that can be made to repeat, to leave gaps and to lie."""

    def __init__(self, journal, writer="risk:0", reader="book:TOY"):
        self._journal = journal
        self.stream = keys.link(writer, reader)
        self.number, self.hash = 0, bytes(32)

    def frame(self, *messages, passed=(0, 0)):
        return wire.encode(wire.LinkFrame(passed, list(messages)))

    def say(self, *messages, passed=(0, 0), number=None, hash_=None, frame=None):
        frame = self.frame(*messages, passed=passed) if frame is None else frame
        self.number = self.number + 1 if number is None else number
        self.hash = wire.link_hash(self.hash, number=self.number, body=frame)
        fields = {"f": frame, "h": hash_ or self.hash, "j": b"receipt"}
        self._journal.xadd(self.stream, fields, id=f"{self.number}-0")
        return {key.encode(): value for key, value in fields.items()}


@pytest.fixture
def linked(journal, tmp_path):
    """Return a toy that reads and writes a link with `risk:0`."""
    return ToyWorker(journal, tmp_path, peers=("risk:0",))


def test_a_link_starts_with_frame_one_and_is_read_in_order(linked, journal):
    peer = Speaker(journal)
    peer.say(Told("a", 1), passed=(5, 1))
    peer.say(Told("a", 2), Told("b", 3), passed=(7, 0))
    linked.run()

    machine = linked.owner.replica.machine
    assert machine.counters == {"risk:0/a": 2, "risk:0/b": 3}
    assert machine.heard == {"risk:0": (7, 0)}


def test_an_empty_link_frame_tells_how_far_the_peer_has_read(linked, journal):
    Speaker(journal).say(passed=(9, 9))
    linked.run()

    assert linked.owner.replica.machine.heard == {"risk:0": (9, 9)}


def test_a_link_frame_that_was_seen_is_dropped(linked, journal):
    peer = Speaker(journal)
    first = peer.say(Told("a", 1))
    linked.run()
    replica = linked.owner.replica
    seq = replica.machine.seq

    replica.begin(replica.at_ns)
    assert replica.take(peer.stream, (1, 0), first)
    replica.finish(1)

    assert replica.machine.seq == seq


def test_a_gap_in_a_link_stops_the_worker(linked, journal):
    peer = Speaker(journal)
    peer.say(Told("a", 1))
    peer.say(Told("a", 3), number=3)

    with pytest.raises(LinkBroken, match="frame 3 came after frame 1"):
        linked.run()
    assert linked.batches() == []


def test_another_history_of_a_link_stops_the_worker(linked, journal):
    peer = Speaker(journal)
    peer.say(Told("a", 1))
    linked.run()
    peer.hash = b"x" * 32
    peer.say(Told("a", 2))

    with pytest.raises(LinkBroken, match="does not follow"):
        linked.run()


def test_a_known_number_with_another_hash_stops_the_worker(linked, journal):
    peer = Speaker(journal)
    peer.say(Told("a", 1))
    linked.run()
    replica = linked.owner.replica
    other = Speaker(journal, writer="risk:9").say(Told("a", 100))

    replica.begin(replica.at_ns)
    with pytest.raises(LinkBroken):
        replica.take(peer.stream, (1, 0), other)


def test_a_command_adds_a_link_and_from_then_on_it_is_read_and_written(toy, journal):
    alice = toy.source()
    peer = Speaker(journal)
    peer.say(Told("a", 1))
    toy.run()
    assert toy.batches() == []

    alice.send(LinkAdd("risk:0"))
    alice.send(Add(1, "b", 1, tell=True))
    toy.run()

    assert toy.owner.replica.machine.counters == {"risk:0/a": 1, "b": 1}
    assert journal.xlen(keys.link("book:TOY", "risk:0")) == 1
    assert toy.replayed().state() == toy.owner.replica.state()


def test_adding_a_link_again_changes_nothing(linked, journal):
    peer = Speaker(journal)
    peer.say(Told("a", 1))
    linked.run()
    linked.source().send(LinkAdd("risk:0"))
    peer.say(Told("a", 2))
    linked.run()

    assert linked.owner.replica.machine.counters == {"risk:0/a": 2}


def test_a_message_to_a_worker_that_is_no_peer_breaks_a_belief(journal, tmp_path):
    class Gossip(ToyMachine):
        def end(self, at_ns, passed, out):
            out.send("risk:7", Told("a", 1))

    toy = ToyWorker(journal, tmp_path, make_machine=Gossip)
    replica = toy.blueprint.at_genesis(journal)
    replica.begin(1)

    with pytest.raises(InvariantBroken, match="linked"):
        replica.finish(1)


def test_an_unreadable_link_message_is_refused_as_an_event_and_its_neighbours_count(
    linked, journal
):
    peer = Speaker(journal)
    peer.say(Told("a", 1), ["of_tomorrow.v9", 1], Told("b", 2))
    peer.say(frame=b"\xc1 no msgpack")
    peer.say(Told("c", 3))
    linked.run()

    assert linked.refusals() == [(1, "unreadable"), (-1, "unreadable")]
    assert sorted(linked.owner.replica.machine.counters) == ["risk:0/a", "risk:0/b", "risk:0/c"]
    assert linked.replayed().state() == linked.owner.replica.state()
