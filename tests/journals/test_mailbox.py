"""Wire rules 10, 13 and 15, as an edge lives them."""

import asyncio
import gc
import time
from types import SimpleNamespace

import msgspec
import pytest

from apps.common.kernel.ids import BEFORE_ALL
from apps.common.lean_clients import LeanAsyncClient
from apps.journals import frame_writer, keys, wire
from apps.journals.mailbox import JournalDown, Mailbox, Unknown
from tests.helpers.toy_machine import Add, Counted
from tests.helpers.toy_world import ToyWorker
from tests.helpers.valkey import CuttingProxy, LocalValkey

_decode = msgspec.msgpack.Decoder(Counted).decode


class WorkerTask:
    """A toy worker that is served from a thread while the test's loop asks it."""

    def __init__(self, toy):
        self.toy = toy
        self._task = None

    async def __aenter__(self):
        self.toy.start_owner()
        self._task = asyncio.create_task(asyncio.to_thread(self.toy.owner.run))
        return self.toy

    async def __aexit__(self, *_):
        self.toy.service.stop()
        await self._task


class Edge:
    """A mailbox that starts and stops with the test."""

    def __init__(self, url):
        self.mailbox = Mailbox(SimpleNamespace(text=lambda _name: url))

    async def __aenter__(self):
        await self.mailbox.start()
        return self.mailbox

    async def __aexit__(self, *_):
        await self.mailbox.stop()


async def ask(mailbox, name="a", *, worker="book:TOY", **options):
    command = Add(mailbox.next_request(), name, 1)
    answer = await mailbox.ask(worker, "commands", command, **options)
    counted = _decode(answer.reply_raw)
    assert counted.request == command.request
    return answer, counted


async def test_an_answer_comes_with_the_receipt_of_its_batch(toy, servers):
    async with WorkerTask(toy), Edge(servers.journal_url) as mailbox:
        answer, counted = await ask(mailbox)

    (batch,) = toy.batches()
    assert counted == Counted(1, "a", 1, 1)
    assert (answer.engine, answer.batch, answer.hash) == ("book:TOY", 1, batch.sealed.hash())


async def test_each_of_many_gets_its_own_answer_and_they_share_frames(toy, servers):
    async with WorkerTask(toy), Edge(servers.journal_url) as mailbox:
        answers = await asyncio.gather(*(ask(mailbox) for _ in range(300)))

    assert sorted(counted.value for _, counted in answers) == list(range(1, 301))
    frames = [
        msgspec.msgpack.decode(fields[keys.FRAME_FIELD], type=wire.CommandFrame)
        for _, fields in toy.journal.xrange(keys.commands(toy.worker))
    ]
    assert len(frames) < 60
    assert max(len(frame.commands) for frame in frames) <= wire.FRAME_COMMANDS_MAX
    assert [frame.number for frame in frames] == list(range(1, len(frames) + 1))


async def test_no_answer_in_time_is_an_unknown_outcome(toy, servers):
    async with Edge(servers.journal_url) as mailbox:
        with pytest.raises(Unknown):
            await ask(mailbox, timeout_s=0.2)

    toy.run()
    assert len(toy.events()) == 1  # It was taken all the same.


async def test_a_journal_that_is_down_is_said_at_once_and_nothing_was_written(toy):
    async with Edge("redis://127.0.0.1:1/0") as mailbox:
        started = time.monotonic()
        with pytest.raises(JournalDown):
            await ask(mailbox)
        assert time.monotonic() - started < 1
        with pytest.raises(JournalDown):
            await mailbox.last_command_id("book:TOY")


async def test_a_full_journal_refuses_and_the_next_command_keeps_the_number(tmp_path):
    server = LocalValkey(tmp_path).start()
    try:
        from apps.common.redis_clients import journal_client

        journal = journal_client(server.url)
        toy = ToyWorker(journal, tmp_path)
        async with WorkerTask(toy), Edge(server.url) as mailbox:
            await ask(mailbox)
            journal.config_set("maxmemory", "1")
            with pytest.raises(JournalDown):
                await ask(mailbox)
            journal.config_set("maxmemory", "0")
            await ask(mailbox)
        assert toy.refusals() == []
        assert [e.request for e in toy.events()] == [1, 3]
    finally:
        server.kill()


async def test_a_frame_whose_acknowledgement_was_lost_is_sent_again_and_counts_once(
    toy, servers, journal
):
    proxy = CuttingProxy(journal.connection_pool.connection_kwargs["port"])
    async with WorkerTask(toy), Edge(proxy.url_of(journal)) as mailbox:
        await ask(mailbox)
        for _ in range(5):
            proxy.lose_next_answer()
            await ask(mailbox)
            await ask(mailbox)
    proxy.close()

    counted = [e.request for e in toy.events() if isinstance(e, Counted)]
    assert counted == list(range(1, 12))
    assert toy.refusals() == []


