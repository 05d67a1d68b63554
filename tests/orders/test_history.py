"""Past orders and fills: which part of them one asks for, and that both sources tell one story."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from apps.ledger.contracts import PastOrder
from apps.orders import history
from apps.orders.dialect import render
from apps.orders.selectors import Window
from tests.orders.dialect_cases import CATALOGUE

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
PAST = PastOrder(
    order_id=2048,
    version=1,
    account=1024,
    market="BTC-USDT",
    client_id="mine-1",
    side="B",
    kind="L",
    time_in_force="GTC",
    post_only=False,
    price_ticks=5_000_001,
    lots=50_000,
    budget=0,
    filled_lots=20_000,
    cum_quote=10**12,
    status="canceled",
    code="",
    command="1-1",
    accepted_at=AT,
    updated_at=AT,
    ended_at=AT,
    settled_at=AT,
    engine="book:BTC-USDT",
    engine_seq=77,
    journal_hash=bytes(32),
    risk_seq=5,
    risk_batch=4,
    risk_hash=b"\x01" * 32,
)


def test_a_settled_order_reads_as_it_did_while_it_was_young():
    market = CATALOGUE.by_symbol["BTC-USDT"]

    row = render.order_row(market, history.order_model(PAST))

    assert row["status"] == "CANCELED"
    assert (row["price"], row["origQty"], row["executedQty"]) == (
        "50000.01", "0.50000", "0.20000",
    )  # fmt: skip
    assert row["cummulativeQuoteQty"] == "10000.00000000"
    assert (row["engine"], row["engineSeq"]) == ("book:BTC-USDT", 77)
    assert row["time"] == 1_767_323_045_678
    assert not row["isWorking"]


@pytest.mark.parametrize(
    ("status", "filled", "word"),
    [
        ("held", 0, "NEW"),
        ("open", 1, "PARTIALLY_FILLED"),
        ("filled", 2, "FILLED"),
        ("expired", 0, "EXPIRED"),
        ("refused", 0, "REJECTED"),
    ],
)
def test_every_state_has_the_dialects_word(status, filled, word):
    past = msgspec.structs.replace(PAST, status=status, filled_lots=filled)

    assert history.order_model(past).status == word


def test_a_moment_keeps_its_microseconds():
    assert history.ns(AT) == 1_767_323_045_678_901_000


def window(**wanted: int | None) -> Window:
    asked = {"from_id": None, "start_ms": None, "end_ms": None, "limit": 2} | wanted
    return Window(**asked)


def test_without_a_start_the_newest_rows_are_meant_and_with_one_the_first():
    rows = [1, 2, 3]

    assert window().cut(rows) == [2, 3]
    assert window(from_id=1).cut(rows) == [1, 2]
    assert window(start_ms=0).cut(rows) == [1, 2]


def test_a_row_is_in_the_window_by_number_and_time():
    wanted = window(from_id=10, start_ms=1_000, end_ms=2_000)

    assert wanted.holds(10, 1_000_000_000)
    assert not wanted.holds(9, 1_500_000_000)
    assert not wanted.holds(10, 999_000_000)
    assert not wanted.holds(10, 2_001_000_000)


def test_amounts_are_written_exactly_however_small():
    ether = CATALOGUE.assets["ETH"]

    row = render.balance_row(ether, free=1, locked=10**18)

    assert row == {
        "asset": "ETH", "free": "0.000000000000000001", "locked": "1.000000000000000000",
    }  # fmt: skip
    assert render.rate(1_500) == "0.00150000"
    assert render.rate(-50) == "-0.00005000"
