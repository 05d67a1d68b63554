"""What owners see of triggers, amends and pairs, from the engines' own logs."""

from __future__ import annotations

from typing import Any

from apps.markets.contracts import MarketInfo
from apps.orders.dialect import render
from apps.orders.readmodels import OrderModel
from apps.risk.contracts.commands import AmendOrder, PlaceExtra, PlacePair
from matching_worker.contracts.to_book import OrderExtras
from tests.helpers.trading_stage import Trader
from tests.orders.test_projector_folds import Followed


def asks(trader: Trader, extras: OrderExtras, **terms: Any) -> OrderModel:
    """Place an order with extras, and return what the fold makes of it."""
    order = trader.order(**terms)
    stage = trader.stage
    assert isinstance(stage, Followed)
    stage.does(trader.risk, PlaceExtra(order=order, extras=extras))
    return named(stage, order.client_id)


def named(stage: Followed, client_id: str) -> OrderModel:
    return next(one for one in stage.orders.values() if one.client_id == client_id)


def steps(stage: Followed, order: OrderModel) -> list[str]:
    reports = stage.said_to(order.account, "executionReport")
    return [event["x"] for event in reports if event["i"] == order.order_id]


def row(stage: Followed, order: OrderModel) -> dict[str, Any]:
    return render.order_row(MarketInfo(spec=stage.spec, state="trading"), order)


def people(stage: Followed) -> tuple[Trader, Trader]:
    for worker in stage.workers.values():
        worker.machine.set_rules(2)
    alice, bob = (stage.trader(name, usdt=10**12, btc=10**12) for name in ("alice", "bob"))
    alice.sells(lots=1, at=100)
    bob.buys(lots=1, at=100)  # The last price is 100 from here on.
    return alice, bob


def test_a_waiting_order_shows_its_trigger_and_that_it_does_not_work():
    stage = Followed()
    alice, _ = people(stage)

    stop = asks(
        alice, OrderExtras(trigger="stop", trigger_ticks=95), side="S", price_ticks=94, lots=2
    )

    shown = row(stage, stop)
    assert (shown["type"], shown["stopPrice"]) == ("STOP_LOSS_LIMIT", "0.95")
    assert (shown["isWorking"], shown["workingTime"], shown["status"]) == (False, -1, "NEW")
    (report,) = [
        e for e in stage.said_to(alice.account, "executionReport") if e["i"] == stop.order_id
    ]
    assert (report["o"], report["P"], report["w"]) == ("STOP_LOSS_LIMIT", "0.95", False)
    assert "W" not in report


def test_an_order_that_is_set_off_says_so_and_then_works():
    stage = Followed()
    alice, bob = people(stage)
    stop = asks(
        alice, OrderExtras(trigger="stop", trigger_ticks=95), side="S", price_ticks=94, lots=2
    )

    bob.buys(lots=1, at=95)
    alice.sells(lots=1, at=95)
    stage.pass_time(0.01)

    stop = stage.orders[stop.order_id]
    assert steps(stage, stop) == ["NEW", "NEW"]
    shown = row(stage, stop)
    assert (shown["isWorking"], shown["workingTime"]) == (True, stop.triggered_ns // 1_000_000)
    assert shown["stopPrice"] == "0.95", "what set it off is still told"


def test_a_trail_shows_its_delta_and_no_price():
    stage = Followed()
    alice, _ = people(stage)

    trail = asks(alice, OrderExtras(trigger="stop", trail_ppm=20_000), side="S", price_ticks=90)

    assert row(stage, trail)["trailingDelta"] == 200
    assert row(stage, trail)["stopPrice"] == "0.00"


def test_an_amended_order_shows_its_new_size_and_tells_its_owner():
    stage = Followed()
    alice, _ = people(stage)
    alice.buys(lots=5, at=90)
    bid = named(stage, f"alice-{alice.orders}")

    deadline_ns = stage.now_ns + 10**9
    amend = AmendOrder(
        stage.next_request(), alice.account, stage.spec.symbol, bid.order_id, "", 3, deadline_ns
    )
    stage.does(alice.risk, amend)

    bid = stage.orders[bid.order_id]
    assert (bid.lots, bid.status) == (3, "NEW")
    assert steps(stage, bid) == ["NEW", "REPLACED"]


def pair(stage: Followed, trader: Trader) -> tuple[OrderModel, OrderModel]:
    stop = PlaceExtra(
        order=trader.order(side="S", price_ticks=94, lots=2, client_id="exit.1"),
        extras=OrderExtras(trigger="stop", trigger_ticks=95),
    )
    limit = PlaceExtra(
        order=trader.order(
            side="S", price_ticks=105, lots=2, client_id="exit.2", post_only=True, request=0
        ),
        extras=OrderExtras(),
    )
    stage.does(trader.risk, PlacePair(first=stop, second=limit))
    return named(stage, "exit.1"), named(stage, "exit.2")


def test_both_orders_of_a_list_know_it_and_each_other():
    stage = Followed()
    alice, _ = people(stage)

    stop, limit = pair(stage, alice)

    assert (stop.other_leg, limit.other_leg) == (limit.order_id, stop.order_id)
    assert stop.list_id == limit.list_id == stop.order_id
    (told,) = stage.said_to(alice.account, "listStatus")
    assert (told["g"], told["C"], told["L"]) == (stop.order_id, "exit", "EXECUTING")
    assert [order["c"] for order in told["O"]] == ["exit.1", "exit.2"]


def test_when_one_order_of_a_list_trades_the_other_ends_and_the_list_is_done():
    stage = Followed()
    alice, bob = people(stage)
    stop, limit = pair(stage, alice)

    bob.buys(lots=2, at=105)

    assert stage.orders[limit.order_id].status == "FILLED"
    assert stage.orders[stop.order_id].status == "CANCELED"
    assert [told["L"] for told in stage.said_to(alice.account, "listStatus")] == [
        "EXECUTING",
        "ALL_DONE",
    ]


def test_a_list_that_is_refused_is_told_as_rejected():
    stage = Followed()
    alice, bob = people(stage)
    bob.buys(lots=1, at=106)  # The limit order would trade at once.

    stop, limit = pair(stage, alice)

    assert (limit.code, stop.code) == ("would_take", "other_leg")
    assert [told["L"] for told in stage.said_to(alice.account, "listStatus")] == ["REJECT"]
