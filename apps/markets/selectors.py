"""What is traded here, from memory: read from PostgreSQL at most once in 30 s per process.

While PostgreSQL does not answer, the last catalogue stands. `catalogue()` may read the database, so
event loops call `known()` and refresh in a thread.
"""

from __future__ import annotations

import threading
import time
from typing import cast

from django.db import InterfaceError, OperationalError

from apps.markets.contracts import AssetInfo, BookTable, Catalogue, MarketInfo, catalogue_of
from apps.markets.models import Asset, Listing, Market
from matching_worker.contracts.market import MarketSpec, MarketState

FRESH_S = 30.0


class _Memory:
    """The last catalogue this process read, and when."""

    def __init__(self) -> None:
        self.value = Catalogue()
        self.read_at = float("-inf")
        self.lock = threading.Lock()


_memory = _Memory()


def spec_of(market: Market) -> MarketSpec:
    """Return a market's numbers as engines get them."""
    fields = {
        name: getattr(market, name)
        for name in MarketSpec.__struct_fields__
        if name not in ("base", "quote", "base_decimals", "quote_decimals")
    }
    return MarketSpec(
        base=market.base_id,
        quote=market.quote_id,
        base_decimals=market.base.decimals,
        quote_decimals=market.quote.decimals,
        **fields,
    )


def state_to_operate(symbol: str) -> str | None:
    """Return the state of a market that operators open and stop; None while it comes or goes."""
    moving = Listing.objects.live().filter(market=symbol).exclude(state=Listing.State.OPEN)
    market = Market.objects.filter(symbol=symbol).exclude(state=Market.State.DELISTED).first()
    return None if market is None or moving.exists() else str(market.state)


def book_table() -> BookTable:
    """Return which books have processes because they are listed, and which have none any more."""
    gone = (Listing.State.EMPTIED, Listing.State.DELISTED)
    rows = Listing.objects.with_processes().exclude(state__in=gone)
    closed = Listing.objects.filter(state__in=gone).order_by("market")
    return BookTable(
        books=tuple((row.market, row.slot) for row in rows if row.slot is not None),
        closed=tuple(closed.values_list("market", flat=True)),
    )


def load() -> Catalogue:
    """Read all markets and assets from PostgreSQL."""
    markets = [
        MarketInfo(spec=spec_of(market), state=cast(MarketState, market.state))
        for market in Market.objects.in_order()
    ]
    assets = [
        AssetInfo(code=asset.code, name=asset.name, decimals=asset.decimals)
        for asset in Asset.objects.filter(is_listed=True).order_by("code")
    ]
    return catalogue_of(markets, assets)


def catalogue() -> Catalogue:
    """Return what is traded, at most 30 s old while PostgreSQL answers."""
    if time.monotonic() - _memory.read_at < FRESH_S:
        return _memory.value
    with _memory.lock:
        if time.monotonic() - _memory.read_at >= FRESH_S:
            try:
                _memory.value = load()
            except (OperationalError, InterfaceError):
                if not _memory.value.markets:
                    raise
            _memory.read_at = time.monotonic()
    return _memory.value


def known() -> Catalogue:
    """Return the catalogue as this process last read it, without any wait."""
    return _memory.value


def forget() -> None:
    """Read again at the next call."""
    _memory.read_at = float("-inf")
