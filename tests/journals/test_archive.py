"""Wire rule 21, second half: what is trimmed stands in the archive, whole, and damage is named."""

import pytest
import redis

from apps.common.redis_clients import journal_client
from apps.journals import atomic, keys, pressure
from apps.journals.archive import Archive
from apps.journals.archiver import ArchivePace, Archiver, WorkerArchiver
from apps.journals.history import History
from apps.journals.reader import LogReader
from apps.journals.recorded import Damage
from apps.journals.recovery import bring_up
from apps.journals.replay import replay_with
from tests.helpers.toy_machine import Add
from tests.helpers.toy_world import ToyWorker
from tests.helpers.valkey import LocalValkey

AT_ONCE = ArchivePace(read_s=0, read_batches=1, cut_s=0, trim_age_s=0, trim_bytes=0)
NEVER_TRIM = ArchivePace(read_s=0, read_batches=1, cut_s=0, trim_age_s=10**10, trim_bytes=10**12)


def work(toy, count, *, tell=False):
    alice = toy.source()
    for request in range(count):
        alice.send(*(Add(request, "ab"[n % 2], n, tell) for n in range(5)))
        toy.run()


def archive(toy, pace=AT_ONCE, *, turns=1) -> WorkerArchiver:
    archiver = WorkerArchiver(toy.journal, toy.blueprint.archive_dir, toy.worker, pace)
    for turn in range(turns):
        archiver.turn(newest_batch=toy.owner.replica.batch, now=float(turn))
        archiver.turn(newest_batch=toy.owner.replica.batch, now=float(turn))
    return archiver


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x01
    path.write_bytes(content)


def test_what_is_archived_is_trimmed_with_its_inputs_and_noted(toy, journal):
    work(toy, 20)
    taken = toy.owner.replica.cursor[keys.commands(toy.worker)]

    archive(toy)

    assert [entry for entry, _ in journal.xrange(keys.log(toy.worker))] == [b"20-0"]
    trimmed = atomic.read_trimmed(journal, toy.worker)
    assert trimmed[keys.log(toy.worker)] == (19, 0)
    assert trimmed[keys.commands(toy.worker)] < taken
    assert journal.xlen(keys.commands(toy.worker)) == 1


def test_nothing_is_trimmed_before_it_is_old_or_too_much(toy, journal):
    work(toy, 5)
    archiver = archive(toy, NEVER_TRIM)

    assert archiver.archive.last_batch == 5
    assert journal.xlen(keys.log(toy.worker)) == 5


def test_a_worker_comes_up_from_the_archive_alone(toy, journal):
    work(toy, 30)
    archive(toy)

    assert bring_up(toy.blueprint, journal).state() == toy.owner.replica.state()


def test_a_full_server_is_trimmed_for_nothing_else_makes_room_there(tmp_path):
    server = LocalValkey(tmp_path).start()
    try:
        journal = journal_client(server.url)
        toy = ToyWorker(journal, tmp_path)
        work(toy, 5)
        journal.config_set("maxmemory", "1")
        with pytest.raises(redis.ResponseError, match="maxmemory"):
            toy.source().send(Add(1, "a", 1))

        archive(toy)

        assert [entry for entry, _ in journal.xrange(keys.log(toy.worker))] == [b"5-0"]
        assert atomic.read_trimmed(journal, toy.worker)[keys.log(toy.worker)] == (4, 0)
    finally:
        server.kill()


def test_a_link_is_archived_with_its_readers_log_and_trimmed_in_its_writers_name(journal, tmp_path):
    writer = ToyWorker(journal, tmp_path, "risk:0", peers=("book:TOY",))
    reader = ToyWorker(journal, tmp_path, "book:TOY", peers=("risk:0",))
    work(writer, 10, tell=True)
    reader.source().send(Add(1, "x", 1))
    reader.run()
    reader.source().send(Add(2, "x", 1))
    reader.run()

    archive(writer)
    link = keys.link("risk:0", "book:TOY")
    assert journal.xlen(link) == 10  # Its writer's archive has no say.
    archive(reader)

    assert journal.xlen(link) == 0
    assert atomic.read_trimmed(journal, "risk:0")[link] == (10, 0)
    assert bring_up(reader.blueprint, journal).state() == reader.owner.replica.state()


def test_a_reader_that_is_slower_than_the_archiver_goes_on_from_the_segments(toy, journal):
    work(toy, 10)
    reader = LogReader(journal, toy.blueprint.archive_dir, {toy.worker: 0})
    first = reader.read(block_ms=0, count=3)
    archive(toy)
    work(toy, 5)

    rest = []
    while batches := reader.read(block_ms=0, count=4):
        rest += batches

    assert [batch.number for batch in first + rest] == list(range(1, 16))
    assert rest[-1].hash == toy.owner.replica.hash


