"""A stage whose book does what the story says (`scripted_book`), and the words for new orders."""

from __future__ import annotations

import msgspec

from apps.journals.contracts import RuntimeCommand
from apps.journals.keys import worker_of_market
from apps.journals.machine import Outputs
from apps.risk.contracts.commands import AmendOrder, PlaceExtra, PlaceOrder, PlacePair
from apps.risk.contracts.events import RiskEvent
from apps.risk.contracts.replies import RiskReply
from matching_worker.contracts.market import MarketSpec
from matching_worker.contracts.to_book import BookCommand, LinkMessage, OrderExtras
from tests.helpers.pure_exchange import PureWorker, through_bytes
from tests.helpers.scripted_book import ScriptedBook
from tests.helpers.trading_stage import SMALL_MARKET, Stage, Trader

Asked = PlaceOrder | PlaceExtra | PlacePair | AmendOrder


class ScriptedStage(Stage):
    """Partitions that follow the newest rules, and a book that follows a script."""

    def __init__(
        self,
        spec: MarketSpec = SMALL_MARKET,
        *,
        partitions: int = 1,
        rules: int = 2,
        admits: bool = True,
    ) -> None:
        self._admits = admits
        super().__init__(spec, partitions=partitions)
        for risk in self.risks:
            risk.machine.set_rules(rules)

    def _book(self) -> PureWorker:
        self.script = ScriptedBook(
            self.spec, [risk.name for risk in self.risks], admits=self._admits
        )
        return PureWorker(
            worker_of_market(self.spec.symbol),
            self.script,  # type: ignore[arg-type]
            commands=BookCommand | RuntimeCommand,
            links=LinkMessage,
        )

    def step(self, worker: PureWorker, *, most: int = 1_000) -> Outputs:
        """Run one batch; what a partition says is read as its readers do, and all is checked."""
        out = super().step(worker, most=most)
        if worker is not self.book:
            assert through_bytes(out.events, RiskEvent) == out.events
            for replies in out.replies.values():
                assert through_bytes(replies, RiskReply) == replies
            worker.machine.check()
        return out

    def flows(self) -> None:
        """Let the book say what the script made it say, and everyone hear of it."""
        self.step(self.book)
        self.settle()

    def answers(self, asked: Asked) -> list[msgspec.Struct]:
        """Return all that was answered to a request so far."""
        return self.replies.get(request_of(asked), [])

    def asks(self, *asked: Asked) -> msgspec.Struct | None:
        """Send requests in one frame and let all settle; return the last one's answer, if any."""
        self.ask(self.risk_of(account_of(asked[0])), asked)
        self.settle()
        answers = self.answers(asked[-1])
        assert len(answers) <= 1
        return answers[0] if answers else None


def _first(asked: Asked) -> PlaceOrder | AmendOrder:
    match asked:
        case PlaceExtra():
            return asked.order
        case PlacePair():
            return asked.first.order
    return asked


def request_of(asked: Asked) -> int:
    """Return the number of the answer that a request waits for."""
    return _first(asked).request


def account_of(asked: Asked) -> int:
    """Return whose request it is."""
    return _first(asked).account


def extra(order: PlaceOrder, **extras: object) -> PlaceExtra:
    """Ask for more than a plain order's terms."""
    return PlaceExtra(order, OrderExtras(**extras))  # type: ignore[arg-type]


def stop(order: PlaceOrder, *, at: int, **extras: object) -> PlaceExtra:
    """Let the order wait until the price runs against its side, to `at`."""
    return extra(order, trigger="stop", trigger_ticks=at, **extras)


def stop_market(trader: Trader, *, at: int, **terms: object) -> PlaceExtra:
    """Make a market order that waits until the price runs against its side, to `at`."""
    market = {"kind": "M", "time_in_force": "IOC", "price_ticks": 0}
    return stop(trader.order(**(market | terms)), at=at)


def pair(first: PlaceOrder | PlaceExtra, second: PlaceOrder | PlaceExtra) -> PlacePair:
    """Let one cancel the other; only the first one's request is answered."""
    legs = [leg if isinstance(leg, PlaceExtra) else extra(leg) for leg in (first, second)]
    legs[1] = PlaceExtra(msgspec.structs.replace(legs[1].order, request=0), legs[1].extras)
    return PlacePair(*legs)


def amend(trader: Trader, order_id: int = 0, *, lots: int, **terms: object) -> AmendOrder:
    """Ask for an order to be smaller."""
    fields: dict[str, object] = {
        "request": trader.stage.next_request(),
        "account": trader.account,
        "market": trader.stage.spec.symbol,
        "order_id": order_id,
        "client_id": "",
        "lots": lots,
        "deadline_ns": trader.stage.now_ns + 5_000_000_000,
    }
    return AmendOrder(**(fields | terms))  # type: ignore[arg-type]
