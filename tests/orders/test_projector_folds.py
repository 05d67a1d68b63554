"""What the projector makes of a partition's log is what the partition itself knows."""

import json

import pytest

from apps.orders.projector.folds import Fold
from apps.orders.readmodels import RECENT_MAX, AccountModel, FillModel, OrderModel
from apps.risk.contracts.commands import AccountFreeze
from tests.helpers.logged_stage import LoggedBatch, LoggedStage, random_day

SEEDS = range(6)


class Followed(LoggedStage):
    """A stage whose partitions are followed by a fold, whose changes pile up as on `cache`."""

    def __init__(self, partitions: int = 1) -> None:
        self.fold = Fold()
        self.fold.quiet = False
        self.orders: dict[int, OrderModel] = {}
        self.fills: list[FillModel] = []
        self.balances: dict[tuple[int, str], tuple[int, int]] = {}
        self.told: list[tuple[int, dict]] = []
        self.accounts: dict[int, AccountModel] = {}
        super().__init__(partitions=partitions)
        for batch in self.logs:
            self.follow(batch)
        self.on_batch = self.follow

    def follow(self, batch: LoggedBatch) -> None:
        if batch.worker == self.book.name:
            return
        self.fold.apply(batch.worker, batch.header, batch.hash, batch.outputs)
        changes = self.fold.take_changes()
        self.orders |= changes.orders | {order.order_id: order for order in changes.ended}
        self.accounts |= changes.accounts
        self.fills += [fill for _, fill in changes.fills]
        for account, balances in changes.balances.items():
            for asset, (total, held) in balances.items():
                self.balances[account, asset] = (int(total), int(held))
        self.told += [(account, json.loads(text)) for account, text in changes.events]

    def said_to(self, account: int, kind: str) -> list[dict]:
        return [event for one, event in self.told if one == account and event["e"] == kind]


@pytest.fixture(params=SEEDS)
def day(request) -> Followed:
    stage = Followed(partitions=1 + request.param % 2)
    random_day(stage, seed=request.param, acts=120)
    return stage


def test_open_orders_are_those_that_the_partitions_hold_value_for(day):
    held = {
        number: (order.account.number, order.client_id, order.filled_lots, order.cum_quote)
        for risk in day.risks
        for number, order in risk.machine.orders.items()
    }

    assert {
        number: (order.account, order.client_id, order.filled_lots, int(order.cum_quote))
        for number, order in day.fold.open.items()
    } == held
    assert all(order.status in {"NEW", "PARTIALLY_FILLED"} for order in day.fold.open.values())


def test_balances_are_the_partitions_balances(day):
    accounts = [account for risk in day.risks for account in risk.machine.accounts.values()]

    for account in accounts:
        for asset, balance in account.balances.items():
            shown = day.balances.get((account.number, asset), (0, 0))
            assert shown == (balance.total, balance.held)


def test_an_order_is_the_sum_of_its_fills(day):
    for order in day.orders.values():
        fills = [fill for fill in day.fills if fill.order_id == order.order_id]
        assert sum(fill.lots for fill in fills) == order.filled_lots
        assert sum(int(fill.quote) for fill in fills) == int(order.cum_quote)
        if order.ended == "filled":
            assert order.status == "FILLED"


def test_the_private_stream_tells_each_life_in_order_and_to_its_owner_only(day):
    for order in day.orders.values():
        steps = [
            event
            for event in day.said_to(order.account, "executionReport")
            if event["i"] == order.order_id
        ]
        if steps:
            *before, last = steps
            assert last["X"] == order.status
            assert all(step["X"] in {"NEW", "PARTIALLY_FILLED"} for step in before)
            assert [step["x"] for step in steps].count("NEW") <= 1
            assert last["engine"] == day.book.name
        others = [event for account, event in day.told if account != order.account]
        assert not any(event.get("i") == order.order_id for event in others)


def test_the_last_position_told_is_the_balance(day):
    for (account, asset), (total, held) in day.balances.items():
        told = [
            row
            for event in day.said_to(account, "outboundAccountPosition")
            for row in event["B"]
            if row["a"] == asset
        ]
        free = f"{(total - held) // 10**8}.{(total - held) % 10**8:08d}"
        assert told[-1]["f"] == free


def test_a_frozen_account_shows_as_frozen():
    stage = Followed()
    alice = stage.trader("alice", usdt=100)
    stage.does(alice.risk, AccountFreeze(alice.account, True, "a story"))

    assert stage.accounts[alice.account].frozen


def test_only_the_newest_ended_orders_are_kept(monkeypatch):
    monkeypatch.setattr("apps.orders.projector.folds.RECENT_MAX", 3)
    stage = Followed()
    alice = stage.trader("alice", usdt=10**10)

    for _ in range(5):
        alice.buys(lots=1, at=100)
        alice.cancels(f"alice-{alice.orders}")

    kept = stage.fold.kept[alice.account]
    assert [client_id for _, client_id in kept.recent] == ["alice-5", "alice-4", "alice-3"]
    assert set(kept.clients) == {"alice-5", "alice-4", "alice-3"}
    assert RECENT_MAX == 1_000


def test_a_gap_in_a_log_is_refused():
    stage = Followed()
    stage.trader("alice", usdt=100)
    again = next(batch for batch in stage.logs if batch.worker == stage.risks[0].name)

    with pytest.raises(Exception, match="no gap"):
        stage.follow(again)
