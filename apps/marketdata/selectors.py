"""Reads of market data as the dialect answers them: `cache`, and PostgreSQL for older candles."""

import time
from datetime import UTC, datetime
from functools import cache as once
from typing import Any

import redis
from django.db import DatabaseError, InterfaceError

from apps.common.errors import Refusal, Unavailable
from apps.common.redis_clients import cache_client
from apps.marketdata import intervals, store
from apps.marketdata.candles import MINUTES_KEPT, Candle, RollingDay, filled, grouped
from apps.marketdata.dialect import Numbers, ms, percent
from apps.marketdata.intervals import DAY_MS, HOUR_MS, MINUTE_MS
from apps.marketdata.models import Candle as CandleRow
from apps.marketdata.streams import by_aggregate
from apps.marketdata.view import TRADES_KEPT, Print

KLINES_MAX = 1_000
LOOK_BACK_MS = 6 * HOUR_MS  # How far to look on `cache` for the price before a quiet time.
AWAY_S = 2.0  # After a failure PostgreSQL is not asked again for so long.
Json = dict[str, Any]


class UnknownSymbol(Refusal):
    """No such market (the dialect's -1121)."""

    code = "unknown_symbol"
    http_status = 400

    def __init__(self, symbol: str) -> None:
        super().__init__("Invalid symbol.", symbol=symbol)


class MarketDataNotReady(Unavailable):
    """The cache is away, or being filled: a 503, while orders flow."""

    def __init__(self) -> None:
        super().__init__("Market data")


class _Postgres:
    """When it may be asked again."""

    away_until = float("-inf")


@once
def _cache() -> "redis.Redis":
    return cache_client(max_connections=64)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _read(*calls: tuple[Any, ...]) -> list[Any]:
    """One round trip."""
    try:
        pipe = _cache().pipeline(transaction=False)
        for call in calls:
            pipe.execute_command(*call)
        return pipe.execute()
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise MarketDataNotReady from error


def _read_market(symbol: str, *calls: tuple[Any, ...]) -> tuple[Numbers, list[Any]]:
    raw, *answers = _read(("GET", store.spec_key(symbol)), *calls)
    if raw is None:
        (ready,) = _read(("EXISTS", store.READY))
        raise UnknownSymbol(symbol) if ready else MarketDataNotReady
    return Numbers(store.decode_spec(raw)), answers


def symbols() -> list[str]:
    """Return the dialect's names of all markets that have data."""
    (raw,) = _read(("SMEMBERS", store.SYMBOLS))
    return sorted(name.decode() for name in raw)


def states(symbols: list[str]) -> dict[str, str]:
    """Return each market's state as its book last said; without those that are not known now."""
    try:
        tops = _read(*[("GET", store.top_key(symbol)) for symbol in symbols])
    except MarketDataNotReady:
        return {}
    found = zip(symbols, tops, strict=True)
    return {symbol: store.decode_top(raw).state for symbol, raw in found if raw is not None}


def depth(symbol: str, limit: int = 100) -> Json:
    """Return the best levels. Depth events go on from `lastUpdateId`."""
    numbers, (raw,) = _read_market(symbol, ("GET", store.depth_key(symbol)))
    if raw is None:
        raise MarketDataNotReady
    now = store.decode_depth(raw)
    return {
        "lastUpdateId": now.update_id,
        "bids": numbers.levels(now.bids[:limit]),
        "asks": numbers.levels(now.asks[:limit]),
        "engine": f"book:{numbers.spec.symbol}",
        "engineSeq": now.seq,
        "journalHash": now.hash.hex(),
    }


def _tape(symbol: str, count: int) -> tuple[Numbers, list[Print]]:
    numbers, (raw,) = _read_market(symbol, ("LRANGE", store.trades_key(symbol), -count, -1))
    return numbers, [store.decode_print(entry) for entry in raw]


def recent_trades(symbol: str, limit: int = 500) -> list[Json]:
    """Return the newest trades, oldest of them first."""
    numbers, tape = _tape(symbol, limit)
    return [
        {
            "id": printed.trade_id,
            "price": numbers.price(printed.ticks),
            "qty": numbers.size(printed.lots),
            "quoteQty": numbers.quote(int(printed.quote)),
            "time": ms(printed.at_ns),
            "isBuyerMaker": not printed.taker_buys,
            "isBestMatch": True,
            "engineSeq": printed.seq,
        }
        for printed in tape
    ]


