"""How the trading dialect writes a market's numbers: exact decimal strings, and milliseconds."""

from typing import Any

import msgspec

from apps.common.kernel.money import format_units
from matching_worker.contracts.market import MarketSpec

encode_json = msgspec.json.Encoder().encode
RATIO_DECIMALS = 8


def dialect_symbol(market: str) -> str:
    """Write "BTC-USDT" as the dialect does: "BTCUSDT"."""
    return market.replace("-", "")


def as_json(event: dict[str, Any]) -> str:
    """Encode an event once; everybody who follows it gets these bytes."""
    return encode_json(event).decode()


def ms(at_ns: int) -> int:
    """Return a header's time as the dialect tells time."""
    return at_ns // 1_000_000


class Numbers:
    """Writes one market's ticks, lots and minor units as decimal strings."""

    __slots__ = (
        "_base_decimals",
        "_lot_units",
        "_price_decimals",
        "_quote_decimals",
        "_size_decimals",
        "_tick_units",
        "spec",
        "symbol",
    )

    def __init__(self, spec: MarketSpec) -> None:
        self.spec = spec
        self.symbol = dialect_symbol(spec.symbol)
        self._price_decimals, self._tick_units = spec.price_decimals, spec.tick_units
        self._size_decimals, self._lot_units = spec.size_decimals, spec.lot_units
        self._quote_decimals, self._base_decimals = spec.quote_decimals, spec.base_decimals

    def price(self, ticks: int) -> str:
        """Write a price."""
        return format_units(ticks * self._tick_units, decimals=self._price_decimals)

    def size(self, lots: int) -> str:
        """Write a size."""
        return format_units(lots * self._lot_units, decimals=self._size_decimals)

    def quote(self, minor: int) -> str:
        """Write an amount of the quote asset."""
        return format_units(minor, decimals=self._quote_decimals)

    def base(self, minor: int) -> str:
        """Write an amount of the base asset."""
        return format_units(minor, decimals=self._base_decimals)

    def average_price(self, quote_minor: int, lots: int) -> str:
        """Write quote / base with 8 more decimals than prices have, cut (never rounded up)."""
        if lots == 0:
            return self.price(0)
        decimals = self._price_decimals + RATIO_DECIMALS
        scaled = quote_minor * self._tick_units * 10**RATIO_DECIMALS
        return format_units(scaled // (lots * self.spec.quote_per_tick_lot), decimals=decimals)

    def levels(self, levels: list[tuple[int, int]]) -> list[tuple[str, str]]:
        """Write levels of a book as [price, size] pairs."""
        return [(self.price(ticks), self.size(lots)) for ticks, lots in levels]


def percent(part: int, whole: int) -> str:
    """Write 100 x part / whole with three decimals, cut towards zero."""
    if whole == 0:
        return "0.000"
    sign = -1 if (part < 0) != (whole < 0) else 1
    return format_units(sign * (abs(part) * 100_000 // abs(whole)), decimals=3)
