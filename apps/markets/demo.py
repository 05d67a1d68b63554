"""The demo's assets and markets, by the numbers of the requirements."""

from __future__ import annotations

from apps.markets.contracts import AssetInfo
from matching_worker.contracts.market import MarketSpec

ASSETS = (
    AssetInfo(code="BTC", name="Bitcoin", decimals=8),
    AssetInfo(code="ETH", name="Ether", decimals=18),
    AssetInfo(code="USDT", name="Tether USD", decimals=8),
)
MARKETS = (
    MarketSpec(
        symbol="BTC-USDT",
        base="BTC",
        quote="USDT",
        base_decimals=8,
        quote_decimals=8,
        price_decimals=2,  # A tick is 0.01 USDT per BTC.
        size_decimals=5,  # A lot is 0.00001 BTC.
        quote_per_tick_lot=10,
        base_per_lot=1_000,
        min_lots=1,
        max_lots=900_000_000,
        min_notional=500_000_000,  # 5 USDT.
        reference_ticks=5_000_000,
    ),
    MarketSpec(
        symbol="ETH-USDT",
        base="ETH",
        quote="USDT",
        base_decimals=18,
        quote_decimals=8,
        price_decimals=2,  # A tick is 0.01 USDT per ETH.
        size_decimals=4,  # A lot is 0.0001 ETH.
        quote_per_tick_lot=100,
        base_per_lot=10**14,
        min_lots=1,
        max_lots=900_000_000,
        min_notional=500_000_000,
        reference_ticks=300_000,
    ),
)
