"""Random days through partitions and their book: against the obvious twin, checked each step."""

from __future__ import annotations

import os
from collections import defaultdict
from random import Random

import msgspec
import pytest

from apps.common.kernel.ids import numbered_in, partition_of
from apps.journals.contracts import LinkAdd
from apps.risk.contracts.commands import (
    AccountFreeze,
    AccountOpen,
    Adjustment,
    Deposit,
    FeesSet,
    PlaceOrder,
    Transfer,
    TransferIn,
    WithdrawalHold,
    WithdrawalRelease,
    WithdrawalSettle,
)
from apps.risk.contracts.events import CutSums, FillBooked, OrderAccepted
from matching_worker.contracts.market import MarketSpec, MarketStateSet
from tests.helpers.obvious_risk import ObviousPartition
from tests.helpers.pure_exchange import PureExchange, PureWorker
from tests.helpers.risk_story import in_kinds, story

SPEC = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=8,
    quote_decimals=8,
    price_decimals=0,
    size_decimals=5,
    quote_per_tick_lot=7,
    base_per_lot=1_000,
    min_lots=2,
    max_lots=400,
    min_notional=2_000,
    orders_per_account_max=8,
    reference_ticks=100,
    cut_s=2,
)
SECOND_NS = 1_000_000_000
SOAK = bool(os.environ.get("FAIRBOOK_SOAK"))
SEEDS = range(200 if SOAK else 3)
LONG_SEEDS = range(1_000, 1_200 if SOAK else 1_003)
BUSY_ORDERS = 1_000_000 if SOAK else 100_000


