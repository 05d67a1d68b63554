"""An exchange that cheats while it matches, and publishes what it did: the verifier names it."""

from __future__ import annotations

import pytest

from matching_worker.engine import matching, placing
from matching_worker.engine.book import HalfBook
from tests.helpers.random_day_orders import ACCOUNTS
from tests.proofs.stage import in_process, published

FRIEND = ACCOUNTS[0]


@pytest.fixture
def a_friend_jumps_the_queue(monkeypatch):
    """Put one account's orders before all others of their price."""
    honestly = HalfBook.add

    def add(self, order):
        level = self.levels.get(self.sign * order.terms.price_ticks)
        if level is None or order.terms.account != FRIEND:
            honestly(self, order)
            return
        order.newer, level.first.older = level.first, order
        level.first = order
        level.lots += order.open_lots

    monkeypatch.setattr(HalfBook, "add", add)


@pytest.fixture
def a_friend_is_let_in_out_of_band(monkeypatch):
    """Ask one account less than others."""
    honestly = placing._no_place_for

    def no_place_for(core, terms, *, waits, room):
        code = honestly(core, terms, waits=waits, room=room)
        return "" if terms.account == FRIEND and code == "price_out_of_band" else code

    monkeypatch.setattr(placing, "_no_place_for", no_place_for)


@pytest.fixture
def a_stranger_is_turned_away(monkeypatch):
    """Say that the book is full, to one account alone."""
    honestly = placing._is_plainly_fine

    def is_fine(core, terms, at_ns):
        return terms.account != FRIEND and honestly(core, terms, at_ns)

    monkeypatch.setattr(placing, "_is_plainly_fine", is_fine)
    monkeypatch.setattr(
        placing, "_is_full", lambda core, room: any(o == FRIEND for o in core.book.accounts)
    )


@pytest.fixture
def takers_pay_a_tick_more(monkeypatch):
    """Trade at a worse price than the maker's."""
    honestly = matching.trade_of

    def trade_of(maker, taker, price, lots, trade, turn):
        worse = price + 1 if taker.terms.side == "B" else price - 1
        return honestly(maker, taker, worse, lots, trade, turn)

    monkeypatch.setattr(matching, "trade_of", trade_of)


CHEATS = [
    "a_friend_jumps_the_queue",
    "a_friend_is_let_in_out_of_band",
    "a_stranger_is_turned_away",
    "takers_pay_a_tick_more",
]


@pytest.mark.parametrize("cheat", CHEATS)
def test_an_exchange_that_cheats_while_it_matches_is_found(cheat, request, tmp_path, verifier):
    days = range(12)
    honest = [in_process(verifier, tmp_path, published(seed)).wrong for seed in days]
    request.getfixturevalue(cheat)

    found = [in_process(verifier, tmp_path, published(seed)).wrong for seed in days]

    assert not any(honest)
    assert any(found)
    assert all("by the rules it is" in wrong[0] for wrong in found if wrong)
