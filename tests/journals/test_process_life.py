"""Workers as processes: killed, stopped, fenced, left alone. Wire rules 18 and 20 for real."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from apps.common.redis_clients import cache_client, journal_client
from apps.common.service import EXIT_LEAVE_STOPPED
from apps.journals import atomic, keys
from apps.journals.behind import NICE
from apps.journals.process import EXIT_FENCED
from tests.helpers.toy_machine import Add, Break, Counted
from tests.helpers.toy_world import ToyWorker, wait_until
from tests.helpers.valkey import LocalValkey

WORKER = "book:TOY"


class Members:
    """The two members of a toy worker, as processes."""

    def __init__(self, journal_url, cache_url, var):
        self.environment = os.environ | {
            "JOURNAL_URL": journal_url,
            "REDIS_URL": cache_url,
            "FAIRBOOK_VAR": str(var),
            "FAIRBOOK_ARCHIVE_DIR": str(var / "archive"),
            "FAIRBOOK_SNAPSHOT_DIR": str(var / "snapshots"),
            "FAIRBOOK_SERVICE_PORT": "",
        }
        self.var = var
        self.processes = {}
        self.journal = journal_client(journal_url)
        self.cache = cache_client(cache_url)
        self.toy = ToyWorker(self.journal, var)
        self.alice = self.toy.source()
        self.requests = 0

    def start(self, member):
        words = ["-m", "tests.helpers.toy_machine", "--worker", WORKER, "--member", member]
        log = (self.var / f"{member}.log").open("ab")
        self.processes[member] = subprocess.Popen(
            [sys.executable, *words], env=self.environment, stderr=log
        )
        return self.processes[member]

    def stop(self):
        for process in self.processes.values():
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()

    def owner(self):
        """Return the name of the member that beats."""
        beat = self.cache.get(keys.heartbeat(WORKER))
        return beat.decode().partition(":")[2] if beat else None

    def epoch(self):
        return atomic.read_epoch(self.journal, WORKER)

    def ask(self, *, for_s=15.0):
        """Send one command and wait for its answer; returns how long that took."""
        self.requests += 1
        started = time.monotonic()
        self.alice.send(Add(self.requests, "a", 1))
        wait_until(self._is_answered, for_s=for_s, because="an answer comes")
        return time.monotonic() - started

    def _is_answered(self):
        return any(
            msgspec.msgpack.decode(raw, type=Counted).request == self.requests
            for frame in self.toy.replies(self.alice.source)
            for raw in frame.replies
        )

    def counted(self):
        return [e.request for e in self.toy.events() if isinstance(e, Counted)]


@pytest.fixture
def members(journal, cache, servers, tmp_path):
    members = Members(servers.journal_url, servers.cache_url, tmp_path)
    yield members
    members.stop()


def test_a_killed_owner_is_followed_within_seconds_and_nothing_is_lost_or_doubled(members):
    members.start("a")
    members.ask()
    members.start("b")
    wait_until(lambda: b'"replica", "ok": true' in (members.var / "b.log").read_bytes())

    members.processes["a"].kill()
    took = members.ask()

    assert members.owner() == "b"
    assert members.epoch() == 2
    assert members.counted() == [1, 2]
    assert took < 5


def priorities(process):
    """Return how nice the threads of a process are (proc(5): the 19th field of a thread's stat)."""
    stats = [path.read_text() for path in Path(f"/proc/{process.pid}/task").glob("*/stat")]
    return {int(stat.rpartition(")")[2].split()[16]) for stat in stats}


@pytest.mark.skipif(sys.platform != "linux", reason="priorities are a thread's on Linux only")
def test_who_stands_by_steps_back_and_whoever_owns_does_not(members):
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    members.start("a")
    members.ask()
    members.start("b")
    wait_until(lambda: priorities(members.processes["b"]) == {mine, mine + NICE})

    assert priorities(members.processes["a"]) == {mine}

    members.processes["a"].kill()
    members.ask()
    assert priorities(members.processes["b"]) == {mine}


def test_an_owner_that_is_asked_to_stop_leaves_at_once(members):
    members.start("a")
    members.ask()

    members.processes["a"].terminate()

    assert members.processes["a"].wait(timeout=5) == 0
    assert members.owner() is None
    members.start("b")
    members.ask()


def test_a_stopped_owner_is_fenced_when_it_goes_on(members):
    first = members.start("a")
    members.ask()
    members.start("b")
    first.send_signal(signal.SIGSTOP)
    members.ask()

    first.send_signal(signal.SIGCONT)
    members.ask()  # Both wake up for it; one may write.

    assert first.wait(timeout=10) == EXIT_FENCED
    assert members.owner() == "b"
    assert members.counted() == [1, 2, 3]


def test_killing_the_cache_changes_no_epoch(servers, journal, tmp_path):
    cache = LocalValkey(tmp_path / "cache", durable=False).start()
    members = Members(servers.journal_url, cache.url, tmp_path)
    try:
        members.start("a")
        members.ask()
        members.start("b")
        before = members.epoch()
        cache.kill()
        members.ask()
        time.sleep(2.5)
        members.ask()
        cache.start()
        members.cache = cache_client(cache.url)
        wait_until(lambda: members.owner() == "a", because="the owner beats again")
        time.sleep(2)

        assert members.epoch() == before
        assert members.processes["b"].poll() is None
    finally:
        members.stop()
        cache.kill()


def test_three_deaths_without_a_new_header_and_the_worker_stays_stopped(members):
    members.start("a")
    members.ask()
    members.processes["a"].terminate()
    members.processes["a"].wait()
    members.alice.send(Break("death"))

    codes = [members.start("a").wait(timeout=20) for _ in range(4)]

    assert codes == [9, 9, 9, EXIT_LEAVE_STOPPED]


def test_kills_while_it_waits_for_work_are_no_deaths(members):
    for _ in range(4):
        members.start("a")
        wait_until(lambda: members.owner() == "a")
        members.processes["a"].kill()
        members.processes["a"].wait()
        members.cache.delete(keys.heartbeat(WORKER))

    members.start("a")
    members.ask()


def test_a_worker_waits_for_its_genesis(members):
    members.journal.delete(keys.genesis(WORKER))
    process = members.start("a")
    time.sleep(2)
    assert process.poll() is None
    assert members.owner() is None

    ToyWorker(members.journal, members.var)
    members.ask()
