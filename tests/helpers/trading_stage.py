"""A small stage for stories about people who trade: names, whole numbers, all settled at once.

One lot at a price of one tick costs one minor unit of USDT, and one lot is one minor unit of BTC.
No fees unless a story sets them. The reference is 100, so prices from 90 to 110 are taken.
"""

from __future__ import annotations

import msgspec

from apps.common.kernel.ids import numbered_in
from apps.risk.contracts import events
from apps.risk.contracts.commands import AccountOpen, Deposit, FeesSet, PlaceOrder
from apps.risk.engine.accounts import Balance
from matching_worker.contracts.market import MarketSpec, MarketState
from tests.helpers.pure_exchange import PureExchange, PureWorker

SMALL_MARKET = MarketSpec(
    symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    base_decimals=0,
    quote_decimals=0,
    price_decimals=0,
    size_decimals=0,
    quote_per_tick_lot=1,
    base_per_lot=1,
    min_lots=1,
    max_lots=1_000_000_000,
    min_notional=1,
    reference_ticks=100,
    maker_ppm=0,
    taker_ppm=0,
)


class Stage(PureExchange):
    """An exchange with people on it."""

    def __init__(
        self,
        spec: MarketSpec = SMALL_MARKET,
        *,
        partitions: int = 1,
        state: MarketState = "trading",
    ) -> None:
        super().__init__(spec, partitions=partitions, state=state)
        self.people = 0

    def trader(self, name: str, *, partition: int = 0, **funds: int) -> Trader:
        """Open an account, with deposits: `stage.trader("alice", usdt=1_000)`."""
        self.people += 1
        trader = Trader(self, name, numbered_in(partition, counter=self.people))
        self.does(trader.risk, AccountOpen(trader.account))
        for asset, amount in funds.items():
            trader.deposits(amount, asset.upper())
        return trader

    def does(self, risk: PureWorker, *commands: msgspec.Struct) -> list[msgspec.Struct]:
        """Give a partition commands, let all settle, and return the events they led to there."""
        seen = len(risk.events)
        self.ask(risk, commands)
        self.settle()
        return risk.events[seen:]

    def trades(self) -> list[tuple[int, int]]:
        """Return (lots, price) of every trade, in order."""
        return [
            (event.lots, event.price_ticks)
            for event in self.book.events
            if type(event).__name__ == "Trade"
        ]


class Trader:
    """A person with an account."""

    def __init__(self, stage: Stage, name: str, account: int) -> None:
        self.stage = stage
        self.name = name
        self.account = account
        self.risk = stage.risk_of(account)
        self.orders = 0

    # ── Acts ────────────────────────────────────────────────────────────────────────────────────

    def deposits(self, amount: int, asset: str) -> None:
        reference = f"{self.name}-{self.stage.next_request()}"
        self.stage.does(self.risk, Deposit(self.account, asset, amount, reference))

    def pays_fees(self, *, maker_ppm: int, taker_ppm: int, tier: int = 1) -> None:
        self.stage.does(self.risk, FeesSet(self.account, tier, maker_ppm, taker_ppm))

    def order(self, **terms: object) -> PlaceOrder:
        """Make a request: a GTC limit buy of one lot at 100 unless said otherwise."""
        self.orders += 1
        fields: dict[str, object] = {
            "request": self.stage.next_request(),
            "account": self.account,
            "market": self.stage.spec.symbol,
            "client_id": f"{self.name}-{self.orders}",
            "derived": False,
            "side": "B",
            "kind": "L",
            "time_in_force": "GTC",
            "post_only": False,
            "price_ticks": 100,
            "lots": 1,
            "quote_budget": 0,
            "deadline_ns": self.stage.now_ns + 5_000_000_000,
            "response": "RESULT",
        }
        return PlaceOrder(**(fields | terms))  # type: ignore[arg-type]

    def sends(self, *orders: PlaceOrder) -> list[msgspec.Struct]:
        """Send requests in one frame, let all settle, and return the answers in their order."""
        self.stage.ask(self.risk, orders)
        self.stage.settle()
        return [self.stage.replies[order.request][-1] for order in orders]

    def places(self, **terms: object) -> msgspec.Struct:
        return self.sends(self.order(**terms))[0]

    def buys(self, *, lots: int, at: int, **terms: object) -> msgspec.Struct:
        return self.places(side="B", lots=lots, price_ticks=at, **terms)

    def sells(self, *, lots: int, at: int, **terms: object) -> msgspec.Struct:
        return self.places(side="S", lots=lots, price_ticks=at, **terms)

    def cancels(self, client_id: str = "") -> msgspec.Struct:
        request = self.stage.cancel(self.account, client_id=client_id)
        self.stage.settle()
        return self.stage.replies[request][-1]

    # ── What is so ──────────────────────────────────────────────────────────────────────────────

    def _balance(self, asset: str) -> Balance:
        account = self.risk.machine.accounts[self.account]  # type: ignore[attr-defined]
        return account.balances.get(asset) or Balance(self.account, asset)

    def has(self, asset: str = "USDT") -> int:
        return self._balance(asset).total

    def held(self, asset: str = "USDT") -> int:
        return self._balance(asset).held

    def available(self, asset: str = "USDT") -> int:
        return self._balance(asset).available

    def fills(self) -> list[events.FillBooked]:
        """Return all that was booked for this person."""
        return [
            event
            for event in self.risk.events
            if isinstance(event, events.FillBooked) and event.account == self.account
        ]
