"""A market's numbers are exact, or the field that makes them otherwise is named."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from apps.markets import demo, terms
from apps.markets.terms import BadTerms, Terms
from apps.risk.engine import limits as risk_limits

SOL = Terms(
    symbol="SOL-USDT",
    base="SOL",
    quote="USDT",
    base_decimals=9,
    quote_decimals=8,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    max_quantity=Decimal(100000),
    min_notional=Decimal(5),
    band_percent=Decimal(10),
    reference_price=Decimal(150),
    maker_fee_percent=Decimal("0.1"),
    taker_fee_percent=Decimal("0.15"),
)


def with_(**changes: str | int) -> Terms:
    numbers = {
        name: Decimal(value) if isinstance(value, str) and name not in NAMES else value
        for name, value in changes.items()
    }
    return msgspec.structs.replace(SOL, **numbers)


NAMES = {"symbol", "base", "quote"}


def test_a_market_is_read_into_ticks_lots_and_minor_units():
    spec = terms.spec_of(SOL)

    assert (spec.price_decimals, spec.tick_units, spec.size_decimals, spec.lot_units) == (
        2,
        1,
        3,
        1,
    )
    assert spec.quote_per_tick_lot == 1_000  # 0.01 x 0.001 USDT, of which 10^-8 is one.
    assert spec.base_per_lot == 10**6
    assert (spec.min_lots, spec.max_lots) == (1, 10**8)
    assert spec.min_notional == 5 * 10**8
    assert spec.reference_ticks == 15_000
    assert (spec.band_ppm, spec.maker_ppm, spec.taker_ppm) == (100_000, 1_000, 1_500)
    assert terms.is_exact(spec)


def test_steps_need_not_be_powers_of_ten():
    spec = terms.spec_of(
        with_(tick_size="0.05", lot_size="0.2", quote_decimals=2, min_quantity="0.2")
    )

    assert (spec.tick_units, spec.lot_units) == (5, 2)
    assert spec.quote_per_tick_lot == 1  # 0.05 x 0.2 is one cent.
    assert terms.is_exact(spec)


@pytest.mark.parametrize("spec", demo.MARKETS, ids=lambda spec: spec.symbol)
def test_the_demo_lists_nothing_that_a_form_would_refuse(spec):
    assert terms.is_exact(spec)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("tick_size", {"quote_decimals": 4}),  # 0.00001 USDT is no whole number of 10^-4.
        ("tick_size", {"tick_size": "0"}),
        ("tick_size", {"tick_size": "-0.01"}),
        ("tick_size", {"tick_size": "NaN"}),
        ("tick_size", {"tick_size": "0.000000001"}),
        ("lot_size", {"base_decimals": 2}),
        ("lot_size", {"lot_size": "1000000000"}),
        ("lot_size", {"base_decimals": 18, "lot_size": "1", "min_quantity": "1"}),
        ("symbol", {"symbol": "SOLUSDT"}),
        ("symbol", {"symbol": "SOL-USDC"}),
        ("base", {"base": "sol"}),
        ("quote", {"quote": "SOL", "symbol": "SOL-SOL"}),
        ("base_decimals", {"base_decimals": 19}),
        ("min_quantity", {"min_quantity": "0.0005"}),
        ("min_quantity", {"min_quantity": "0"}),
        ("max_quantity", {"max_quantity": "0.0015"}),
        ("max_quantity", {"min_quantity": "2", "max_quantity": "1"}),
        ("max_quantity", {"max_quantity": "100000000000000"}),
        ("min_notional", {"min_notional": "0"}),
        ("min_notional", {"min_notional": "0.000000001"}),
        ("band_percent", {"band_percent": "0"}),
        ("band_percent", {"band_percent": "100"}),
        ("reference_price", {"reference_price": "150.005"}),
        ("reference_price", {"reference_price": "0"}),
        ("maker_fee_percent", {"maker_fee_percent": "11"}),
        ("maker_fee_percent", {"maker_fee_percent": "-0.2"}),
        ("maker_fee_percent", {"maker_fee_percent": "0.00001"}),
        ("taker_fee_percent", {"taker_fee_percent": "-0.01"}),
        ("orders_per_account_max", {"orders_per_account_max": 0}),
    ],
)
def test_what_is_not_whole_is_refused_by_its_field(field, changes):
    with pytest.raises(BadTerms) as refused:
        terms.spec_of(with_(**changes))
    assert field in refused.value.fields


def test_a_tick_times_a_lot_that_would_round_is_said_so_in_numbers():
    with pytest.raises(BadTerms) as refused:
        terms.spec_of(with_(quote_decimals=4))
    said = refused.value.fields["tick_size"]
    assert "0.00001 USDT" in said
    assert "0.0001" in said


def test_fees_end_where_a_partition_would_refuse_them():
    assert terms.FEE_PPM_MAX == risk_limits.FEE_PPM_MAX