def agg_trades(
    symbol: str,
    *,
    limit: int = 500,
    from_id: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Json]:
    """Return trades with the fills of one taker at one price as one; what the tape still holds."""
    numbers, tape = _tape(symbol, TRADES_KEPT)
    runs = list(by_aggregate(tape))
    if len(tape) == TRADES_KEPT:
        runs = runs[1:]  # Its first fills may have left the tape.
    found = [
        run
        for run in runs
        if (from_id is None or run[0].aggregate >= from_id)
        and (start_ms is None or ms(run[0].at_ns) >= start_ms)
        and (end_ms is None or ms(run[0].at_ns) <= end_ms)
    ]
    asked = from_id is not None or start_ms is not None
    chosen = found[:limit] if asked else found[-limit:]
    return [_aggregate(run, numbers) for run in chosen]


def _aggregate(run: list[Print], numbers: Numbers) -> Json:
    return {
        "a": run[0].aggregate,
        "p": numbers.price(run[0].ticks),
        "q": numbers.size(sum(printed.lots for printed in run)),
        "f": run[0].trade_id,
        "l": run[-1].trade_id,
        "T": ms(run[-1].at_ns),
        "m": not run[0].taker_buys,
        "M": True,
    }


# ── Tickers ─────────────────────────────────────────────────────────────────────────────────────


def _one_or_all(symbol: str | None, read: Any) -> Any:
    return read(symbol) if symbol is not None else [read(name) for name in symbols()]


def ticker_24h(symbol: str | None = None) -> Any:
    """Return the rolling day of one market, or of all."""
    return _one_or_all(symbol, _ticker_24h)


def ticker_price(symbol: str | None = None) -> Any:
    """Return the last price of one market, or of all."""
    return _one_or_all(symbol, _ticker_price)


def book_ticker(symbol: str | None = None) -> Any:
    """Return the best prices of one market, or of all."""
    return _one_or_all(symbol, _book_ticker)


def _top(symbol: str, *calls: tuple[Any, ...]) -> tuple[Numbers, store.Top, list[Any]]:
    numbers, (raw, *answers) = _read_market(symbol, ("GET", store.top_key(symbol)), *calls)
    if raw is None or None in answers:
        raise MarketDataNotReady
    return numbers, store.decode_top(raw), answers


def _ticker_price(symbol: str) -> Json:
    numbers, top, _ = _top(symbol)
    return {"symbol": symbol, "price": numbers.price(top.last)}


def _best(numbers: Numbers, top: store.Top) -> Json:
    return {
        "bidPrice": numbers.price(top.bid),
        "bidQty": numbers.size(top.bid_lots),
        "askPrice": numbers.price(top.ask),
        "askQty": numbers.size(top.ask_lots),
    }


def _book_ticker(symbol: str) -> Json:
    numbers, top, _ = _top(symbol)
    return {"symbol": symbol, **_best(numbers, top)}


def _ticker_24h(symbol: str) -> Json:
    numbers, top, (raw,) = _top(symbol, ("GET", store.ticker_key(symbol)))
    day: RollingDay = store.decode_day(raw)
    change = top.last - day.open
    return {
        "symbol": symbol,
        "priceChange": numbers.price(change),
        "priceChangePercent": percent(change, day.open),
        "weightedAvgPrice": numbers.average_price(int(day.quote), day.lots),
        "prevClosePrice": numbers.price(day.open),
        "lastPrice": numbers.price(top.last),
        "lastQty": numbers.size(top.last_lots),
        **_best(numbers, top),
        "openPrice": numbers.price(day.open),
        "highPrice": numbers.price(max(day.high, top.last)),
        "lowPrice": numbers.price(min(day.low, top.last)),
        "volume": numbers.size(day.lots),
        "quoteVolume": numbers.quote(int(day.quote)),
        "openTime": day.open_ms,
        "closeTime": day.close_ms,
        "firstId": day.first_id,
        "lastId": day.last_id,
        "count": day.trades,
    }


# ── Candles ─────────────────────────────────────────────────────────────────────────────────────


