"""Market data on real servers: what REST reads, what the feeds say, and how it comes back."""

import json
import time

import msgspec
import pytest
from django.db import InterfaceError

from apps.common.service import Service
from apps.journals.contracts import RulesSet
from apps.marketdata import checkpoint, selectors, services, store
from apps.marketdata.groups import channel_of, market_group
from apps.marketdata.keeper import CandleKeeper
from apps.marketdata.models import Candle
from apps.marketdata.process import CacheLost, MarketData
from matching_worker.contracts.market import BreakerSet
from tests.helpers.journal_world import JournalWorld

BOOK, SYMBOL = "book:BTC-USDT", "BTCUSDT"


@pytest.fixture
def world(journal, monkeypatch) -> JournalWorld:
    """One market, alice who wants bitcoin and bob who has some."""
    monkeypatch.setattr("tests.helpers.journal_world.START_NS", time.time_ns())
    world = JournalWorld(journal)
    world.alice = world.account(1, USDT=1_000_000)
    world.bob = world.account(2, BTC=1_000)
    world.run()
    return world


@pytest.fixture
def start(journal, cache, tmp_path, servers):
    """Make market data processes: each is a start."""
    selectors._cache.cache_clear()
    service = Service(kind="marketdata", handle_signals=False, configure_logs=False)

    def begin(sink=None) -> MarketData:
        folders = (tmp_path / "archive", tmp_path / "snapshots")
        process = MarketData(journal, cache, folders, service, sink)
        process.look()
        return process

    yield begin
    service.close()
    selectors._cache.cache_clear()


def drain(process: MarketData, *, seconds: float = 0) -> None:
    process._tenth -= seconds
    process._second -= seconds
    while process.turn(block_ms=1):
        pass


@pytest.fixture
def ears(cache):
    """Hear all groups of the market."""
    hearing = cache.pubsub(ignore_subscribe_messages=True)
    hearing.psubscribe(channel_of("market.*"))
    hearing.get_message(timeout=1)
    yield hearing
    hearing.close()


def heard(ears) -> dict[str, list[dict]]:
    said: dict[str, list[dict]] = {}
    while message := ears.get_message(timeout=0.05):
        event = msgspec.msgpack.decode(message["data"])
        name = event["group"].removeprefix("market.")
        said.setdefault(name, []).append(json.loads(event["text"]))
    return said


def trades(world: JournalWorld, *prices: int) -> None:
    for price in prices:
        world.place(world.bob, "S", lots=20, at=price)
        world.place(world.alice, "B", lots=10, at=price)
        world.run()
        world.cancel_all(world.bob)
        world.run()


def test_rest_reads_the_book_the_tape_and_the_tickers(world, start):
    world.place(world.alice, "B", lots=30, at=9_900)
    trades(world, 10_000, 10_100)
    world.place(world.bob, "S", lots=50, at=10_200)
    world.run()

    drain(start(), seconds=2)

    depth = selectors.depth(SYMBOL, 5)
    assert depth["bids"] == [("99.00", "0.00030")]
    assert depth["asks"] == [("102.00", "0.00050")]
    assert depth["engineSeq"] == world.replicas[BOOK].machine.seq == depth["lastUpdateId"]
    assert [trade["price"] for trade in selectors.recent_trades(SYMBOL)] == ["100.00", "101.00"]
    assert [trade["q"] for trade in selectors.agg_trades(SYMBOL, limit=1)] == ["0.00010"]
    assert selectors.agg_trades(SYMBOL, from_id=1, limit=1)[0]["p"] == "100.00"
    assert selectors.book_ticker(SYMBOL)["askPrice"] == "102.00"
    assert selectors.ticker_price() == [{"symbol": SYMBOL, "price": "101.00"}]
    day = selectors.ticker_24h(SYMBOL)
    assert (day["openPrice"], day["highPrice"], day["lastPrice"]) == ("100.00", "101.00", "101.00")
    assert (day["volume"], day["count"], day["priceChangePercent"]) == ("0.00020", 2, "1.000")


