"""From the numbers that people write to those that engines count with, or to what is wrong.

All of it is exact: a tick is "0.01", a band "10" per cent, and what cannot be said in whole units
is refused under the name of the field that is to be changed.
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import msgspec

from apps.common.errors import Refusal
from matching_worker.contracts.market import MarketSpec

CODE = re.compile(r"[A-Z0-9]{2,10}")
DECIMALS_MAX = 18  # Of an asset.
PLACES_MAX = 8  # Of a price or a size, in the trading dialect's numbers.
UNITS_MAX = 2**53
ORDERS_PER_ACCOUNT_MAX = 200
FEE_PPM_MAX = 100_000  # As a partition has it: a market beyond it would never be traded.
PPM_PER_PERCENT = 10_000


class BadTerms(Refusal):
    """A market of these numbers cannot be listed. `fields` says why, by field."""

    code = "bad_terms"

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("A market of these numbers cannot be listed.", fields=fields)
        self.fields = fields


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """A market as a person describes it: prices in quote per base, sizes in base, rates in %."""

    symbol: str
    base: str
    quote: str
    base_decimals: int
    quote_decimals: int
    tick_size: Decimal
    lot_size: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    band_percent: Decimal
    reference_price: Decimal
    maker_fee_percent: Decimal
    taker_fee_percent: Decimal
    orders_per_account_max: int = ORDERS_PER_ACCOUNT_MAX


def spec_of(terms: Terms) -> MarketSpec:
    """Return the market in ticks, lots and minor units; refuse what is not whole in them."""
    reader = _Reader(terms)
    spec = reader.read()
    if spec is None:
        raise BadTerms(reader.wrong)
    return spec


def is_exact(spec: MarketSpec) -> bool:
    """Say whether a fill of this market never rounds: a tick times a lot is whole, and so a lot."""
    places = spec.price_decimals + spec.size_decimals
    worth = spec.tick_units * spec.lot_units * 10**spec.quote_decimals
    lot = spec.lot_units * 10**spec.base_decimals
    return (
        worth == spec.quote_per_tick_lot * 10**places
        and lot == spec.base_per_lot * 10**spec.size_decimals
    )


class _Reader:
    """Reads terms field by field, and notes what is wrong under each field's name."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.wrong: dict[str, str] = {}

    def read(self) -> MarketSpec | None:
        terms = self.terms
        self._names()
        tick_units, price_decimals = self._step("tick_size")
        lot_units, size_decimals = self._step("lot_size")
        if self.wrong:
            return None
        found: dict[str, Any] = {
            "quote_per_tick_lot": self._tick_lot(),
            "base_per_lot": self._lot(),
            "min_lots": self._steps("min_quantity", of="lot_size"),
            "max_lots": self._steps("max_quantity", of="lot_size"),
            "reference_ticks": self._steps("reference_price", of="tick_size"),
            "min_notional": self._minor("min_notional"),
            "band_ppm": self._band(),
            "maker_ppm": self._rate("maker_fee_percent"),
            "taker_ppm": self._rate("taker_fee_percent"),
            "orders_per_account_max": self._orders(),
        }
        self._relations(found)
        if self.wrong:
            return None
        return MarketSpec(
            symbol=terms.symbol,
            base=terms.base,
            quote=terms.quote,
            base_decimals=terms.base_decimals,
            quote_decimals=terms.quote_decimals,
            price_decimals=price_decimals,
            tick_units=tick_units,
            size_decimals=size_decimals,
            lot_units=lot_units,
            **found,
        )

    def _names(self) -> None:
        terms = self.terms
        for name in ("base", "quote"):
            if not CODE.fullmatch(getattr(terms, name)):
                self.wrong[name] = "An asset's code is 2 to 10 capital letters and digits."
            if not 0 <= getattr(terms, f"{name}_decimals") <= DECIMALS_MAX:
                self.wrong[f"{name}_decimals"] = f"Use 0 to {DECIMALS_MAX} decimals."
        if terms.base == terms.quote:
            self.wrong["quote"] = "An asset is not traded for itself."
        if terms.symbol != f"{terms.base}-{terms.quote}":
            self.wrong["symbol"] = f"Base and quote make it {terms.base}-{terms.quote}."

    def _step(self, name: str) -> tuple[int, int]:
        """Return a step as (units, places): 0.05 is (5, 2)."""
        size: Decimal = getattr(self.terms, name)
        if not size.is_finite() or size <= 0:
            self.wrong[name] = "Use a number above zero."
            return 0, 0
        _, digits, exponent = size.normalize().as_tuple()
        places = max(0, -int(exponent))
        units = int(size.scaleb(places))
        if places > PLACES_MAX:
            self.wrong[name] = f"Use at most {PLACES_MAX} decimals: the API shows no more."
        elif len(digits) > PLACES_MAX or units > UNITS_MAX:
            self.wrong[name] = "This step is too large."
        return units, places

    def _tick_lot(self) -> int:
        terms = self.terms
        worth = terms.tick_size * terms.lot_size
        minor = self._whole(worth, terms.quote_decimals)
        if minor is None:
            least = Decimal(1).scaleb(-terms.quote_decimals)
            self.wrong["tick_size"] = (
                f"A tick times a lot is {_plain(worth)} {terms.quote}, which is no whole number "
                f"of its minor unit {_plain(least)}: fills would round. Use a larger tick or lot."
            )
        return self._bounded("tick_size", minor)

    def _lot(self) -> int:
        terms = self.terms
        minor = self._whole(terms.lot_size, terms.base_decimals)
        if minor is None:
            least = Decimal(1).scaleb(-terms.base_decimals)
            self.wrong["lot_size"] = (
                f"A lot is a whole number of {terms.base}'s minor unit, {_plain(least)}."
            )
        return self._bounded("lot_size", minor)

    def _steps(self, name: str, *, of: str) -> int:
        size: Decimal = getattr(self.terms, name)
        step: Decimal = getattr(self.terms, of)
        if not size.is_finite() or size <= 0:
            self.wrong[name] = "Use a number above zero."
            return 0
        if size % step:
            word = "ticks" if of == "tick_size" else "lots"
            self.wrong[name] = f"Use a whole number of {word} ({_plain(step)} each)."
            return 0
        return self._bounded(name, int(size / step))

    def _minor(self, name: str) -> int:
        amount: Decimal = getattr(self.terms, name)
        minor = self._whole(amount, self.terms.quote_decimals)
        if minor is None or minor <= 0:
            self.wrong[name] = f"Use an amount of {self.terms.quote} above zero, in whole units."
        return self._bounded(name, minor)

    def _band(self) -> int:
        ppm = self._ppm("band_percent")
        if not 0 < ppm < 100 * PPM_PER_PERCENT:
            self.wrong.setdefault("band_percent", "Use more than 0 and less than 100 %.")
        return ppm

    def _rate(self, name: str) -> int:
        ppm = self._ppm(name)
        if abs(ppm) > FEE_PPM_MAX:
            self.wrong[name] = f"A fee is at most {FEE_PPM_MAX // PPM_PER_PERCENT} %."
        return ppm

    def _ppm(self, name: str) -> int:
        ppm = self._whole(getattr(self.terms, name) / 100, 6)
        if ppm is None:
            self.wrong[name] = "Use at most 4 decimals: rates are counted in millionths."
        return ppm or 0

    def _orders(self) -> int:
        most = self.terms.orders_per_account_max
        if not 0 < most <= ORDERS_PER_ACCOUNT_MAX:
            self.wrong["orders_per_account_max"] = f"Use 1 to {ORDERS_PER_ACCOUNT_MAX} orders."
        return most

    def _relations(self, found: dict[str, int]) -> None:
        if found["min_lots"] > found["max_lots"]:
            self.wrong.setdefault("max_quantity", "It is below the least quantity.")
        if found["taker_ppm"] < 0:
            self.wrong.setdefault("taker_fee_percent", "A taker pays; only makers get a rebate.")
        elif found["maker_ppm"] + found["taker_ppm"] < 0:
            self.wrong.setdefault("maker_fee_percent", "The rebate is more than the taker pays.")

    def _whole(self, amount: Decimal, places: int) -> int | None:
        """Return an amount in units of 10^-places, or None if that is no whole number."""
        if not amount.is_finite():
            return None
        units = amount.scaleb(places)
        return int(units) if units == units.to_integral_value() else None

    def _bounded(self, name: str, units: int | None) -> int:
        if units is not None and units > UNITS_MAX:
            self.wrong.setdefault(name, "This is more units than an engine counts (2^53).")
        return units or 0


def _plain(number: Decimal) -> str:
    return format(number.normalize(), "f")
