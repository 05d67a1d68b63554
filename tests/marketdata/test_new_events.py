"""Amends, waiting orders and auctions as market data sees them: the depth is what rests."""

from __future__ import annotations

from apps.marketdata.streams import MarketStreams
from apps.marketdata.view import MarketView
from apps.risk.contracts.commands import AmendOrder, PlaceExtra
from matching_worker.contracts.from_book import AuctionDone, StopPlaced
from matching_worker.contracts.market import MarketStateSet
from matching_worker.contracts.to_book import OrderExtras
from tests.helpers.logged_stage import LIVELY_MARKET, LoggedBatch, LoggedStage
from tests.helpers.trading_stage import Trader


class Followed(LoggedStage):
    """A stage under the newest rules whose book is followed, and added up by hand, each batch."""

    def __init__(self) -> None:
        self.view = MarketView(LIVELY_MARKET)
        self.streams = MarketStreams(self.view)
        super().__init__()
        for worker in self.workers.values():
            worker.machine.set_rules(2)
        for batch in self.logs:
            self.follow(batch)
        self.on_batch = self.follow

    def follow(self, batch: LoggedBatch) -> None:
        if batch.worker == self.book.name:
            self.view.apply(batch.header, batch.hash, batch.outputs)

    def turns(self, state: str) -> None:
        self.ask(self.book, [MarketStateSet(state, "a test")])
        self.settle()

    def shows_what_rests(self) -> bool:
        self.settle()
        return (dict(self.view.depth.bids), dict(self.view.depth.asks)) == self.levels()


def people(stage: Followed) -> tuple[Trader, Trader]:
    alice, bob = (stage.trader(name, usdt=10**12, btc=10**12) for name in ("alice", "bob"))
    return alice, bob


def test_an_amend_lowers_its_level():
    stage = Followed()
    alice, _ = people(stage)
    alice.buys(lots=5, at=95)

    deadline_ns = stage.now_ns + 10**9
    amend = AmendOrder(
        *(stage.next_request(), alice.account, "BTC-USDT", 0, "alice-1", 2, deadline_ns)
    )
    stage.does(alice.risk, amend)

    assert dict(stage.view.depth.bids) == {95: 2}
    assert stage.shows_what_rests()


def test_a_waiting_order_is_no_part_of_the_depth():
    stage = Followed()
    alice, _ = people(stage)
    before = stage.view.update_id

    stop = PlaceExtra(
        alice.order(side="S", price_ticks=94, lots=2),
        OrderExtras(trigger="stop", trigger_ticks=95),
    )
    stage.does(alice.risk, stop)

    assert any(isinstance(event, StopPlaced) for event in stage.book.events)
    assert stage.view.depth.size() == 0
    assert stage.view.update_id > before


def test_an_auction_ends_with_the_depth_that_is_left_and_one_price_on_the_tape():
    stage = Followed()
    alice, bob = people(stage)
    stage.turns("auction")
    alice.buys(lots=3, at=102)
    alice.buys(lots=2, at=100)
    bob.sells(lots=4, at=99)
    bob.sells(lots=4, at=101)
    assert stage.view.depth.is_crossed
    assert stage.view.state == "auction"
    assert stage.shows_what_rests()

    stage.turns("trading")

    assert not stage.view.depth.is_crossed
    assert stage.shows_what_rests()
    (done,) = [event for event in stage.book.events if isinstance(event, AuctionDone)]
    assert (done.price_ticks, done.lots) == (100, 4)
    assert {printed.ticks for printed in stage.view.tape} == {100}
    assert sum(printed.lots for printed in stage.view.tape) == 4
    assert stage.view.state == "trading"