class Day:
    """What happens on one day, drawn from a seed."""

    def __init__(
        self, seed: int, *, partitions: int, restarts: bool = False, twins: bool = True
    ) -> None:
        self.chance = Random(seed)
        self.exchange = PureExchange(SPEC, partitions=partitions)
        self.restarts = restarts
        self.twins: dict[str, ObviousPartition] = {}
        if twins:
            for number, risk in enumerate(self.exchange.risks):
                twin = self.twins[risk.name] = ObviousPartition(number)
                for frame in risk.told:
                    twin.tell(frame.messages, self.exchange.now_ns)
        self.accounts = [
            numbered_in(partition, counter=counter)
            for partition in range(partitions)
            for counter in (1, 2, 3)
        ]
        self.placed: list[PlaceOrder] = []
        self.references = 0
        self.withdrawals: list[tuple[int, str]] = []
        self.trace: list[bytes] = []
        for account in self.accounts:
            self.tell(account, AccountOpen(account))
            self.tell(account, Deposit(account, "USDT", 1_000_000, f"u{account}"))
            self.tell(account, Deposit(account, "BTC", 1_000_000, f"b{account}"))

    # ── What people and operators do ────────────────────────────────────────────────────────────

    def tell(self, account: int, *commands: msgspec.Struct) -> None:
        self.exchange.ask(self.exchange.risk_of(account), commands)

    def order(self) -> PlaceOrder:
        chance = self.chance
        if self.placed and chance.random() < 0.12:
            return self.again(chance.choice(self.placed[-30:]))
        is_limit = chance.random() < 0.75
        side = chance.choice("BS")
        by_budget = not is_limit and side == "B" and chance.random() < 0.5
        order = PlaceOrder(
            request=self.exchange.next_request(),
            account=chance.choice(self.accounts) if chance.random() < 0.98 else 9 * 1024,
            market="BTC-USDT" if chance.random() < 0.99 else "DOGE-USDT",
            client_id=f"c{len(self.placed)}",
            derived=chance.random() < 0.3,
            side=side,
            kind="L" if is_limit else "M",
            time_in_force=chance.choice(["GTC"] * 6 + ["IOC", "FOK"]) if is_limit else "IOC",
            post_only=chance.random() < 0.05,
            price_ticks=chance.randint(94, 106) if is_limit else 0,
            lots=0
            if by_budget
            else chance.choice([2, 5, 20, 20, 40, 90]) + chance.choice([0] * 30 + [-1, 400]),
            quote_budget=chance.choice([1_000, 5_000, 70_000, 2_000_000]) if by_budget else 0,
            deadline_ns=self.exchange.now_ns
            + chance.choice([100_000_000] + [3_600 * SECOND_NS] * 9),
            response=chance.choice(["ACK", "RESULT", "FULL"]),
        )
        self.placed.append(order)
        return order

    def again(self, order: PlaceOrder) -> PlaceOrder:
        """Ask for the same once more, now and then in other terms."""
        changes = {"lots": order.lots + 1} if self.chance.random() < 0.2 else {}
        return msgspec.structs.replace(
            order,
            request=self.exchange.next_request(),
            response=self.chance.choice(["ACK", "RESULT"]),
            **changes,
        )

    def value_command(self) -> tuple[int, msgspec.Struct]:
        chance = self.chance
        account, other = chance.choice(self.accounts), chance.choice(self.accounts)
        asset = chance.choice(["USDT", "BTC"])
        self.references += 1
        reference = f"r{self.references - chance.choice([0] * 9 + [1, 2])}"
        amount = chance.choice([1, 999, 50_000, 400_000])
        if self.withdrawals and chance.random() < 0.4:
            account, old = chance.choice(self.withdrawals[-4:])
            return account, chance.choice([WithdrawalSettle, WithdrawalRelease])(account, old)
        command = chance.choice(
            [
                Deposit(account, asset, amount, reference),
                WithdrawalHold(account, asset, amount, reference),
                WithdrawalHold(account, asset, amount, reference),
                Transfer(account, other, asset, amount, reference),
                Transfer(account, other, asset, amount, reference),
                Adjustment(account, asset, chance.choice([1, -1]) * amount, reference, "why not"),
                AccountFreeze(account, chance.random() < 0.1, "a whim"),
                FeesSet(account, 1, chance.choice([1_000, 0, -50]), chance.choice([1_500, 333])),
            ]
        )
        if isinstance(command, WithdrawalHold):
            self.withdrawals.append((account, reference))
        return account, command

    def something_happens(self) -> None:
        chance, exchange = self.chance, self.exchange
        dice = chance.random()
        if dice < 0.55:
            for _ in range(chance.randint(1, 3)):
                order = self.order()
                self.tell(order.account, order)
        elif dice < 0.70:
            self.tell(*self.value_command())
        elif dice < 0.80 and self.placed:
            order = chance.choice(self.placed[-20:])
            exchange.cancel(order.account, client_id=chance.choice([order.client_id, ""]))
        elif dice < 0.86:
            state = "cancel_only" if chance.random() < 0.1 else "trading"
            exchange.ask(exchange.book, [MarketStateSet(state, "a whim")])
        exchange.now_ns += chance.choice([0, 1_000_000, 300_000_000, SECOND_NS])
        if chance.random() < 0.004:
            exchange.now_ns += 25 * 3600 * SECOND_NS

    # ── What the machines make of it ────────────────────────────────────────────────────────────

    def step(self, worker: PureWorker) -> None:
        """Run one batch, hear the twin's opinion, and check everything."""
        seen = len(worker.told)
        out = self.exchange.step(worker, most=self.chance.randint(1, 6))
        self.trace.append(worker.hash)
        twin = self.twins.get(worker.name)
        if twin is not None:
            lines: list[str] = []
            for frame in worker.told[seen:]:
                lines += twin.tell(frame.messages, self.exchange.now_ns)
            assert in_kinds(story(out)) == in_kinds(lines)
            self.compare_balances(worker, twin)
        worker.machine.check()
        self.check_transit()

    def compare_balances(self, worker: PureWorker, twin: ObviousPartition) -> None:
        machine = worker.machine
        for account in machine.accounts.values():  # type: ignore[attr-defined]
            for asset, balance in account.balances.items():
                assert balance.total == twin.total(account.number, asset)
                assert balance.held == twin.held(account.number, asset)
                assert balance.available >= 0

    def check_transit(self) -> None:
        """What left a partition's transit is on a link, or arrived."""
        for asset in ("USDT", "BTC"):
            stands = sum(
                risk.machine.house["transit"].get(asset, 0)  # type: ignore[attr-defined]
                for risk in self.exchange.risks
            )
            on_links = sum(
                int(message.amount)
                for risk in self.exchange.risks
                for frames in risk.links.values()
                for frame in frames
                for message in frame.messages
                if isinstance(message, TransferIn) and message.asset == asset
            )
            assert stands == on_links

    def run(self, steps: int) -> Day:
        workers = list(self.exchange.workers.values())
        for number in range(steps):
            self.something_happens()
            for worker in self.chance.sample(workers, k=2):
                self.step(worker)
            if self.restarts and number % 50 == 49:
                self.exchange.restart(workers[(number // 50) % len(workers)])
        while any(worker.waiting() for worker in workers):
            for worker in workers:
                self.step(worker)
        return self


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
    check_cuts(day)


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
    filled: dict[int, int] = defaultdict(int)
    for sides in trades(day).values():
        one, two = sides
        assert {one.side, two.side} == {"B", "S"}
        assert {one.liquidity, two.liquidity} == {"M", "T"}
        assert (one.base, one.quote, one.lots) == (two.base, two.quote, two.lots)
        assert one.quote == one.lots * one.price_ticks * SPEC.quote_per_tick_lot
        assert one.account != two.account
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
