"""What the public may see: markets, books, trades, candles, tickers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from apps.marketdata import intervals
from apps.marketdata import selectors as marketdata
from apps.markets.contracts import MarketInfo
from apps.orders import limits
from apps.orders.dialect import endpoints, refusals, tickets, words
from apps.orders.dialect.extras import TRAIL_BIPS_MAX, TRAIL_BIPS_MIN
from apps.orders.dialect.params import Params
from apps.orders.dialect.render import numbers
from apps.orders.views.base import DialectView
from matching_worker.engine.limits import LIMITS

PRECISION = 8
PPM = 1_000_000
READ = extend_schema(request=None, responses=OpenApiTypes.OBJECT)


class ExchangeInfo(DialectView):
    """Markets, their filters, and the limits of this API."""

    allowed = endpoints.EXCHANGE_INFO
    weight = 20

    @READ
    def get(self, request: Request) -> Response:
        """Return what is traded, and by which rules."""
        params = self.params(request)
        named = _named_symbols(params)
        chosen = tuple(market for market in self.catalogue.markets if not market.is_delisted)
        if named is not None:
            chosen = tuple(_market(name, self) for name in named)
        states = marketdata.states([market.pair for market in chosen])
        return Response(
            {
                "timezone": "UTC",
                "serverTime": time.time_ns() // 1_000_000,
                "rateLimits": rate_limits(),
                "exchangeFilters": [],
                "symbols": [
                    symbol_row(market, states.get(market.pair, market.state)) for market in chosen
                ],
            }
        )


def _market(name: str, view: DialectView) -> MarketInfo:
    return tickets.market_of(Params({"symbol": name}), view.catalogue)


def _named_symbols(params: Params) -> list[str] | None:
    """Read `symbol`, or `symbols` as a JSON list; None means all."""
    symbol, symbols = params.raw("symbol"), params.raw("symbols")
    if symbol is not None and symbols is not None:
        raise refusals.bad_combination()
    if symbols is None:
        return None if symbol is None else [symbol]
    try:
        names = json.loads(symbols)
    except (ValueError, RecursionError):
        raise refusals.bad_value("symbols") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise refusals.bad_value("symbols")
    if not 0 < len(names) <= 100 or len(set(names)) != len(names):
        raise refusals.bad_value("symbols")
    return names


def rate_limits() -> list[dict[str, Any]]:
    """Return the limits, as they are counted per account (public requests: per address)."""
    most = limits.configured()
    return [
        {
            "rateLimitType": "REQUEST_WEIGHT",
            "interval": "MINUTE",
            "intervalNum": 1,
            "limit": most.weight_1m,
        },
        {
            "rateLimitType": "ORDERS",
            "interval": "SECOND",
            "intervalNum": 10,
            "limit": most.orders_10s,
        },
    ]


def symbol_row(market: MarketInfo, state: str) -> dict[str, Any]:
    """Describe a market. `state`: what its book says, who may pause by itself."""
    spec = market.spec
    return {
        "symbol": market.pair,
        "status": "TRADING" if state == "trading" else "BREAK",
        "baseAsset": spec.base,
        "baseAssetPrecision": PRECISION,
        "quoteAsset": spec.quote,
        "quotePrecision": PRECISION,
        "quoteAssetPrecision": PRECISION,
        "baseCommissionPrecision": spec.base_decimals,
        "quoteCommissionPrecision": spec.quote_decimals,
        "orderTypes": list(words.ORDER_TYPES),
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": True,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters(market),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": words.SELF_TRADE_DEFAULT,
        "allowedSelfTradePreventionModes": list(words.SELF_TRADE),
    }


def filters(market: MarketInfo) -> list[dict[str, Any]]:
    """Return the filters that orders of this market pass."""
    spec, write = market.spec, numbers(market.spec)
    up, down = _share(PPM + spec.band_ppm), _share(PPM - spec.band_ppm)
    most_ticks = 10**9 * 10**spec.price_decimals // spec.tick_units
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": write.price(1),
            "maxPrice": write.price(most_ticks),
            "tickSize": write.price(1),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": write.size(spec.min_lots),
            "maxQty": write.size(spec.max_lots),
            "stepSize": write.size(1),
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": write.quote(spec.min_notional),
            "applyMinToMarket": True,
            "maxNotional": write.quote(10**15 * 10**spec.quote_decimals),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": up,
            "bidMultiplierDown": down,
            "askMultiplierUp": up,
            "askMultiplierDown": down,
            "avgPriceMins": 5,
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": TRAIL_BIPS_MIN,
            "maxTrailingAboveDelta": TRAIL_BIPS_MAX,
            "minTrailingBelowDelta": TRAIL_BIPS_MIN,
            "maxTrailingBelowDelta": TRAIL_BIPS_MAX,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": spec.orders_per_account_max},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": LIMITS.waiting_per_account},
    ]


def _share(ppm: int) -> str:
    return f"{ppm // PPM}.{ppm % PPM:06d}"


class EmptyExchangeInfo(DialectView):
    """The futures dialects: no market there yet."""

    @READ
    def get(self, request: Request) -> Response:
        """Say that nothing is traded here yet."""
        self.params(request)
        now_ms = time.time_ns() // 1_000_000
        body = {"timezone": "UTC", "serverTime": now_ms, "rateLimits": rate_limits()}
        return Response(body | {"exchangeFilters": [], "assets": [], "symbols": []})


class Depth(DialectView):
    """The book."""

    allowed = endpoints.DEPTH
    weight = 5

    @READ
    def get(self, request: Request) -> Response:
        """Return the best levels of a market's book."""
        params = self.params(request)
        market = tickets.market_of(params, self.catalogue)
        return Response(marketdata.depth(market.pair, params.limit(default=100, most=5_000)))


