"""The projector on real servers: what an edge reads, when it may read it, and how it comes back."""

import time

import msgspec
import pytest

from apps.common.kernel.ids import parse_stream_id
from apps.common.redis_clients import async_cache_client
from apps.common.service import Service
from apps.journals import keys
from apps.journals.snapshots import Snapshots
from apps.marketdata.groups import channel_of, user_group
from apps.orders import readmodels
from apps.orders.projector import store
from apps.orders.projector.folds import Changes
from apps.orders.projector.process import Projector
from apps.orders.readmodels import ReadModels, ReadModelsNotReady, SyncReadModels
from tests.helpers.journal_world import COIN, JournalWorld

RISK, BOOK = "risk:0", "book:BTC-USDT"


@pytest.fixture
def world(journal, monkeypatch) -> JournalWorld:
    """One market, alice who wants bitcoin and bob who has some."""
    monkeypatch.setattr("tests.helpers.journal_world.START_NS", time.time_ns())
    world = JournalWorld(journal)
    world.alice = world.account(1, USDT=1_000)
    world.bob = world.account(2, BTC=1_000)
    world.run()
    return world


@pytest.fixture
def new_projector(journal, cache, tmp_path):
    """Make projectors: each is a start of the process."""
    service = Service(kind="projector", handle_signals=False, configure_logs=False)

    def start() -> Projector:
        folders = (tmp_path / "archive", tmp_path / "snapshots")
        projector = Projector(journal, cache, folders, service)
        projector.come_up()
        return projector

    yield start
    service.close()


def drain(projector: Projector) -> None:
    while projector.turn(block_ms=1):
        pass


@pytest.fixture
def projector(world, new_projector) -> Projector:
    projector = new_projector()
    drain(projector)
    return projector


@pytest.fixture
def models(cache) -> SyncReadModels:
    return SyncReadModels(cache)


def test_until_all_is_read_nothing_is_answered(world, new_projector, models):
    projector = new_projector()
    with pytest.raises(ReadModelsNotReady):
        models.balances(world.alice)

    drain(projector)

    assert models.balances(world.alice)["USDT"].total == 1_000 * COIN


def test_an_order_is_found_by_number_and_by_its_clients_name(world, projector, models):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.place(world.bob, "S", lots=100, at=10_000, client_id="his")
    world.run()
    drain(projector)

    order = models.order_by_client_id(world.alice, "first")

    assert (order.status, order.filled_lots, order.lots) == ("PARTIALLY_FILLED", 100, 300)
    assert (order.engine, order.engine_seq) == (BOOK, order.book_seq)
    assert models.order_by_id(world.alice, order.order_id) == order
    assert models.open_orders(world.alice) == [order]
    assert models.open_orders(world.alice, market="ETH-USDT") == []
    assert models.balances(world.alice)["BTC"].total == 99_900  # 100 lots less the fee.


def test_anothers_order_and_no_order_look_the_same(world, projector, models):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.run()
    drain(projector)
    order = models.order_by_client_id(world.alice, "first")

    assert models.order_by_id(world.bob, order.order_id) is None
    assert models.order_by_id(world.bob, 77 * 1024) is None
    assert models.order_by_client_id(world.bob, "first") is None


def test_an_order_that_ended_moves_to_the_recent_ones(world, projector, models):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="gone")
    world.run()
    drain(projector)
    world.cancel_all(world.alice)
    world.run()
    drain(projector)

    (ended,) = models.recent_orders(world.alice)

    assert (ended.client_id, ended.status, ended.ended) == ("gone", "CANCELED", "canceled")
    assert models.open_orders(world.alice) == []
    assert models.order_by_client_id(world.alice, "gone") == ended


def test_fills_are_listed_newest_first(world, projector, models):
    for lots in (10, 20):
        world.place(world.bob, "S", lots=lots, at=10_000)
        world.place(world.alice, "B", lots=lots, at=10_000)
        world.run()
    drain(projector)

    assert [fill.lots for fill in models.recent_fills(world.alice)] == [20, 10]
    assert models.recent_fills(world.alice)[0].fee_asset == "BTC"
    assert [fill.lots for fill in models.recent_fills(world.bob, limit=1)] == [20]


def test_a_second_start_goes_on_where_the_first_stopped(world, projector, new_projector, models):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.run()
    drain(projector)
    world.place(world.bob, "S", lots=100, at=10_000)
    world.run()

    again = new_projector()

    assert again.ready  # Readers never noticed.
    drain(again)
    assert models.order_by_client_id(world.alice, "first").filled_lots == 100
    assert len(models.recent_fills(world.alice)) == 1


