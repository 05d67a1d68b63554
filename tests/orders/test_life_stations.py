"""The stations of an order's life, in the order they happened, from what the read models know."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from apps.ledger.contracts import EntryLine
from apps.markets.contracts import MarketInfo, catalogue_of
from apps.orders.life import Station, stations_of
from apps.orders.projector.folds import Fold
from apps.orders.readmodels import FillModel, OrderModel
from apps.orders.runtime import EdgeTimes
from tests.helpers.logged_stage import LIVELY_MARKET, LoggedBatch, LoggedStage

MS = 1_000_000
CATALOGUE = catalogue_of([MarketInfo(spec=LIVELY_MARKET, state="trading")], [])
ARRIVES = ["edge_received", "edge_sent", "journals", "risk"]


class Projected(LoggedStage):
    """A stage whose owners hear of each batch of their partition 3 ms after it."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.orders: dict[int, OrderModel] = {}
        self.fills: dict[tuple[int, int], FillModel] = {}
        super().__init__()
        for batch in self.logs:
            self.project(batch)
        self.fold.quiet = False
        self.on_batch = self.project

    def project(self, batch: LoggedBatch) -> None:
        if batch.worker == self.book.name:
            return
        self.fold.apply(batch.worker, batch.header, batch.hash, batch.outputs)
        changes = self.fold.take_changes()
        changes.leave(batch.header.at_ns + 3 * MS)
        self.orders |= changes.orders | {order.order_id: order for order in changes.ended}
        self.fills |= {(fill.order_id, fill.trade_id): fill for _, fill in changes.fills}

    def order(self, client_id: str) -> OrderModel:
        return next(order for order in self.orders.values() if order.client_id == client_id)

    def life(
        self, client_id: str, times: EdgeTimes | None = None, **changed: object
    ) -> list[Station]:
        order = replace(self.order(client_id), **changed)
        fills = [fill for (number, _), fill in self.fills.items() if number == order.order_id]
        return stations_of(order, fills, times, [booked(fill) for fill in fills], CATALOGUE)


def booked(fill: FillModel) -> EntryLine:
    """Return a fill's entry, booked half a second after the trade."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=fill.at_ns // 1_000 + 500_000)
    return EntryLine(
        entry_id=fill.trade_id, kind="fill", reference=f"{fill.market}:{fill.trade_id}:{fill.side}",
        worker="risk:0", seq=1, batch=1, at=at, booked_at=at, postings=[],
    )  # fmt: skip


def met(stage: Projected) -> EdgeTimes:
    """Return when an edge met an order that the engines decide about now."""
    now = stage.now_ns
    return EdgeTimes("edge-1", now - 400_000, now - 200_000, now + 900_000)


def told(stations: list[Station]) -> list[tuple[str, str]]:
    return [(station.title, station.what) for station in stations if station.stage == "feed"]


def gaps(stations: list[Station]) -> list[int]:
    return [b.at_ns - a.at_ns for a, b in pairwise(stations)]


@pytest.fixture
def stage() -> Projected:
    """The time is not on a whole millisecond, as no time is."""
    stage = Projected()
    stage.now_ns += 700_000
    stage.alice = stage.trader("alice", usdt=10**10)
    stage.bob = stage.trader("bob", btc=10**10)
    return stage


def test_an_order_that_rests_and_fills_later_tells_both_in_their_order(stage):
    times = met(stage)
    stage.alice.buys(lots=5, at=100)
    stage.pass_time(60)
    stage.bob.sells(lots=2, at=100)
    stage.pass_time(60)
    stage.alice.cancels("alice-1")

    life = stage.life("alice-1", times)

    rests, trades = ["book", "edge_answered", "feed"], ["book", "feed", "ledger"]
    assert [station.stage for station in life] == [*ARRIVES, *rests, *trades, "book", "feed"]
    titles = [station.title for station in life if station.stage == "book"]
    assert titles == ["Book took it", "Book traded it", "Book canceled it"]
    assert told(life) == [("Told its owner", step) for step in ("NEW", "TRADE", "CANCELED")]
    assert min(gaps(life)) >= 0
    assert sum(gap > 59 * 10**9 for gap in gaps(life)) == 2


def test_the_journals_station_says_where_the_command_stands_and_which_batches_took_it(stage):
    times = met(stage)
    stage.alice.buys(lots=5, at=100)

    order, life = stage.order("alice-1"), stage.life("alice-1", times)
    journals = next(station for station in life if station.stage == "journals")

    ms, n = order.command
    assert journals.facts["entry"] == f"{ms}-{n}"
    assert journals.facts["stream"] == "{risk:0}:commands"
    risk, book = (
        next(station for station in life if station.stage == stage) for stage in ("risk", "book")
    )
    assert journals.facts["risk_batch"] == risk.facts["batch"]
    assert journals.facts["risk_hash"] == risk.facts["journal_hash"] != ""
    assert journals.facts["book_seq"] == book.facts["seq"]
    assert journals.facts["book_hash"] == book.facts["journal_hash"] != ""


def test_a_millisecond_of_the_journals_clock_does_not_put_it_before_the_edge(stage):
    times = met(stage)
    stage.alice.buys(lots=5, at=100)

    by_stage = {station.stage: station for station in stage.life("alice-1", times)}

    assert stage.order("alice-1").command[0] * MS < times.received_ns
    assert by_stage["journals"].at_ns == times.sent_ns <= by_stage["risk"].at_ns


def test_what_left_together_is_told_as_one_station(stage):
    stage.bob.sells(lots=1, at=100)
    stage.bob.sells(lots=2, at=101)
    stage.alice.buys(lots=5, at=101, time_in_force="IOC")

    life = stage.life("alice-1")

    assert told(life) == [("Told its owner", "NEW, 2 × TRADE, EXPIRED")]
    titles = [station.title for station in life if station.stage == "book"]
    assert titles == ["Book traded it", "Book traded it", "Book let the rest expire"]


def test_clocks_that_disagree_do_not_turn_cause_and_effect_round(stage):
    times = met(stage)
    stage.alice.buys(lots=5, at=100)
    ahead = (stage.order("alice-1").command[0] + 5_000, 0)

    life = stage.life("alice-1", times, command=ahead)

    stations = [station.stage for station in life]
    assert [name for name in stations if name != "edge_answered"] == [*ARRIVES, "book", "feed"]
    assert min(gaps(life)) < -4 * 10**9  # Shown as it was written, not as it should have been.


def test_reports_that_left_in_a_life_nobody_remembers_have_no_station(stage):
    stage.fold.quiet = True
    stage.alice.buys(lots=5, at=100)

    assert told(stage.life("alice-1")) == []