def test_a_trimmed_range_is_noticed_though_the_log_is_silent(toy, journal):
    """XREAD over a trimmed range would wait for ever and say nothing."""
    work(toy, 10)
    archive(toy)
    journal.xtrim(keys.log(toy.worker), maxlen=0, approximate=False)
    atomic.trim(journal, keys.log(toy.worker), writer=toy.worker, up_to=(10, 0))

    reader = LogReader(journal, toy.blueprint.archive_dir, {toy.worker: 0})

    assert [batch.number for batch in reader.read(block_ms=0)] == list(range(1, 11))


def test_a_gap_that_no_segment_fills_raises_and_is_not_skipped(toy, journal):
    work(toy, 10)
    journal.xtrim(keys.log(toy.worker), minid="5-0", approximate=False)

    with pytest.raises(Damage, match="batch 1 is in neither"):
        LogReader(journal, toy.blueprint.archive_dir, {toy.worker: 0}).read(block_ms=0)
    with pytest.raises(Damage, match="batch 1 is in neither"):
        History(journal, toy.blueprint.archive_dir, toy.worker).read(after=0)


def test_inputs_that_were_trimmed_are_read_from_the_archive(toy, journal, cache):
    """A standby that lags finds headers whose inputs are gone from the streams."""
    standby = toy.standby(cache)
    work(toy, 10)
    archive(toy, NEVER_TRIM)
    commands = keys.commands(toy.worker)
    atomic.trim(journal, commands, writer=toy.worker, up_to=toy.batches()[4].core.takes[0].last)

    while standby.follow():
        pass

    assert standby.replica.state() == toy.owner.replica.state()


def test_an_owner_does_not_open_on_inputs_that_it_never_took(toy, journal):
    work(toy, 1)
    archive(toy, NEVER_TRIM)
    entry = toy.source().send(Add(9, "a", 1))
    atomic.trim(journal, keys.commands(toy.worker), writer=toy.worker, up_to=entry)
    owner = toy.start_owner()

    with pytest.raises(Damage, match="trimmed beyond"):
        owner.run()


