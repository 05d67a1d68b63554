"""A batch on its way: the next one may be decided meanwhile, and is lost with it if it must be."""

from collections.abc import Iterator

import pytest
import redis

from apps.common.redis_clients import journal_client
from apps.journals import atomic, wire
from apps.journals.owner import Fenced
from tests.helpers.toy_machine import Add, Break, Counted
from tests.helpers.toy_world import ToyWorker
from tests.helpers.valkey import CuttingProxy


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(wire, "BATCH_COMMANDS_MAX", 2)


@pytest.fixture
def proxy(journal: redis.Redis) -> Iterator[CuttingProxy]:
    """Return a line to the journal server that can be cut."""
    proxy = CuttingProxy(journal.connection_pool.connection_kwargs["port"])
    yield proxy
    proxy.close()


def counted(toy: ToyWorker) -> list[int]:
    """Return the requests that were counted, in order."""
    return [event.request for event in toy.events() if isinstance(event, Counted)]


def under_way(toy: ToyWorker, requests: int, journal: redis.Redis | None = None):
    """Return an owner whose second batch is on its way, with more waiting."""
    owner = toy.start_owner(journal)
    alice = toy.source()
    for request in range(1, requests + 1):
        alice.send(Add(request, "a", 1))
    owner.turn(wait=False)  # An owner's first batch is waited for.
    owner.turn(wait=False)
    assert owner._on_its_way.batch.number == 2
    return owner


def test_while_a_batch_is_on_its_way_the_next_is_decided_and_all_count_once(toy):
    owner = under_way(toy, 7)

    toy.run()

    assert owner._on_its_way is None, "nothing waits: the last one was seen through"
    assert counted(toy) == [1, 2, 3, 4, 5, 6, 7]
    assert toy.replayed().state() == owner.replica.state()


def test_what_was_decided_under_a_lost_epoch_is_never_written(toy, journal):
    owner = under_way(toy, 7)
    atomic.claim_epoch(journal, toy.worker, seen=1)

    with pytest.raises(Fenced):
        toy.run()

    assert counted(toy) == [1, 2, 3, 4]
    assert owner.replica.batch > len(toy.batches())


def test_a_lost_answer_is_asked_for_again_before_the_next_batch_is_sent(toy, journal, proxy):
    client = journal_client(proxy.url_of(journal))
    owner = under_way(toy, 9, client)

    for _ in range(3):
        proxy.lose_next_answer()
        owner.turn(wait=False)
    toy.run()

    assert counted(toy) == list(range(1, 10))
    assert toy.replayed().state() == owner.replica.state()


def test_a_command_that_breaks_a_belief_costs_what_is_on_its_way_nothing(toy):
    owner = toy.start_owner()
    alice = toy.source()
    for request in range(1, 5):
        alice.send(Add(request, "a", 1))
    alice.send(Break("belief"))
    owner.turn(wait=False)
    owner.turn(wait=False)
    assert owner._on_its_way is not None

    owner.turn(wait=False)

    assert owner._on_its_way is None
    assert owner.blocked_by is not None
    assert counted(toy) == [1, 2, 3, 4]


def test_an_owner_that_is_stopped_sees_through_what_is_on_its_way(toy):
    owner = under_way(toy, 7)
    toy.service.stop()

    owner.run()

    assert owner._on_its_way is None
    assert counted(toy) == [1, 2, 3, 4]
