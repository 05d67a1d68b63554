"""An exchange that cheats while it matches, and publishes what it did: the verifier names it."""

from __future__ import annotations

import pytest

from matching_worker.contracts.from_book import Trade
from matching_worker.engine import BookMachine, matching, placing
from matching_worker.engine.book import Book
from matching_worker.engine.ways import PURE
from tests.helpers.random_day_orders import ACCOUNTS
from tests.proofs.stage import in_process, published

FRIEND = ACCOUNTS[0]


@pytest.fixture
def one_by_one(monkeypatch):
    """Place orders the long way, where there is something to cheat with."""

    def place_frame(core, messages, peer, turn, otherwise):
        for message in messages:
            core.seq = turn.seq = core.seq + 1
            otherwise(message, peer, turn)

    long_way = PURE._replace(place_frame=place_frame)
    always = property(lambda _book: long_way, lambda _book, _way: None)
    monkeypatch.setattr(BookMachine, "_way", always, raising=False)


@pytest.fixture
def a_friend_jumps_the_queue(monkeypatch, one_by_one):
    """Put one account's orders before all others of their price."""
    honestly = Book.add

    def add(self, order):
        honestly(self, order)
        level = order.level
        if order.terms.account == FRIEND and level.first is not order:
            level.last, order.older.newer, order.older = order.older, None, None
            order.newer, level.first.older, level.first = level.first, order, order

    monkeypatch.setattr(Book, "add", add)


@pytest.fixture
def a_friend_is_let_in_out_of_band(monkeypatch):
    """Ask one account less than others."""
    honestly = placing._no_place_for

    def no_place_for(core, terms, *, waits, room):
        code = honestly(core, terms, waits=waits, room=room)
        return "" if terms.account == FRIEND and code == "price_out_of_band" else code

    monkeypatch.setattr(placing, "_no_place_for", no_place_for)


@pytest.fixture
def a_stranger_is_turned_away(monkeypatch, one_by_one):
    """Say that the book is full, to one account alone."""
    honestly = placing._no_place_for

    def no_place_for(core, terms, *, waits, room):
        code = honestly(core, terms, waits=waits, room=room)
        return code or ("book_full" if terms.account == FRIEND else "")

    monkeypatch.setattr(placing, "_no_place_for", no_place_for)


@pytest.fixture
def takers_pay_a_tick_more(monkeypatch):
    """Trade at a worse price than the maker's."""

    def trade(seq, number, price, lots, taker_side, *who):
        worse = price + 1 if taker_side == "B" else price - 1
        return Trade(seq, number, worse, lots, taker_side, *who)

    monkeypatch.setattr(matching, "Trade", trade)


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
