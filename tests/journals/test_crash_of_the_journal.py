"""What crashes of the journal server leave: streams and cursor that agree, owners that go on."""

import threading

import pytest

from apps.common.redis_clients import journal_client
from apps.journals import atomic, keys
from tests.helpers.toy_machine import Add, Counted
from tests.helpers.toy_world import ToyWorker, wait_until
from tests.helpers.valkey import LocalValkey


@pytest.fixture
def own_valkey(tmp_path):
    """Return a journal server of this test's own."""
    server = LocalValkey(tmp_path / "valkey").start()
    yield server
    server.kill()


@pytest.mark.parametrize("cut_bytes", [1, 30, 200, 333])
def test_a_log_file_cut_inside_a_call_keeps_cursor_and_streams_in_agreement(
    own_valkey, tmp_path, cut_bytes
):
    journal = journal_client(own_valkey.url)
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    alice = toy.source()
    for request in range(1, 4):
        alice.send(Add(request, "a", 1, tell=True))
        toy.run()
    own_valkey.kill()
    with own_valkey.aof().open("r+b") as file:
        file.truncate(file.seek(0, 2) - cut_bytes)

    own_valkey.start()
    journal = journal_client(own_valkey.url)

    cursor = atomic.read_cursor(journal, toy.worker)
    logged = journal.xrange(keys.log(toy.worker))
    told = journal.xrange(keys.link(toy.worker, "risk:0"))
    assert len(logged) == len(told) == cursor.batch == 2
    again = ToyWorker(journal, tmp_path, peers=("risk:0",))
    again.run()  # The input is still there, and is taken once more.
    assert [e.request for e in again.events() if isinstance(e, Counted)] == [1, 2, 3]


def test_an_owner_keeps_its_memory_over_a_restart_of_the_journal(own_valkey, tmp_path):
    """It waits, says that it is not ready, and goes on where it stands."""
    journal = journal_client(own_valkey.url, socket_timeout=2)
    toy = ToyWorker(journal, tmp_path)
    toy.service.check("replica", True)
    alice = toy.source()
    alice.send(Add(1, "a", 1))
    owner = toy.start_owner()
    thread = threading.Thread(target=owner.run)
    thread.start()
    wait_until(lambda: owner.replica.batch == 1)
    memory = owner.replica.machine

    own_valkey.kill()
    wait_until(lambda: not toy.service.ready, because="readiness falls")
    own_valkey.start()
    alice.send(Add(2, "a", 1))
    wait_until(lambda: owner.replica.batch == 2)

    assert toy.service.ready
    assert owner.replica.machine is memory
    toy.service.stop()
    thread.join(timeout=5)
    assert not thread.is_alive()


def test_a_full_journal_takes_nothing_and_loses_nothing(tmp_path):
    server = LocalValkey(tmp_path / "valkey", options=("--maxmemory", "10mb")).start()
    journal = journal_client(server.url, socket_timeout=2)
    toy = ToyWorker(journal, tmp_path)
    toy.service.check("replica", True)
    toy.source().send(Add(1, "a", 1))
    owner = toy.start_owner()
    journal.config_set("maxmemory", "1")
    thread = threading.Thread(target=owner.run)
    thread.start()
    wait_until(lambda: not toy.service.ready, because="a refused write shows")
    assert journal.xlen(keys.log(toy.worker)) == 0

    journal.config_set("maxmemory", "0")
    wait_until(lambda: owner.replica.batch == 1 and toy.service.ready)

    assert len(toy.batches()) == 1
    toy.service.stop()
    thread.join(timeout=5)
    server.kill()