class Trades(DialectView):
    """The tape."""

    allowed = endpoints.TRADES
    weight = 25

    @READ
    def get(self, request: Request) -> Response:
        """Return the newest trades."""
        params = self.params(request)
        market = tickets.market_of(params, self.catalogue)
        limit = params.limit(default=500, most=1_000)
        return Response(marketdata.recent_trades(market.pair, limit))


class AggTrades(DialectView):
    """The tape, with the fills of one taker at one price as one."""

    allowed = endpoints.AGG_TRADES
    weight = 4

    @READ
    def get(self, request: Request) -> Response:
        """Return aggregate trades."""
        params = self.params(request)
        market = tickets.market_of(params, self.catalogue)
        found = marketdata.agg_trades(
            market.pair,
            limit=params.limit(default=500, most=1_000),
            from_id=params.whole("fromId"),
            start_ms=params.moment("startTime"),
            end_ms=params.moment("endTime"),
        )
        return Response(found)


class Klines(DialectView):
    """Candles."""

    allowed = endpoints.KLINES
    weight = 2

    @READ
    def get(self, request: Request) -> Response:
        """Return candles, oldest first."""
        params = self.params(request)
        market = tickets.market_of(params, self.catalogue)
        interval = params.needed("interval")
        if interval not in intervals.INTERVALS:
            raise refusals.bad_interval()
        if params.raw("timeZone") not in (None, "0", "0:00", "00:00"):
            raise refusals.bad_value("timeZone")
        found = marketdata.klines(
            market.pair,
            interval,
            start_ms=params.moment("startTime"),
            end_ms=params.moment("endTime"),
            limit=params.limit(default=500, most=1_000),
        )
        return Response(found)


class _Ticker(DialectView):
    """A figure of one market, of some, or of all."""

    allowed = endpoints.TICKER
    weight_of_all = 4

    def figures(self, request: Request, read: Callable[[str | None], Any]) -> Any:
        """Return what `read` says of the markets that are named."""
        is_one = "symbol=" in str(request.META.get("QUERY_STRING", ""))
        params = self.params(request, weight=self.weight if is_one else self.weight_of_all)
        if params.raw("type") not in (None, "FULL", "MINI"):
            raise refusals.bad_value("type")
        names = _named_symbols(params)
        if names is None:
            return read(None)
        pairs = [_market(name, self).pair for name in names]
        return read(pairs[0]) if is_one else [read(pair) for pair in pairs]


class Ticker24h(_Ticker):
    """The rolling day."""

    weight, weight_of_all = 2, 80

    @READ
    def get(self, request: Request) -> Response:
        """Return the last 24 hours' figures."""
        return Response(self.figures(request, marketdata.ticker_24h))


class TickerPrice(_Ticker):
    """The last price."""

    weight = 2

    @READ
    def get(self, request: Request) -> Response:
        """Return last prices."""
        return Response(self.figures(request, marketdata.ticker_price))


class BookTicker(_Ticker):
    """The best prices."""

    weight = 2

    @READ
    def get(self, request: Request) -> Response:
        """Return best bids and asks."""
        return Response(self.figures(request, marketdata.book_ticker))
