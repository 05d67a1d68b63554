"""Candles of times that no candle can have: none, and no fault."""

import pytest

from apps.marketdata import intervals, selectors
from apps.marketdata.dialect import Numbers
from tests.helpers.logged_stage import LIVELY_MARKET

END_OF_CALENDAR_MS = 253_402_300_799_000


@pytest.fixture(autouse=True)
def quiet_market(monkeypatch):
    def kept(_market, _step, first, before):
        assert selectors._moment(first) <= selectors._moment(before)
        return []

    monkeypatch.setattr(selectors, "_kept", kept)
    monkeypatch.setattr(
        selectors,
        "_read_market",
        lambda _symbol, *calls: (Numbers(LIVELY_MARKET), [[]] * len(calls)),
    )


@pytest.mark.parametrize("interval", intervals.INTERVALS)
@pytest.mark.parametrize("start_ms", [0, END_OF_CALENDAR_MS - 86_400_000, END_OF_CALENDAR_MS])
def test_a_start_anywhere_on_the_calendar_is_answered(interval, start_ms):
    assert selectors.klines("BTCUSDT", interval, start_ms=start_ms, limit=1_000) == []


@pytest.mark.parametrize("interval", intervals.INTERVALS)
@pytest.mark.parametrize("end_ms", [0, END_OF_CALENDAR_MS])
def test_an_end_anywhere_on_the_calendar_is_answered(interval, end_ms):
    assert selectors.klines("BTCUSDT", interval, end_ms=end_ms, limit=1_000) == []
