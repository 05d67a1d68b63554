"""Random days through partitions and their book: against the obvious twin, checked each step."""

from __future__ import annotations

import os
from collections import defaultdict

import msgspec
import pytest

from apps.common.kernel.ids import partition_of
from apps.journals.contracts import LinkAdd
from apps.risk.contracts.commands import Deposit
from apps.risk.contracts.events import (
    CutSums,
    ExtrasAccepted,
    FillBooked,
    OrderAccepted,
    OrderAmended,
    OrderTriggered,
)
from tests.helpers.partition_day import SPEC, Day
from tests.helpers.pure_exchange import PureExchange

SOAK = bool(os.environ.get("FAIRBOOK_SOAK"))
SEEDS = range(200 if SOAK else 3)
LONG_SEEDS = range(1_000, 1_200 if SOAK else 1_003)
BUSY_ORDERS = 1_000_000 if SOAK else 100_000


@pytest.mark.parametrize("partitions", [1, 2, 3])
@pytest.mark.parametrize("seed", SEEDS)
def test_the_partition_tells_the_same_story_as_the_obvious_one(seed, partitions):
    day = Day(seed, partitions=partitions).run(steps=220)

    print(f"seed={seed} partitions={partitions} trades={len(trades(day))}")
    for risk in day.exchange.risks:
        day.compare_balances(risk, day.twins[risk.name])


@pytest.mark.parametrize("partitions", [1, 2, 3])
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_a_day_conserves_value_and_every_fill_is_fair(seed, partitions):
    day = Day(seed, partitions=partitions, twins=False).run(steps=500)

    made = trades(day)
    print(f"seed={seed} partitions={partitions} trades={len(made)}")
    assert made
    check_fills(day)
    check_extras(day)
    check_cuts(day)


def test_days_show_all_that_orders_do():
    """A day on which nothing is set off, amended or canceled by its pair proves nothing of it."""
    seen: set[str] = set()
    pairs: set[str] = set()
    for seed in range(16):
        day = Day(seed, partitions=2, twins=False).run(steps=400)
        extras = extras_of(day)
        for event in (event for risk in day.exchange.risks for event in risk.events):
            seen |= {type(event).__name__, getattr(event, "code", "")}
            asked = extras.get(getattr(event, "order_id", 0))
            if asked is not None and asked.other_leg:
                pairs.add(type(event).__name__)

    assert {"FillBooked", "OrderTriggered", "OrderAmended", "OrderEnded"} <= pairs
    assert seen >= {
        "OrderAmended", "amend_pending", "filled_meanwhile", "not_smaller", "lots_out_of_range",
        "OrderTriggered", "would_trigger", "good_till_passed", "self_trade", "tombstoned",
        "bad_pair", "other_leg", "would_take", "bad_terms", "client_id_reused", "frozen",
    }  # fmt: skip


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_day_with_restarts_is_the_same_day(partitions):
    straight = Day(7, partitions=partitions, twins=False).run(steps=400)
    restarted = Day(7, partitions=partitions, twins=False, restarts=True).run(steps=400)

    assert straight.trace == restarted.trace
    assert straight.exchange.replies == restarted.exchange.replies
    for name, worker in straight.exchange.workers.items():
        assert worker.state_bytes() == restarted.exchange.workers[name].state_bytes()


