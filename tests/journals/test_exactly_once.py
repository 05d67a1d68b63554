"""Wire rules 1-4, 15 and 17: what is written, is written once, by one owner."""

import redis

from apps.common.kernel.ids import format_stream_id
from apps.common.redis_clients import journal_client
from apps.journals import atomic, keys, wire
from apps.journals.atomic import Written
from apps.journals.owner import Fenced, MemoryDoubted
from tests.helpers.toy_machine import Add, Counted
from tests.helpers.toy_world import ToyWorker

import pytest


def test_streams_that_a_worker_writes_are_numbered_from_one(journal, tmp_path):
    toy = ToyWorker(journal, tmp_path, peers=("risk:0",))
    alice = toy.source()
    for _ in range(3):
        alice.send(Add(1, "a", 1, tell=True))
        toy.run()

    log = [entry for entry, _ in journal.xrange(keys.log("book:TOY"))]
    link = [entry for entry, _ in journal.xrange(keys.link("book:TOY", "risk:0"))]

    assert log == link == [b"1-0", b"2-0", b"3-0"]