def klines(
    symbol: str,
    interval: str,
    *,
    start_ms: int | None = None,
    end_ms: int | None = None,
    limit: int = 500,
) -> list[list[Any]]:
    """Return candles, oldest first; intervals without trades are flat from the first trade on."""
    now_ms = _now_ms()
    until = min(now_ms, now_ms if end_ms is None else end_ms)
    if start_ms is None:
        first = intervals.earlier(interval, intervals.opening(interval, until), limit - 1)
    else:
        start_ms = min(start_ms, now_ms + DAY_MS)  # Later is as empty, and ends with the calendar.
        first = intervals.opening(interval, max(start_ms, 0))
        first = first if first >= start_ms else intervals.following(interval, first)
        for_limit = first
        for _ in range(limit - 1):
            for_limit = intervals.following(interval, for_limit)
        until = min(until, intervals.following(interval, for_limit) - 1)
    numbers, candles = _candles(symbol, interval, first, until, now_ms)
    whole = filled(candles, interval, from_ms=first, until_ms=until)
    return [_kline(candle, interval, numbers) for candle in list(whole)[:limit]]


def _candles(
    symbol: str, interval: str, first: int, until: int, now_ms: int
) -> tuple[Numbers, list[Candle]]:
    """Join kept hours or minutes from PostgreSQL with the last day's minutes from `cache`."""
    horizon = intervals.opening("1h", now_ms - MINUTES_KEPT * MINUTE_MS) + HOUR_MS
    numbers, minutes = _recent_minutes(symbol, max(first - LOOK_BACK_MS, horizon), until)
    recent = [candle for candle in minutes if candle.open_ms >= first]
    older: list[Candle] = []
    if first < horizon:
        step = 1 if intervals.following(interval, 0) < HOUR_MS else 60
        older = _kept(numbers.spec.symbol, step, first, min(horizon, until + 1))
    elif not recent or recent[0].open_ms > first:  # What comes before is flat at an older price.
        older = minutes[: len(minutes) - len(recent)][-1:]
        hour = intervals.opening("1h", first)
        older = older or _kept(numbers.spec.symbol, 60, hour - 30 * DAY_MS, hour)[-1:]
    return numbers, list(grouped([*older, *recent], interval))


def _recent_minutes(symbol: str, since: int, until: int) -> tuple[Numbers, list[Candle]]:
    wanted = range(intervals.opening("1m", since), until + 1, MINUTE_MS)
    key = store.minutes_key(symbol)
    if not wanted:
        numbers, _ = _read_market(symbol)
        return numbers, []
    numbers, (raw,) = _read_market(symbol, ("HMGET", key, *map(str, wanted)))
    return numbers, [store.decode_candle(entry) for entry in raw if entry is not None]


def _kept(market: str, step: int, first: int, before: int) -> list[Candle]:
    """Read from PostgreSQL. While it is away, the last day is what there is."""
    if time.monotonic() < _Postgres.away_until:
        return []
    rows = CandleRow.objects.of(market, step).between(_moment(first), _moment(before))
    try:
        return [_of_row(row) for row in rows]
    except (DatabaseError, InterfaceError):
        _Postgres.away_until = time.monotonic() + AWAY_S
        return []


def _moment(at_ms: int) -> datetime:
    return datetime.fromtimestamp(max(at_ms, 0) / 1_000, UTC)


def _of_row(row: CandleRow) -> Candle:
    return Candle(
        open_ms=int(row.opened_at.timestamp()) * 1_000,
        open=row.open_ticks,
        high=row.high_ticks,
        low=row.low_ticks,
        close=row.close_ticks,
        lots=int(row.volume_lots),
        quote=int(row.quote_minor),
        trades=row.trades,
        taker_lots=int(row.taker_buy_lots),
        taker_quote=int(row.taker_buy_quote_minor),
        first_id=row.first_trade,
        last_id=row.last_trade,
    )


def _kline(candle: Candle, interval: str, numbers: Numbers) -> list[Any]:
    return [
        candle.open_ms,
        numbers.price(candle.open),
        numbers.price(candle.high),
        numbers.price(candle.low),
        numbers.price(candle.close),
        numbers.size(candle.lots),
        intervals.following(interval, candle.open_ms) - 1,
        numbers.quote(int(candle.quote)),
        candle.trades,
        numbers.size(candle.taker_lots),
        numbers.quote(int(candle.taker_quote)),
        "0",
    ]
