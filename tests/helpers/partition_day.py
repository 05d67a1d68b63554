"""A random day through partitions and their book: against the obvious twin, checked each step."""

from __future__ import annotations

from random import Random

import msgspec

from apps.common.kernel.ids import numbered_in
from apps.risk.contracts.commands import (
    AccountFreeze,
    AccountOpen,
    Adjustment,
    Deposit,
    FeesSet,
    Transfer,
    TransferIn,
    WithdrawalHold,
    WithdrawalRelease,
    WithdrawalSettle,
)
from matching_worker.contracts.market import MarketSpec, MarketStateSet, MarkSet
from tests.helpers.obvious_risk import ObviousPartition
from tests.helpers.partition_requests import Requests
from tests.helpers.pure_exchange import PureExchange, PureWorker
from tests.helpers.risk_story import in_kinds, story
from tests.helpers.scripted_stage import account_of

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


STATES = ["trading"] * 12 + ["cancel_only", "post_only", "auction", "auction"]


class Day(Requests):
    """What happens on one day, drawn from a seed. Everyone follows the newest rules."""

    def __init__(
        self, seed: int, *, partitions: int, restarts: bool = False, twins: bool = True
    ) -> None:
        super().__init__(Random(seed), PureExchange(SPEC, partitions=partitions))
        for worker in self.exchange.workers.values():
            worker.machine.set_rules(2)
        self.restarts = restarts
        self.twins: dict[str, ObviousPartition] = {}
        if twins:
            for number, risk in enumerate(self.exchange.risks):
                twin = self.twins[risk.name] = ObviousPartition(number, rules=2)
                for frame in risk.told:
                    twin.tell(frame.messages, self.exchange.now_ns)
        self.accounts = [
            numbered_in(partition, counter=counter)
            for partition in range(partitions)
            for counter in (1, 2, 3)
        ]
        self.references = self.marks = 0
        self.withdrawals: list[tuple[int, str]] = []
        self.trace: list[bytes] = []
        for account in self.accounts:
            self.tell(account, AccountOpen(account))
            self.tell(account, Deposit(account, "USDT", 1_000_000, f"u{account}"))
            self.tell(account, Deposit(account, "BTC", 1_000_000, f"b{account}"))

    # ── What people and operators do ────────────────────────────────────────────────────────────

    def tell(self, account: int, *commands: msgspec.Struct) -> None:
        self.exchange.ask(self.exchange.risk_of(account), commands)

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
                asked = self.request()
                self.tell(account_of(asked), asked)
        elif dice < 0.70:
            self.tell(*self.value_command())
        elif dice < 0.80 and self.placed:
            order = chance.choice(self.placed[-20:])
            exchange.cancel(order.account, client_id=chance.choice([order.client_id, ""]))
        elif dice < 0.86:
            exchange.ask(exchange.book, [MarketStateSet(chance.choice(STATES), "a whim")])
        elif dice < 0.90:
            self.marks += 1
            exchange.ask(exchange.book, [MarkSet(self.marks, chance.randint(94, 106))])
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
            if self.restarts and number % 10 == 9:
                self.exchange.restart(workers[(number // 10) % len(workers)])
        while any(worker.waiting() for worker in workers):
            for worker in workers:
                self.step(worker)
        return self