def test_a_torn_end_of_a_segment_is_cut_off_and_written_again(toy, journal):
    work(toy, 6)
    archive(toy, NEVER_TRIM)
    work(toy, 6)
    archive(toy, NEVER_TRIM)
    (segment,) = Archive(toy.blueprint.archive_dir, toy.worker).files()
    whole = segment.read_bytes()
    for torn in (whole[:-1], whole[:-500], whole[: len(whole) // 2 + 3], whole[:20], b""):
        segment.write_bytes(torn)

        archiver = archive(toy, NEVER_TRIM, turns=2)

        assert archiver.archive.last_batch == 12
        found = Archive(toy.blueprint.archive_dir, toy.worker).batches(after=0)
        assert [batch.number for batch in found] == list(range(1, 13))


def test_a_reader_stops_before_a_torn_end_and_goes_on_when_it_is_whole(toy, journal):
    work(toy, 6)
    archive(toy, NEVER_TRIM)
    work(toy, 6)
    archive(toy, NEVER_TRIM)
    (segment,) = Archive(toy.blueprint.archive_dir, toy.worker).files()
    segment.write_bytes(segment.read_bytes()[:-1])

    found = Archive(toy.blueprint.archive_dir, toy.worker).batches(after=0)

    assert [batch.number for batch in found] == list(range(1, 7))


def test_a_bad_end_of_what_was_already_trimmed_is_damage_and_no_tear(toy, journal):
    work(toy, 6)
    archive(toy)
    (segment,) = Archive(toy.blueprint.archive_dir, toy.worker).files()
    segment.write_bytes(segment.read_bytes()[:-1])

    with pytest.raises(Damage, match="was archived and is gone"):
        archive(toy)


@pytest.mark.parametrize("place", [0, 10, 70, 200, -1])
def test_a_flipped_byte_in_a_segment_is_named_with_its_file(toy, journal, place):
    for _ in range(3):
        work(toy, 4)
        archive(toy)
    (segment,) = Archive(toy.blueprint.archive_dir, toy.worker).files()
    flip(segment, place)

    with pytest.raises(Damage) as found:
        replay_with(toy.blueprint, journal)

    assert found.value.worker.replace(":", "-") == "book-TOY"
    assert found.value.place == str(segment)


def test_a_chunk_of_another_history_is_named(toy, journal, tmp_path):
    """Chunks chain by digest: none can be taken out or put in."""
    for _ in range(3):
        work(toy, 4)
        archive(toy)
    (segment,) = Archive(toy.blueprint.archive_dir, toy.worker).files()
    from apps.journals.segments import heads

    first, second, third = heads(segment)
    content = segment.read_bytes()
    segment.write_bytes(content[: first.end] + content[second.end : third.end])

    with pytest.raises(Damage, match="do not follow"):
        list(Archive(toy.blueprint.archive_dir, toy.worker).batches(after=0))


def damage_entry(journal, stream, number, field, place=-1):
    """Write a stream again with one bit of one entry changed."""
    entries = journal.xrange(stream)
    journal.delete(stream)
    for index, (entry, fields) in enumerate(entries):
        if index == number:
            raw = bytearray(fields[field])
            raw[place] ^= 0x01
            fields[field] = bytes(raw)
        journal.xadd(stream, fields, id=entry)
    return entries[number][0].decode()


def test_a_flipped_byte_in_the_commands_is_named_with_its_entry(toy, journal):
    work(toy, 8)
    entry = damage_entry(journal, keys.commands(toy.worker), 3, b"f")

    with pytest.raises(Damage) as found:
        replay_with(toy.blueprint, journal)

    assert found.value.place == keys.commands(toy.worker)
    assert found.value.part.startswith(f"batch 4, entry {entry}:")


@pytest.mark.parametrize("field", [b"h", b"o"])
def test_a_flipped_byte_in_the_log_is_named_with_its_batch(toy, journal, field):
    work(toy, 8)
    damage_entry(journal, keys.log(toy.worker), 3, field)

    with pytest.raises(Damage, match="batch 4"):
        replay_with(toy.blueprint, journal)
    with pytest.raises(Damage, match="batch 4"):
        LogReader(journal, toy.blueprint.archive_dir, {toy.worker: 0}).read(block_ms=0)


def test_every_flipped_byte_of_a_header_is_noticed(toy, journal):
    """Whatever it is, it is named as this batch or as the next one, which no longer follows."""
    work(toy, 3)
    size = len(journal.xrange(keys.log(toy.worker))[1][1][b"h"])
    for place in range(size):
        damage_entry(journal, keys.log(toy.worker), 1, b"h", place)
        with pytest.raises(Exception, match=r"batch [23]\b"):
            replay_with(toy.blueprint, journal)
        damage_entry(journal, keys.log(toy.worker), 1, b"h", place)


def test_a_flipped_byte_in_a_link_is_named_with_its_entry(journal, tmp_path):
    writer = ToyWorker(journal, tmp_path, "risk:0", peers=("book:TOY",))
    reader = ToyWorker(journal, tmp_path, "book:TOY", peers=("risk:0",))
    work(writer, 5, tell=True)
    reader.run()
    link = keys.link("risk:0", "book:TOY")
    damage_entry(journal, link, 2, b"f")

    with pytest.raises(Damage) as found:
        replay_with(reader.blueprint, journal)

    assert found.value.place == link
    assert "entry 3-0" in found.value.part


def test_an_entry_that_is_gone_is_named(toy, journal):
    work(toy, 4)
    ((entry, _),) = journal.xrange(keys.commands(toy.worker), count=1)
    journal.xdel(keys.commands(toy.worker), entry)

    with pytest.raises(Damage, match="are gone"):
        replay_with(toy.blueprint, journal)


def test_the_archiver_takes_no_damaged_batch(toy, journal):
    work(toy, 8)
    damage_entry(journal, keys.commands(toy.worker), 3, b"f")

    with pytest.raises(Damage, match="batch 4"):
        archive(toy)


def test_the_archiver_goes_on_where_its_former_life_ended(toy, journal):
    work(toy, 5)
    archive(toy, NEVER_TRIM)
    work(toy, 5)
    archiver = archive(toy, AT_ONCE)

    assert archiver.archive.last_batch == 10
    assert journal.xlen(keys.log(toy.worker)) == 1
    assert bring_up(toy.blueprint, journal).state() == toy.owner.replica.state()


def test_one_damaged_worker_does_not_keep_the_others_from_the_archive(journal, cache, tmp_path):
    good = ToyWorker(journal, tmp_path, "book:GOOD")
    bad = ToyWorker(journal, tmp_path, "book:BAD")
    work(good, 3)
    work(bad, 3)
    damage_entry(journal, keys.commands("book:BAD"), 1, b"f")
    archiver = Archiver(journal, cache, tmp_path / "archive", pace=AT_ONCE)

    for _ in range(3):
        archiver.turn()

    assert Archive(tmp_path / "archive", "book:GOOD").files()
    said = pressure.read_pressure(cache)
    assert said.workers["book:GOOD"].archived_batch == 3
    assert said.workers["book:BAD"].archived_batch == 0


def test_pressure_is_said_with_its_reason_and_falls_silent_with_the_archiver(
    toy, journal, cache, tmp_path
):
    work(toy, 3)
    relaxed = Archiver(journal, cache, tmp_path / "archive", pace=NEVER_TRIM)
    relaxed.turn()
    said = pressure.read_pressure(cache)
    assert (said.refuse, said.reason) == (False, "")
    assert said.workers[toy.worker].batch == 3

    tight = pressure.Limits(stream_bytes=10)
    Archiver(journal, cache, tmp_path / "archive", pace=NEVER_TRIM, limits=tight).turn()
    said = pressure.read_pressure(cache)
    assert said.refuse
    assert "{book:TOY}" in said.reason

    tight = pressure.Limits(journal_bytes=10)
    Archiver(journal, cache, tmp_path / "archive", pace=NEVER_TRIM, limits=tight).turn()
    assert "journals hold" in pressure.read_pressure(cache).reason
    assert 0 < cache.pttl(pressure.KEY) <= pressure.LIFE_MS
