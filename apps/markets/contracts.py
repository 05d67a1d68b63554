"""What other apps may hold of assets and markets."""

from __future__ import annotations

import msgspec

from matching_worker.contracts.market import MarketSpec, MarketState

PRICE_SCALE = 8  # Decimals that the dialect shows at least.


class AssetInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An asset and how it is counted."""

    code: str
    name: str
    decimals: int


class MarketInfo(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A market: what engines know of it, and the state its book was last told to be in."""

    spec: MarketSpec
    state: MarketState

    @property
    def pair(self) -> str:
        """The dialect's word for it: BTCUSDT."""
        return self.spec.base + self.spec.quote

    @property
    def book(self) -> str:
        """The worker that keeps its book."""
        return f"book:{self.spec.symbol}"

    @property
    def is_delisted(self) -> bool:
        """Whether it is only to be read any more: no book is behind it."""
        return self.state == "delisted"


class BookTable(msgspec.Struct, frozen=True, kw_only=True):
    """Which books have processes because they are listed, and which have none any more."""

    books: tuple[tuple[str, int], ...] = ()  # Market, and the place of its ports.
    closed: tuple[str, ...] = ()


class BookHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the processes of one book are."""

    is_ready: bool  # All of them, and one of them owns.
    lacks: str = ""
    failure: str = ""  # Why they will not get ready by themselves.


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """All markets and assets at one moment. Replaced whole, never changed."""

    markets: tuple[MarketInfo, ...] = ()
    assets: dict[str, AssetInfo] = {}
    by_pair: dict[str, MarketInfo] = {}
    by_symbol: dict[str, MarketInfo] = {}


def catalogue_of(markets: list[MarketInfo], assets: list[AssetInfo]) -> Catalogue:
    """Index markets by both of their names."""
    return Catalogue(
        markets=tuple(markets),
        assets={asset.code: asset for asset in assets},
        by_pair={market.pair: market for market in markets},
        by_symbol={market.spec.symbol: market for market in markets},
    )