def test_an_unknown_symbol_is_refused(world, start):
    with pytest.raises(selectors.MarketDataNotReady):
        selectors.depth("ETHBTC")
    drain(start())
    with pytest.raises(selectors.UnknownSymbol):
        selectors.depth("ETHBTC")


def test_feeds_say_what_happened_each_once_and_at_its_pace(world, start, ears):
    process = start()
    drain(process)
    trades(world, 10_000)
    drain(process)

    at_once = heard(ears)
    assert [event["p"] for event in at_once[f"{SYMBOL}.trade"]] == ["100.00"]
    assert {f"{SYMBOL}.{name}" for name in ("aggTrade", "depth0", "bookTicker")} < set(at_once)
    assert f"{SYMBOL}.depth" not in at_once
    drain(process, seconds=2)
    later = heard(ears)
    tenth = (at_once | later)[f"{SYMBOL}.depth100"]
    assert tenth[-1]["u"] == later[f"{SYMBOL}.depth"][0]["u"]
    assert later[f"{SYMBOL}.kline_1m"][0]["k"]["v"] == "0.00010"
    assert later[f"{SYMBOL}.ticker"][0]["c"] == "100.00"
    assert later["all.time"][0]["e"] == "time"
    assert later["all.miniTicker"][0][0]["s"] == SYMBOL


def test_history_is_not_said_again_but_shown(world, start, ears):
    trades(world, 10_000)

    drain(start())

    assert not {f"{SYMBOL}.trade", f"{SYMBOL}.depth0"} & set(heard(ears))
    assert len(selectors.recent_trades(SYMBOL)) == 1


def test_a_snapshot_and_the_differences_after_it_are_the_book(world, start, ears):
    process = start()
    drain(process)
    world.place(world.alice, "B", lots=30, at=9_900)
    world.run()
    drain(process)
    snapshot = selectors.depth(SYMBOL, 5_000)
    heard(ears)
    world.place(world.alice, "B", lots=5, at=9_900)
    world.place(world.alice, "B", lots=7, at=9_800)
    world.run()
    drain(process)

    book = dict(snapshot["bids"])
    for event in heard(ears)[f"{SYMBOL}.depth0"]:
        if event["u"] > snapshot["lastUpdateId"]:
            assert event["U"] <= snapshot["lastUpdateId"] + 1 or event["pu"]
            book |= dict(event["b"])

    assert book == dict(selectors.depth(SYMBOL)["bids"]) == {"99.00": "0.00035", "98.00": "0.00007"}


def test_a_second_start_goes_on_from_the_checkpoint(world, start, tmp_path):
    process = start()
    trades(world, 10_000)
    drain(process)
    process.save()
    trades(world, 10_100)

    again = start()

    assert again.markets[BOOK].view.batch == process.markets[BOOK].view.batch
    drain(again)
    assert [trade["price"] for trade in selectors.recent_trades(SYMBOL)] == ["100.00", "101.00"]


def test_a_checkpoint_of_another_history_is_not_used(world, start, journal):
    process = start()
    trades(world, 10_000)
    drain(process)
    process.markets[BOOK].view.hash = b"another history"
    process.save()

    again = start()

    assert again.markets[BOOK].view.batch == 0


def test_a_checkpoint_that_is_damaged_is_not_used(world, start, tmp_path):
    process = start()
    drain(process)
    process.save()
    path = checkpoint.path_of(tmp_path / "snapshots", BOOK)
    path.write_bytes(path.read_bytes()[:-1] + b"x")

    assert start().markets[BOOK].view.batch == 0


def test_a_cache_that_forgot_is_filled_again(world, start, cache):
    process = start()
    trades(world, 10_000)
    drain(process, seconds=2)
    keys = set(cache.scan_iter(match="md:*"))
    cache.flushall()

    with pytest.raises(CacheLost):
        process.turn(block_ms=1)
    process._close()
    drain(process, seconds=2)

    assert set(cache.scan_iter(match="md:*")) == keys
    assert len(selectors.recent_trades(SYMBOL)) == 1
    assert cache.exists(store.READY)


