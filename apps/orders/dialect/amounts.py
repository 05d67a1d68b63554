"""Decimals as they were sent, in the market's own whole units."""

from __future__ import annotations

from apps.common.kernel.money import parse_units
from apps.markets.contracts import MarketInfo
from apps.orders.dialect import refusals
from apps.orders.dialect.params import DECIMAL, Params

DECIMALS_MAX = 8  # Of any price or size, in the dialect's numbers.
UNITS_MAX = 2**53


def units(params: Params, name: str, *, decimals: int) -> int:
    """Read a decimal exactly, in units of 10^-decimals; finer than that is too precise."""
    text = params.matching(name, DECIMAL) or ""
    found = parse_units(text, decimals=decimals)
    if found is None:
        raise refusals.too_precise(params.sent_as(name))
    return found


def _steps(params: Params, name: str, *, decimals: int, step_units: int, failure: str) -> int:
    """Read a decimal as a whole number of the market's steps."""
    found = units(params, name, decimals=max(decimals, DECIMALS_MAX))
    steps, rest = divmod(found, step_units * 10 ** (max(decimals, DECIMALS_MAX) - decimals))
    if rest or not 0 < steps <= UNITS_MAX:
        raise refusals.filter_failure(failure)
    return steps


def ticks(params: Params, market: MarketInfo, name: str = "price") -> int:
    """Read a price."""
    params.needed(name)
    spec = market.spec
    return _steps(
        params,
        name,
        decimals=spec.price_decimals,
        step_units=spec.tick_units,
        failure="PRICE_FILTER",
    )


def lots(params: Params, market: MarketInfo, name: str = "quantity") -> int:
    """Read a size."""
    params.needed(name)
    spec = market.spec
    found = _steps(
        params,
        name,
        decimals=spec.size_decimals,
        step_units=spec.lot_units,
        failure="LOT_SIZE",
    )
    if not spec.min_lots <= found <= spec.max_lots:
        raise refusals.filter_failure("LOT_SIZE")
    return found
