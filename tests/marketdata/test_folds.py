"""What market data says of a book is what adding up the book's orders and trades by hand says."""

import json
from itertools import pairwise

import msgspec
import pytest

from apps.marketdata import intervals
from apps.marketdata.candles import grouped
from apps.marketdata.dialect import Numbers, ms
from apps.marketdata.streams import MarketStreams
from apps.marketdata.view import MarketView, Saved, restored
from matching_worker.contracts.from_book import OrderRemoved, Trade
from tests.helpers.logged_stage import LIVELY_MARKET, LoggedBatch, LoggedStage, random_day

SEEDS = range(6)


class Followed(LoggedStage):
    """A stage whose book is followed by market data, batch for batch."""

    def __init__(self) -> None:
        self.view = MarketView(LIVELY_MARKET)
        self.streams = MarketStreams(self.view)
        self.said: list[tuple[str, dict]] = []
        self.trades_at: list[tuple[int, Trade]] = []
        super().__init__()
        for batch in self.logs:
            self.follow(batch)
        self.on_batch = self.follow

    def follow(self, batch: LoggedBatch) -> None:
        if batch.worker != self.book.name:
            return
        self.view.apply(batch.header, batch.hash, batch.outputs)
        self.view.depth.check()
        trades = [event for event in batch.outputs if isinstance(event, Trade)]
        self.trades_at += [(batch.header.at_ns, trade) for trade in trades]
        self.hear(self.streams.at_once())
        if batch.number % 3 == 0:
            self.hear(self.streams.each_tenth())
        if batch.number % 7 == 0:
            self.hear(self.streams.each_second(ms(self.now_ns)))
        bids, asks = self.levels()
        assert dict(self.view.depth.bids) == bids
        assert dict(self.view.depth.asks) == asks

    def hear(self, events) -> None:
        self.said += [(name, json.loads(text)) for name, text in events]

    def heard(self, name: str) -> list[dict]:
        return [event for one, event in self.said if one == name]


@pytest.fixture(params=SEEDS)
def day(request) -> Followed:
    stage = Followed()
    random_day(stage, seed=request.param, acts=120)
    return stage


def applied(book: dict[str, dict[str, str]], event: dict) -> None:
    for side in ("b", "a"):
        for price, size in event[side]:
            book[side].pop(price, None)
            if float(size):
                book[side][price] = size


@pytest.mark.parametrize("stream", ["depth0", "depth100", "depth"])
def test_an_old_snapshot_and_the_differences_since_make_the_new_book(day, stream):
    day.hear(day.streams.each_tenth())
    day.hear(day.streams.each_second(ms(day.now_ns)))
    events = day.heard(stream)
    book: dict[str, dict[str, str]] = {"b": {}, "a": {}}

    for event in events:
        applied(book, event)

    numbers = day.view.numbers
    bids, asks = day.levels()
    assert book["b"] == {numbers.price(ticks): numbers.size(lots) for ticks, lots in bids.items()}
    assert book["a"] == {numbers.price(ticks): numbers.size(lots) for ticks, lots in asks.items()}
    assert all(after["U"] == before["u"] + 1 for before, after in pairwise(events))
    assert all(event["pu"] == event["U"] - 1 and event["U"] <= event["u"] for event in events)


def test_a_minute_is_the_sum_of_its_trades(day):
    by_minute: dict[int, list[Trade]] = {}
    for at_ns, trade in day.trades_at:
        by_minute.setdefault(ms(at_ns) // 60_000 * 60_000, []).append(trade)

    assert list(day.view.candles.minutes) == list(by_minute)
    for minute, trades in by_minute.items():
        candle = day.view.candles.minutes[minute]
        prices = [trade.price_ticks for trade in trades]
        bought = [trade for trade in trades if trade.taker_side == "B"]
        assert (candle.open, candle.close) == (prices[0], prices[-1])
        assert (candle.high, candle.low) == (max(prices), min(prices))
        assert candle.lots == sum(trade.lots for trade in trades)
        assert candle.quote == sum(trade.lots * trade.price_ticks * 10 for trade in trades)
        assert candle.taker_lots == sum(trade.lots for trade in bought)
        assert (candle.trades, candle.first_id) == (len(trades), trades[0].trade_id)


@pytest.mark.parametrize("interval", ["3m", "1h", "1w", "1M"])
def test_a_longer_candle_is_the_sum_of_its_minutes(day, interval):
    candles = list(grouped(day.view.candles.minutes.values(), interval))

    newest = day.view.candles.now[interval]
    assert candles[-1].open_ms <= newest.open_ms
    if candles[-1].open_ms == newest.open_ms:
        assert candles[-1] == newest
    assert sum(candle.trades for candle in candles) == len(day.trades_at)


def test_the_rolling_day_is_the_sum_of_the_trades_of_24_hours(day):
    now_ms = ms(day.now_ns)
    since = intervals.opening("1m", now_ms) - intervals.DAY_MS + 60_000
    trades = [trade for at_ns, trade in day.trades_at if ms(at_ns) >= since]

    total = day.view.day(now_ms)

    assert total.lots == sum(trade.lots for trade in trades)
    assert total.trades == len(trades)
    assert (total.high, total.low) == (
        max(trade.price_ticks for trade in trades),
        min(trade.price_ticks for trade in trades),
    )
    assert total.last == trades[-1].price_ticks


def test_trades_of_a_day_ago_have_left_the_rolling_day(day):
    total = day.view.day(ms(day.now_ns) + intervals.DAY_MS + 60_000)

    assert (total.trades, total.lots) == (0, 0)
    assert total.open == total.high == total.low == total.last == day.trades_at[-1][1].price_ticks


def test_every_trade_is_said_once_and_aggregates_hold_all_of_them(day):
    ids = [event["t"] for event in day.heard("trade")]
    runs = day.heard("aggTrade")

    assert ids == [trade.trade_id for _, trade in day.trades_at]
    assert [run["a"] for run in runs] == list(range(1, len(runs) + 1))
    assert [run["f"] for run in runs[1:]] == [run["l"] + 1 for run in runs[:-1]]


def test_a_view_goes_on_from_where_it_was_saved(day):
    packed = msgspec.msgpack.encode(day.view.save())

    view = restored(msgspec.msgpack.decode(packed, type=Saved))

    assert view.save() == day.view.save()
    day.view = view
    day.streams = MarketStreams(view)
    random_day(day, seed=99, acts=20, names=("dave", "erin"))


def test_levels_that_a_timer_changed_get_a_number_of_their_own(day):
    before = day.view.update_id
    level = next(iter(day.view.depth.bids), None) or next(iter(day.view.depth.asks))
    side = "B" if level in day.view.depth.bids else "S"
    removed = OrderRemoved(day.view.seq, 1, 1024, side, level, 1, "canceled")
    last = day.logs[-1].header
    header = msgspec.structs.replace(
        last, batch=day.view.batch + 1, first_seq=day.view.seq + 1, last_seq=day.view.seq
    )

    day.view.apply(header, b"", [removed])

    assert day.view.update_id == before + 1


def test_numbers_are_written_exactly():
    numbers = Numbers(LIVELY_MARKET)

    assert numbers.price(123_456) == "1234.56"
    assert numbers.size(7) == "0.00007"
    assert numbers.average_price(10 * (100 * 1 + 101 * 2), 3) == "1.0066666666"