@pytest.mark.django_db
def test_candles_stay_in_postgresql_and_join_those_of_the_day(world, start):
    keeper = CandleKeeper()
    trades(world, 10_000, 10_100)
    drain(start(keeper))
    keeper.flush()

    minute = Candle.objects.of("BTC-USDT", 1).get()
    hour = Candle.objects.of("BTC-USDT", 60).get()
    assert (minute.open_ticks, minute.close_ticks, minute.trades) == (10_000, 10_100, 2)
    assert (hour.volume_lots, hour.quote_minor) == (20, 10 * (10_000 + 10_100) * 10)
    trades(world, 10_200)
    process = start(keeper)
    drain(process)
    keeper.flush()
    assert Candle.objects.of("BTC-USDT", 1).last().close_ticks == 10_200

    (kline,) = selectors.klines(SYMBOL, "1h", limit=1)
    assert kline[1:6] == ["100.00", "102.00", "100.00", "102.00", "0.00030"]
    assert len(selectors.klines(SYMBOL, "1d", limit=500)) == 1
    week_ago = selectors._now_ms() - 7 * 86_400_000
    Candle.objects.filter(step_minutes=60).update(opened_at=selectors._moment(week_ago))
    days = selectors.klines(SYMBOL, "1d", limit=30)
    assert [day[8] for day in days] == [3, 0, 0, 0, 0, 0, 0, 3]
    assert days[3][1:5] == ["102.00"] * 4


@pytest.mark.django_db
def test_minutes_without_trades_are_flat(world, start):
    trades(world, 10_000)
    drain(start())
    now_ms = selectors._now_ms()

    klines = selectors.klines(SYMBOL, "1m", start_ms=now_ms - 300_000, end_ms=now_ms, limit=10)

    assert next(kline[8] for kline in klines) == 1
    assert market_group(SYMBOL, "trade") == "market.BTCUSDT.trade"


@pytest.mark.django_db
def test_candles_of_the_day_need_no_database(world, start, monkeypatch):
    trades(world, 10_000)
    drain(start())
    monkeypatch.setattr(selectors._Postgres, "away_until", float("inf"))

    assert [kline[8] for kline in selectors.klines(SYMBOL, "1h", limit=1)] == [1]
    assert [kline[8] for kline in selectors.klines(SYMBOL, "1d", limit=1)] == [1]


@pytest.mark.django_db
def test_candles_wait_while_the_database_is_away(world, start, monkeypatch):
    keeper = CandleKeeper()
    trades(world, 10_000)
    drain(start(keeper))
    keep = services.keep_candles

    def away(_rows):
        raise InterfaceError("away")

    monkeypatch.setattr(services, "keep_candles", away)
    monkeypatch.setattr("django.db.connection.close", lambda: None)
    keeper.flush()
    assert Candle.objects.count() == 0
    monkeypatch.setattr(services, "keep_candles", keep)
    keeper.flush()
    assert Candle.objects.count() == 2


def test_a_pause_is_seen_while_it_lasts_although_nobody_sends_a_command(world, start):
    process = start()
    world.tell(BOOK, RulesSet(2), BreakerSet(5_000, 120, 10))
    world.run()
    world.place(world.bob, "S", lots=1, at=10_100)
    world.run()
    world.place(world.alice, "B", lots=1, at=10_100)
    world.run()
    drain(process)
    assert selectors.states([SYMBOL, "NOBODY"]) == {SYMBOL: "cancel_only"}

    seen = []
    for seconds in (121, 11):
        world.run(seconds=seconds)
        drain(process)
        seen.append(selectors.states([SYMBOL])[SYMBOL])

    assert seen == ["post_only", "trading"]