def test_a_cache_that_forgot_is_filled_again(world, projector, cache, models, monkeypatch):
    monkeypatch.setattr(Changes, "leave", lambda *_: None)  # When reports left is in no log.
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.run()
    drain(projector)
    before = {key: cache.dump(key) for key in cache.scan_iter(match="rm:*")}
    cache.flushall()
    projector._looked_at = 0

    with pytest.raises(store.CacheLost):
        projector.turn(block_ms=1)
    with pytest.raises(ReadModelsNotReady):
        models.balances(world.alice)
    projector.come_up()
    drain(projector)

    assert {key: cache.dump(key) for key in cache.scan_iter(match="rm:*")} == before


def test_a_write_to_a_cache_that_forgot_is_noticed(world, projector, cache, models):
    cache.flushall()
    world.place(world.alice, "B", lots=300, at=10_000)
    world.run()

    with pytest.raises(store.CacheLost):
        drain(projector)
    with pytest.raises(ReadModelsNotReady):
        models.open_orders(world.alice)


def test_a_new_partition_is_taken_up(world, projector, journal, models):
    journal.sadd(keys.WORKERS, "risk:1")
    projector._looked_at = 0

    drain(projector)

    assert set(projector._targets) == {RISK, "risk:1"}
    assert models.balances(world.alice)


def test_the_owner_hears_of_an_order_after_it_can_be_read(world, projector, cache, models):
    ears = cache.pubsub(ignore_subscribe_messages=True)
    ears.subscribe(channel_of(user_group(world.alice)))
    ears.get_message(timeout=1)
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.run()
    drain(projector)

    heard = [msgspec.msgpack.decode(ears.get_message(timeout=1)["data"]) for _ in range(2)]
    ears.close()

    held, event = (msgspec.json.decode(message["text"]) for message in heard)
    assert {message["type"] for message in heard} == {"user.event"}
    assert (held["e"], held["B"][0]["l"]) == ("outboundAccountPosition", "0.30000000")
    assert (event["e"], event["x"], event["c"]) == ("executionReport", "NEW", "first")
    assert models.order_by_client_id(world.alice, "first").book_hash.hex() == event["journalHash"]


def test_when_a_report_left_stands_beside_what_it_reported(world, projector, models):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.run()
    drain(projector)
    world.place(world.bob, "S", lots=100, at=10_000)
    world.run()
    before_ns = time.time_ns()
    drain(projector)

    order = models.order_by_client_id(world.alice, "first")
    (fill,) = models.recent_fills(world.alice)

    assert 0 < order.new_told_ns < before_ns < fill.told_ns < time.time_ns()
    assert order.end_told_ns == 0
    assert order.command == projector.fold.open[order.order_id].command > (0, 0)
    assert (order.first_seq, order.first_hash) != (order.book_seq, order.book_hash)


async def test_a_read_waits_until_the_command_it_must_see_is_read(world, projector, journal):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.run()
    stream = keys.commands(RISK)
    last = parse_stream_id(journal.xinfo_stream(stream)["last-generated-id"])
    async with async_cache_client() as client:
        models = ReadModels(client)
        assert not await models.wait_for(RISK, stream, last, 0.01)
        drain(projector)
        assert await models.wait_for(RISK, stream, last, 0.01)
        assert await models.wait_for(RISK, keys.link(BOOK, RISK), (1, 0), 0.01)
        assert not await models.wait_for(RISK, stream, (last[0] + 1, 0), 0.01)
        assert await models.wait_for_batch(RISK, projector.fold.places[RISK].batch, 0.01)
        assert (await models.order_by_client_id(world.alice, "first")).status == "NEW"
        assert (await models.position(RISK)).taken[stream] == last
        assert readmodels.RECENT_MAX == 1_000


def test_a_long_history_starts_at_the_newest_snapshot(
    world, new_projector, models, cache, tmp_path, monkeypatch
):
    world.place(world.alice, "B", lots=300, at=10_000, client_id="first")
    world.place(world.bob, "S", lots=100, at=10_000)
    world.run()
    drain(new_projector())
    owned = {account: models.balances(account) for account in (world.alice, world.bob)}
    order = models.order_by_client_id(world.alice, "first")
    Snapshots(tmp_path / "snapshots", RISK).save(world.replicas[RISK])
    cache.flushall()
    monkeypatch.setattr("apps.orders.projector.process.HISTORY_MAX", 1)

    projector = new_projector()
    assert projector.fold.places[RISK].batch == world.replicas[RISK].batch
    drain(projector)

    again = models.order_by_client_id(world.alice, "first")
    assert (again.status, again.filled_lots, again.cum_quote) == ("PARTIALLY_FILLED", 100, 10**7)
    assert again.order_id == order.order_id
    assert {account: models.balances(account) for account in owned} == owned
    world.cancel_all(world.alice)
    world.run()
    drain(projector)
    assert models.order_by_client_id(world.alice, "first").status == "CANCELED"


def test_read_models_of_another_history_are_built_again(world, projector, cache, new_projector):
    cache.hset(readmodels.position_key(RISK), "hash", "00" * 32)

    again = new_projector()

    assert not again.ready
    drain(again)
    assert again.ready
