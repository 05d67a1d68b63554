"""Wire rules 2, 3 and 5: what a header says, how much a batch takes, what the hashes cover."""

import hashlib

import msgspec

from apps.journals import keys, state, wire
from apps.journals.contracts import LinkAdd, RulesSet
from tests.helpers.toy_machine import Add, Counted, Forget, Ticked, Told
from tests.helpers.toy_world import ToyWorker


def test_a_batch_takes_links_by_name_then_cancels_then_commands(journal, tmp_path):
    toy = ToyWorker(journal, tmp_path, peers=("risk:1", "risk:0"))
    toy.source().send(Add(1, "a", 1))
    toy.source("cancels").send(Forget("a"))
    for peer in ("risk:1", "risk:0"):
        speaker = ToyWorker(journal, tmp_path, peer, peers=("book:TOY",))
        speaker.source().send(Add(1, "b", 2, tell=True))
        speaker.run()

    toy.run()

    (batch,) = toy.batches()
    assert [take.stream for take in batch.core.takes] == [
        "{risk:0}:to:book:TOY",
        "{risk:1}:to:book:TOY",
        "{book:TOY}:cancels",
        "{book:TOY}:commands",
    ]
    assert (batch.core.first_seq, batch.core.last_seq) == (1, 4)


def test_links_under_load_keep_a_cancel_waiting_for_one_batch_at_most(journal, tmp_path):
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    speaker = ToyWorker(journal, tmp_path, "risk:0", peers=("book:TOY",))
    loud = speaker.source()
    for _ in range(60):
        loud.send(*(Add(1, "b", 1, tell=True) for _ in range(50)))
    speaker.run()
    toy.source("cancels").send(Forget("a"))

    toy.run()

    takes = [[take.stream for take in batch.core.takes] for batch in toy.batches()]
    assert len(takes) > 2, "the links alone fill several batches"
    assert takes[0] == ["{risk:0}:to:book:TOY"]
    assert takes[1] == ["{book:TOY}:cancels", "{risk:0}:to:book:TOY"]


def test_a_batch_takes_at_most_1024_commands_in_whole_frames(toy):
    alice = toy.source()
    for _ in range(21):
        alice.send(*(Add(1, "a", 1) for _ in range(50)))
    toy.run()

    first, second = toy.batches()
    assert (first.core.last_seq, second.core.last_seq) == (1_000, 1_050)


def test_a_batch_ends_early_when_its_outputs_are_many(toy, monkeypatch):
    monkeypatch.setattr(wire, "BATCH_OUTPUT_EVENTS_MAX", 100)
    alice = toy.source()
    for _ in range(4):
        alice.send(*(Add(1, "a", 1) for _ in range(64)))
    toy.run()

    assert [batch.core.last_seq for batch in toy.batches()] == [128, 256]


def test_a_frame_of_more_than_512_commands_is_refused_and_its_number_counts(toy):
    alice = toy.source()
    alice.send(*(Add(1, "a", 1) for _ in range(513)))
    alice.send(Add(2, "a", 1))
    toy.run()

    assert toy.refusals() == [(-1, "unreadable")]
    assert [e.request for e in toy.events() if isinstance(e, Counted)] == [2]


def test_a_timer_that_is_due_makes_a_batch_without_commands(toy):
    toy.source().send(Add(1, "a", 1))
    toy.run()
    toy.clock.pass_s(11)
    toy.run()

    batch = toy.batches()[-1]
    assert batch.core.takes == []
    assert batch.core.last_seq == batch.core.first_seq - 1
    assert toy.events()[-1] == Ticked(batch.core.at_ns)


def test_header_time_never_goes_back_even_if_the_clock_does(toy):
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    toy.run()
    toy.clock.pass_s(-3600)
    alice.send(Add(2, "a", 1))
    toy.run()

    first, second = toy.batches()
    assert second.core.at_ns == first.core.at_ns


def test_the_chain_starts_at_the_genesis_and_binds_header_inputs_and_outputs(toy):
    alice = toy.source()
    for request in range(3):
        alice.send(Add(request, "a", 1))
        toy.run()

    hash_ = hashlib.sha256(wire.encode([])).digest()
    for batch in toy.batches():
        ((_, fields),) = batch.inputs[0]
        frame = fields[keys.FRAME_FIELD]
        inputs = hashlib.sha256(len(frame).to_bytes(4, "big") + frame).digest()
        outputs = hashlib.sha256(batch.outputs).digest()
        assert batch.sealed.prev == hash_
        hash_ = hashlib.sha256(hash_ + batch.sealed.core + inputs + outputs).digest()
    cursor = toy.journal.hgetall(keys.cursor(toy.worker))
    assert cursor[b"hash"] == hash_
    assert cursor[b"batch"] == b"3"


def test_a_link_frame_carries_the_hash_of_the_batch_that_wrote_it(journal, tmp_path):
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    toy.source().send(Add(1, "a", 1, tell=True))
    toy.run()

    ((_, fields),) = journal.xrange(keys.link("book:TOY", "risk:0"))
    frame = msgspec.msgpack.decode(fields[keys.FRAME_FIELD], type=wire.LinkFrame)
    assert fields[keys.RECEIPT_FIELD] == toy.owner.replica.hash
    assert frame.passed == toy.owner.replica.cursor[keys.commands("book:TOY")]
    assert msgspec.msgpack.decode(frame.messages[0], type=Told) == Told("a", 1)


def test_equal_states_have_equal_hashes_whatever_order_they_were_made_in():
    one = {"b": {2: "x", 1: "y"}, "a": [{b"k": 1, b"a": 2}]}
    other = {"a": [{b"a": 2, b"k": 1}], "b": {1: "y", 2: "x"}}

    assert state.canonical(one) == state.canonical(other)
    assert state.canonical({"b": 1, "a": 2}) == state.canonical({"a": 2, "b": 1})


def test_rules_change_with_the_batch_after_the_command_and_never_go_back(toy):
    alice = toy.source()
    alice.send(RulesSet(2), Add(1, "a", 1))
    toy.run()
    alice.send(Add(2, "a", 1), RulesSet(1))
    toy.run()
    alice.send(Add(3, "a", 1))
    toy.run()

    assert [e.value for e in toy.events() if isinstance(e, Counted)] == [1, 3, 5]
    assert [batch.core.rules for batch in toy.batches()] == [1, 2, 2]


def test_the_runtimes_own_commands_count_in_seq(toy):
    toy.source().send(LinkAdd("risk:0"), Add(1, "a", 1))
    toy.run()

    assert toy.batches()[0].core.last_seq == 2
    assert [feed.peer for feed in toy.owner.replica.feeds()] == ["risk:0", "", ""]