@pytest.mark.timeout(3_600 if SOAK else 300)
def test_a_busy_day_of_100_000_orders_is_fair_to_each():
    """LG7. In big frames, with all that people do now and then; beliefs are checked every hour."""
    day = Day(2024, partitions=2, twins=False)
    exchange = day.exchange
    for account in day.accounts:
        day.tell(account, Deposit(account, "USDT", 10**15, f"much{account}"))
        day.tell(account, Deposit(account, "BTC", 10**15, f"more{account}"))
    for number in range(BUSY_ORDERS // 64):
        frames: dict[int, list[msgspec.Struct]] = defaultdict(list)
        for _ in range(64):
            order = day.order()
            frames[order.account].append(order)
        for account, orders in frames.items():
            day.tell(account, *orders)
        exchange.cancel(day.chance.choice(day.accounts))
        exchange.now_ns += 200_000_000
        exchange.settle()
        if number % 100 == 0:
            exchange.check()
    exchange.pass_time(SPEC.cut_s)

    print(f"orders={len(day.placed)} trades={len(trades(day))}")
    exchange.check()
    check_fills(day)
    check_cuts(day)


def test_the_same_day_twice_gives_the_same_bytes():
    one, two = (Day(11, partitions=2, twins=False).run(steps=300) for _ in range(2))

    assert one.trace == two.trace


def trades(day: Day) -> dict[int, list[FillBooked]]:
    """Return both sides of each trade."""
    found: dict[int, list[FillBooked]] = defaultdict(list)
    for risk in day.exchange.risks:
        for event in risk.events:
            if isinstance(event, FillBooked):
                found[event.trade_id].append(event)
    return found


def check_fills(day: Day) -> None:
    """I4: what one side gives the other gets, within both limits; no fee favours its payer."""
    orders = {
        event.order_id: event
        for risk in day.exchange.risks
        for event in risk.events
        if isinstance(event, OrderAccepted)
    }
    extras = extras_of(day)
    filled: dict[int, int] = defaultdict(int)
    for sides in trades(day).values():
        one, two = sides
        takers = [fill for fill in sides if fill.liquidity == "T"]  # None in an auction.
        assert {one.side, two.side} == {"B", "S"}
        assert len(takers) <= 1
        assert (one.base, one.quote, one.lots) == (two.base, two.quote, two.lots)
        assert one.quote == one.lots * one.price_ticks * SPEC.quote_per_tick_lot
        if one.account == two.account and takers:
            assert extras[takers[0].order_id].extras.self_trade == "N"
        for fill in sides:
            order = orders[fill.order_id]
            filled[fill.order_id] += fill.lots
            got = fill.base if fill.side == "B" else fill.quote
            assert fill.fee_asset == ("BTC" if fill.side == "B" else "USDT")
            assert any(
                0 <= fill.fee * 1_000_000 - got * rate < 1_000_000
                for rate in (1_000, 0, -50, 1_500, 333)
            )
            assert partition_of(fill.order_id) == partition_of(fill.account)
            if order.kind == "L":
                within = fill.price_ticks - order.price_ticks
                assert within <= 0 if fill.side == "B" else within >= 0
            elif fill.side == "B":
                assert fill.cum_quote <= order.budget
    for order_id, lots in filled.items():
        assert orders[order_id].lots == 0 or lots <= orders[order_id].lots


def extras_of(day: Day) -> dict[int, ExtrasAccepted]:
    """Return what orders asked for beyond plain terms."""
    return {
        event.order_id: event
        for risk in day.exchange.risks
        for event in risk.events
        if isinstance(event, ExtrasAccepted)
    }


def check_extras(day: Day) -> None:
    """Of a pair one trades; what waits trades once it was set off; what is amended stays so."""
    extras, traded, set_off = extras_of(day), set(), set()
    lots: dict[int, int] = {}
    for event in (event for risk in day.exchange.risks for event in risk.events):
        match event:
            case OrderTriggered():
                assert event.order_id not in traded | set_off
                set_off.add(event.order_id)
            case OrderAmended():
                assert event.lots < lots.get(event.order_id, event.lots + 1)
                lots[event.order_id] = event.lots
            case FillBooked():
                traded.add(event.order_id)
                assert event.filled_lots <= lots.get(event.order_id, event.filled_lots)
                if asked := extras.get(event.order_id):
                    assert asked.other_leg not in traded
                    assert not asked.extras.trigger or event.order_id in set_off


def check_cuts(day: Day) -> None:
    """Over all partitions clearing is zero at every cut, although trades went on around it."""
    cuts: dict[int, list[CutSums]] = defaultdict(list)
    for risk in day.exchange.risks:
        for event in risk.events:
            if isinstance(event, CutSums):
                cuts[event.number].append(event)
    assert cuts
    for sums in cuts.values():
        assert len(sums) == len(day.exchange.risks)
        assert sum(cut.base for cut in sums) == sum(cut.quote for cut in sums) == 0


def test_linking_twice_changes_nothing():
    exchange = PureExchange(SPEC)
    before = exchange.risks[0].machine.dump() | {"seq": 0}  # type: ignore[operator]
    exchange.ask(exchange.risks[0], [LinkAdd("book:BTC-USDT")])
    exchange.settle()

    assert exchange.risks[0].machine.dump() | {"seq": 0} == before  # type: ignore[operator]
