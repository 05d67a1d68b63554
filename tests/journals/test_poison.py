"""Wire rule 20: what cannot be read is refused; what breaks a belief blocks its stream, no more."""

import msgspec
import pytest

from apps.journals import keys, wire
from apps.journals.contracts import SkipCommand
from tests.helpers.toy_machine import Add, Break, Counted, Forget, Told, ToldBadly
from tests.helpers.toy_world import ToyWorker
from tests.journals.test_links import Speaker


def requests(toy: ToyWorker) -> list[int]:
    """Return the requests that were counted."""
    return [event.request for event in toy.events() if isinstance(event, Counted)]


def skip_of(command: wire.CommandId) -> SkipCommand:
    """Return what an operator sends to step over a command."""
    return SkipCommand(command.stream, command.entry, command.index, "it is broken", "olga")


def test_bytes_that_are_no_frame_are_refused_as_an_event(toy, journal):
    alice = toy.source()
    alice.append(b"")
    alice.append(b"\xc1\xc1\xc1")
    alice.append(wire.encode([b"short", 1, []]))
    alice.append(wire.encode([alice.source, 0, []]))
    journal.xadd(keys.commands(toy.worker), {"other": "field"})
    alice.send(Add(1, "a", 1))
    toy.run()

    assert toy.refusals() == [(-1, "unreadable")] * 5
    assert requests(toy) == [1]


@pytest.mark.parametrize(
    "bad",
    [
        wire.encode(["of_tomorrow.v9", 1]),
        wire.encode(["add.v1", "one", "a", 1]),
        wire.encode(["add.v1"]),
        wire.encode({"type": "add.v1"}),
        wire.encode(None),
        wire.encode(2**63),
    ],
)
def test_a_command_that_cannot_be_read_is_refused_and_its_neighbours_count(toy, bad):
    toy.source().send(Add(1, "a", 1), msgspec.Raw(bad), Add(3, "a", 1))
    toy.run()

    assert toy.refusals() == [(1, "unreadable")]
    assert requests(toy) == [1, 3]
    assert toy.owner.replica.machine.seq == 2
    assert toy.replayed().state() == toy.owner.replica.state()


def test_a_command_that_breaks_a_belief_blocks_its_stream_and_is_named(toy):
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    toy.run()
    alice.send(Add(2, "a", 1))
    poisoned = alice.send(Add(3, "a", 1), Break("belief"), Add(4, "a", 1))
    alice.send(Add(5, "a", 1))
    toy.run()

    assert toy.owner.blocked_by == wire.CommandId(keys.commands(toy.worker), poisoned, 1)
    assert requests(toy) == [1]
    assert not toy.service.ready
    assert toy.owner.replica.machine.counters == {"a": 1}


def test_cancels_run_while_the_commands_are_blocked(toy):
    toy.source().send(Add(1, "a", 1))
    toy.run()
    toy.source().send(Break("belief"))
    toy.run()

    toy.source("cancels").send(Forget("a"))
    toy.run()

    assert toy.owner.blocked_by is not None
    assert toy.owner.replica.machine.counters == {}


def test_a_skip_steps_over_the_command_and_stands_in_the_header(toy):
    alice, olga = toy.source(), toy.source()
    alice.send(Add(1, "a", 1), Break("belief"), Add(2, "a", 1))
    toy.run()
    poison = toy.owner.blocked_by
    alice.send(Add(3, "a", 1))
    toy.run()
    assert requests(toy) == []

    olga.send(skip_of(poison))
    toy.run()

    assert toy.owner.blocked_by is None
    assert requests(toy) == [1, 2, 3]
    assert [batch.core.skips for batch in toy.batches()] == [[poison]]
    assert toy.replayed().state() == toy.owner.replica.state()
    assert toy.service.health()["checks"]["poison"] == "ok"


def test_a_skip_of_another_command_changes_nothing(toy):
    alice, olga = toy.source(), toy.source()
    entry = alice.send(Add(1, "a", 1), Break("belief"))
    toy.run()

    olga.send(skip_of(wire.CommandId(keys.commands(toy.worker), entry, 0)))
    toy.run()

    assert toy.owner.blocked_by is not None


def test_two_poisons_need_two_skips(toy):
    alice, olga = toy.source(), toy.source()
    alice.send(Break("belief"))
    alice.send(Break("belief"), Add(1, "a", 1))
    toy.run()
    first = toy.owner.blocked_by
    olga.send(skip_of(first))
    toy.run()
    second = toy.owner.blocked_by
    assert second is not None
    assert second != first

    olga.send(skip_of(second))
    toy.run()

    assert requests(toy) == [1]


def test_a_poison_is_named_by_its_place_in_the_frame_whatever_was_left_out_before_it(toy):
    alice, olga = toy.source(), toy.source()
    unreadable = msgspec.Raw(wire.encode(["of_tomorrow.v9", 1]))
    entry = alice.send(unreadable, Break("belief"), Break("belief"), Add(1, "a", 1))
    toy.run()
    first = toy.owner.blocked_by
    olga.send(skip_of(first))
    toy.run()
    second = toy.owner.blocked_by
    olga.send(skip_of(second))
    toy.run()

    stream = keys.commands(toy.worker)
    assert [first, second] == [wire.CommandId(stream, entry, place) for place in (1, 2)]
    assert requests(toy) == [1]
    assert toy.refusals() == [(0, "unreadable")]
    assert toy.replayed().state() == toy.owner.replica.state()


def test_a_poison_on_a_link_blocks_the_link_until_it_is_skipped(journal, tmp_path):
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    peer = Speaker(journal)
    peer.say(Told("a", 1), passed=(1, 0))
    peer.say(Told("a", 2), ToldBadly(), Told("b", 3), passed=(2, 0))
    toy.run()
    assert toy.owner.blocked_by == wire.CommandId(peer.stream, (2, 0), 1)

    toy.source().send(skip_of(toy.owner.blocked_by))
    toy.run()

    machine = toy.owner.replica.machine
    assert machine.counters == {"risk:0/a": 2, "risk:0/b": 3}
    assert machine.heard == {"risk:0": (2, 0)}
    assert toy.replayed().state() == toy.owner.replica.state()


def test_the_next_owner_meets_the_same_poison_and_finds_the_same_skip(toy):
    alice, olga = toy.source(), toy.source()
    alice.send(Break("belief"), Add(1, "a", 1))
    toy.run()
    poison = toy.owner.blocked_by

    toy.start_owner()
    toy.run()
    assert toy.owner.blocked_by == poison

    olga.send(skip_of(poison))
    toy.start_owner()
    toy.run()
    assert requests(toy) == [1]


def test_a_rules_version_that_nobody_knows_blocks_and_can_be_skipped(toy):
    from apps.journals.contracts import RulesSet

    alice, olga = toy.source(), toy.source()
    alice.send(Add(1, "a", 1), RulesSet(9))
    toy.run()
    poison = toy.owner.blocked_by
    assert poison is not None
    assert poison.index == 1

    olga.send(skip_of(poison))
    toy.run()

    assert requests(toy) == [1]