async def test_what_its_client_was_told_is_unknown_is_never_sent_again(toy, servers, journal):
    proxy = CuttingProxy(journal.connection_pool.connection_kwargs["port"])
    async with Edge(proxy.url_of(journal)) as mailbox:
        with pytest.raises(Unknown):
            await ask(mailbox, timeout_s=0.2)
        proxy.lose_next_answer()
        told, patient = ask(mailbox, timeout_s=0.1), asyncio.create_task(ask(mailbox))
        with pytest.raises(Unknown):
            await told
        await asyncio.sleep(frame_writer.BACKOFF_S * 2)
        assert toy.journal.xlen(keys.commands(toy.worker)) == 2
        await asyncio.to_thread(toy.run)
        await patient  # The frame stands, so its other command is answered,
        later = asyncio.create_task(ask(mailbox))
        await asyncio.sleep(0.1)
        await asyncio.to_thread(toy.run)
        await later  # and the stream goes on.
    proxy.close()

    assert toy.refusals() == []


async def test_what_its_client_was_told_never_left_does_not_leave(toy, servers, monkeypatch):
    connect = LeanAsyncClient._connect

    async def slowly(client):
        await asyncio.sleep(0.4)
        return await connect(client)

    monkeypatch.setattr(LeanAsyncClient, "_connect", slowly)
    async with Edge(servers.journal_url) as mailbox:
        mailbox._client.drop()
        with pytest.raises(JournalDown):
            await ask(mailbox, timeout_s=0.1)
        await asyncio.sleep(0.6)
        assert toy.journal.xlen(keys.commands(toy.worker)) == 0
        with pytest.raises(Unknown):
            await ask(mailbox, timeout_s=1)

    toy.run()
    assert [e.request for e in toy.events()] == [2]


async def test_a_worker_that_is_new_to_an_edge_is_heard_at_once(toy, servers, journal, tmp_path):
    async with WorkerTask(toy), Edge(servers.journal_url) as mailbox:
        await ask(mailbox)
        async with WorkerTask(ToyWorker(journal, tmp_path, "book:NEW")):
            started = time.monotonic()
            await ask(mailbox, worker="book:NEW")
            assert time.monotonic() - started < 0.6


async def test_a_stream_that_was_silent_for_five_minutes_gets_a_new_source(
    toy, servers, monkeypatch
):
    async with WorkerTask(toy), Edge(servers.journal_url) as mailbox:
        await ask(mailbox)
        await ask(mailbox)
        monkeypatch.setattr(frame_writer, "SILENCE_S", 0.0)
        started = time.monotonic()
        await ask(mailbox)
        await asyncio.sleep(1.1)
        await ask(mailbox)
        assert time.monotonic() - started < 2.5  # The spare source was listened to before.

    frames = [
        msgspec.msgpack.decode(fields[keys.FRAME_FIELD], type=wire.CommandFrame)
        for _, fields in toy.journal.xrange(keys.commands(toy.worker))
    ]
    assert [frame.number for frame in frames] == [1, 2, 1, 1]
    assert len({frame.source for frame in frames}) == 3
    assert toy.refusals() == []


def test_a_source_that_is_given_up_never_numbers_two_frames_alike():
    sources = frame_writer.Sources(b"A" * 8)
    first, _ = sources.next_number("s"), sources.next_number("t")
    sources.renew("s")
    second = sources.next_number("s")

    assert first == (b"A" * 8, 1)
    assert second[0] != first[0]
    assert second[1] == 1
    assert sources.next_number("t") == (b"A" * 8, 2)
    assert {first[0], second[0]} <= sources.listened()


async def test_the_last_command_id_is_that_of_the_stream_or_zero(toy, servers):
    async with Edge(servers.journal_url) as mailbox:
        assert await mailbox.last_command_id("book:TOY") == BEFORE_ALL
        assert await mailbox.last_command_id("book:NOWHERE") == BEFORE_ALL
        entry = toy.source().send(Add(1, "a", 1))
        assert await mailbox.last_command_id("book:TOY") == entry
        toy.journal.xtrim(keys.commands("book:TOY"), maxlen=0, approximate=False)
        assert await mailbox.last_command_id("book:TOY") == entry


async def test_stopping_tells_who_waits_that_the_outcome_is_unknown(toy, servers):
    async with Edge(servers.journal_url) as mailbox:
        asking = asyncio.create_task(ask(mailbox))
        await asyncio.sleep(0.1)
    with pytest.raises(Unknown):
        await asking


async def test_stopping_leaves_nothing_that_the_loop_complains_about(toy, servers):
    complaints = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    reading = asyncio.Event()

    async def cut_off(_streams, **_options):
        reading.set()
        try:
            await asyncio.Event().wait()
        finally:
            raise ConnectionError("the line was cut while it was read")

    async def live_and_stop():
        async with Edge(servers.journal_url) as mailbox:
            mailbox._know(toy.worker)
            mailbox._listener.xread = cut_off
            await reading.wait()

    await asyncio.create_task(live_and_stop())
    gc.collect()  # The loop complains of a failed task once nobody can ask it any more.

    assert complaints == []
