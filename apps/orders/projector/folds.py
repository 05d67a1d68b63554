"""What a partition's events make of the read models: pure, so a test holds it to the engine.

A `Fold` keeps what it needs to go on: open orders, and which ended ones are kept. `Changes` is what
the next write to `cache` must hold: final values, however often one changed.
"""

from collections import deque
from collections.abc import Iterable

import msgspec
from msgspec.structs import replace

from apps.common.kernel.ids import StreamId
from apps.common.kernel.invariants import ensure
from apps.common.kernel.money import Wide
from apps.journals.wire import Header
from apps.marketdata.dialect import Numbers
from apps.orders.projector import user_events
from apps.orders.readmodels import RECENT_MAX, AccountModel, FillModel, OrderModel
from apps.risk.contracts.events import (
    AccountNow,
    BalanceNow,
    ExtrasAccepted,
    FillBooked,
    MarketAdded,
    OrderAccepted,
    OrderAmended,
    OrderEnded,
    OrderReported,
    OrderTriggered,
    ValueMoved,
)
from matching_worker.contracts.market import MarketSpec

ENDED_STATUS = {
    "filled": "FILLED",
    "canceled": "CANCELED",
    "expired": "EXPIRED",
    "refused": "REJECTED",
}
CHANGES = ("TRIGGERED", "REPLACED")  # Steps of an open order that are no fill and no end.


class Place(msgspec.Struct, gc=False):
    """How far one worker's log is folded: the batch, its receipt, and what it had taken."""

    batch: int
    at_ns: int
    seq: int
    hash: bytes
    taken: dict[str, StreamId]


class Kept(msgspec.Struct):
    """Which of an account's orders are kept: ended ones newest first, and what client ids name."""

    recent: deque[tuple[int, str]]
    clients: dict[str, int]


class Changes:
    """Final values since the last write."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.orders: dict[int, OrderModel] = {}
        self.ended: list[OrderModel] = []
        self.dropped: list[tuple[int, str, int]] = []  # Account, client id ("" if renamed), order.
        self.fills: list[tuple[int, FillModel]] = []
        self.balances: dict[int, dict[str, tuple[Wide, Wide]]] = {}
        self.accounts: dict[int, AccountModel] = {}
        self.specs: dict[str, MarketSpec] = {}
        self.events: list[tuple[int, str]] = []  # Account, text.
        self.reports: list[tuple[OrderModel, str]] = []  # Of orders, among the events: which step.

    def leave(self, at_ns: int) -> None:
        """Note in orders and fills that these events leave for their owners now."""
        traded: set[int] = set()
        for order, execution in self.reports:
            if execution == "NEW":
                order.new_told_ns = at_ns
            elif execution == "TRADE":
                traded.add(order.order_id)
            elif execution not in CHANGES:
                order.end_told_ns = at_ns
        if traded:
            self.fills = [
                (account, replace(fill, told_ns=at_ns) if fill.order_id in traded else fill)
                for account, fill in self.fills
            ]


class Fold:
    """Folds the logs of all partitions; account and order numbers carry their partition."""

    def __init__(self) -> None:
        self.places: dict[str, Place] = {}
        self.open: dict[int, OrderModel] = {}
        self.kept: dict[int, Kept] = {}
        self.decimals: dict[str, int] = {}
        self.quiet = True  # Say nothing to users: we are folding history.
        self.changes = Changes()
        self._numbers: dict[str, Numbers] = {}
        self._moved: dict[int, dict[str, tuple[int, int]]] = {}

    def take_changes(self) -> Changes:
        """Return what changed since the last call, and start a new page."""
        taken, self.changes = self.changes, Changes()
        return taken

    def learn(self, spec: MarketSpec) -> None:
        """Know how a market's numbers are written."""
        self._numbers[spec.symbol] = Numbers(spec)
        self.decimals[spec.base] = spec.base_decimals
        self.decimals[spec.quote] = spec.quote_decimals

    def kept_of(self, account: int) -> Kept:
        """Return which orders of an account are kept."""
        if (kept := self.kept.get(account)) is None:
            kept = self.kept[account] = Kept(deque(), {})
        return kept

    def apply(
        self, worker: str, header: Header, receipt: bytes, events: Iterable[msgspec.Struct]
    ) -> None:
        """Fold one batch of a partition's log; the next one, or nothing at all."""
        place = self.places.get(worker)
        ensure(place is None or header.batch == place.batch + 1, "a log has no gap")
        taken = dict(place.taken) if place else {}
        taken |= {take.stream: take.last for take in header.takes}
        self.places[worker] = Place(header.batch, header.at_ns, header.last_seq, receipt, taken)
        self.changes.places[worker] = self.places[worker]
        for event in events:
            self._fold(event, header, receipt)
        for account, balances in self._moved.items():
            text = user_events.account_position(balances, self.decimals, at_ns=header.at_ns)
            self._tell(account, text)
        self._moved.clear()

    def _fold(self, event: msgspec.Struct, header: Header, receipt: bytes) -> None:
        match event:
            case OrderAccepted():
                self._accepted(event, header, receipt)
            case ExtrasAccepted():
                self._asks_for(event)
            case OrderReported():
                self._reported(event, header)
            case OrderTriggered():
                self._triggered(event, header)
            case OrderAmended():
                self._amended(event, header)
            case FillBooked():
                self._filled(event, header)
            case OrderEnded():
                self._ended(event, header)
            case BalanceNow():
                self._balance(event)
            case ValueMoved() if not self.quiet:
                amount = int(event.amount)
                self._tell(
                    event.account,
                    user_events.balance_update(
                        event.asset, amount, self.decimals, at_ns=header.at_ns
                    ),
                )
            case AccountNow():
                self.changes.accounts[event.account] = AccountModel(
                    account=event.account,
                    frozen=event.frozen,
                    tier=event.tier,
                    maker_ppm=event.maker_ppm,
                    taker_ppm=event.taker_ppm,
                )
            case MarketAdded():
                self.learn(event.spec)
                self.changes.specs[event.spec.symbol] = event.spec
            case _:
                pass  # Refusals, holds of withdrawals, checkpoints and cuts have no read model.

    def _accepted(self, event: OrderAccepted, header: Header, receipt: bytes) -> None:
        order = OrderModel(
            order_id=event.order_id,
            version=event.version,
            account=event.account,
            client_id=event.client_id,
            market=event.market,
            side=event.side,
            kind=event.kind,
            tif=event.time_in_force,
            post_only=event.post_only,
            price_ticks=event.price_ticks,
            lots=event.lots,
            budget=event.budget,
            status="NEW",
            accepted_ns=header.at_ns,
            updated_ns=header.at_ns,
            command=event.command,
            risk_batch=header.batch,
            risk_seq=event.seq,
            risk_hash=receipt,
        )
        self.open[order.order_id] = self.changes.orders[order.order_id] = order
        self.kept_of(order.account).clients[order.client_id] = order.order_id

    def _asks_for(self, event: ExtrasAccepted) -> None:
        order = self._order(event.order_id)
        order.extras, order.other_leg = event.extras, event.other_leg
        if (other := self.open.get(event.other_leg)) is not None:  # The second of its list.
            order.other_client_id, other.other_client_id = other.client_id, order.client_id
            self.changes.orders[other.order_id] = other

    def _reported(self, event: OrderReported, header: Header) -> None:
        order = self._decided(event)
        order.reported = True
        order.first_ns, order.first_seq = event.book_at_ns, event.book_seq
        order.first_hash = event.book_hash
        if event.ended != "refused":
            self._report(order, header, "NEW", "NEW", event.book_at_ns)
            if order.order_id > order.other_leg > 0:
                self._report_list(order, header, event.book_at_ns, "EXECUTING")

    def _triggered(self, event: OrderTriggered, header: Header) -> None:
        order = self._decided(event)
        order.triggered_ns = event.book_at_ns
        self._report(order, header, "NEW", order.status, event.book_at_ns, step="TRIGGERED")

    def _amended(self, event: OrderAmended, header: Header) -> None:
        order = self._decided(event)
        order.lots = event.lots
        self._report(order, header, "REPLACED", order.status, event.book_at_ns)

    def _filled(self, event: FillBooked, header: Header) -> None:
        order = self._decided(event)
        order.filled_lots, order.cum_quote = event.filled_lots, event.cum_quote
        order.status = "FILLED" if event.ended == "filled" else "PARTIALLY_FILLED"
        fill = FillModel(
            trade_id=event.trade_id,
            order_id=event.order_id,
            client_id=order.client_id,
            market=event.market,
            side=event.side,
            liquidity=event.liquidity,
            price_ticks=event.price_ticks,
            lots=event.lots,
            quote=event.quote,
            fee_asset=event.fee_asset,
            fee=event.fee,
            at_ns=event.book_at_ns,
            book_seq=event.book_seq,
            book_hash=event.book_hash,
        )
        self.changes.fills.append((event.account, fill))
        self._report(order, header, "TRADE", order.status, event.book_at_ns, fill)

    def _ended(self, event: OrderEnded, header: Header) -> None:
        order = self._order(event.order_id)
        if event.book_seq:
            order.book_seq, order.book_hash = event.book_seq, event.book_hash
        order.updated_ns = event.book_at_ns or header.at_ns
        order.filled_lots, order.cum_quote = event.filled_lots, event.cum_quote
        order.ended, order.code = event.ended, event.code
        order.status = ENDED_STATUS[event.ended]
        if event.ended != "filled":
            self._report(order, header, order.status, order.status, order.updated_ns)
        if order.other_leg and order.other_leg not in self.open:
            state = "REJECT" if event.ended == "refused" else "ALL_DONE"
            self._report_list(order, header, order.updated_ns, state)
        self._retire(order)

    def _retire(self, order: OrderModel) -> None:
        """Move an order from the open ones to the recent ones; the oldest of those leaves."""
        del self.open[order.order_id]
        self.changes.orders.pop(order.order_id, None)
        self.changes.ended.append(order)
        kept = self.kept_of(order.account)
        kept.recent.appendleft((order.order_id, order.client_id))
        if len(kept.recent) > RECENT_MAX:
            oldest, client_id = kept.recent.pop()
            is_named = kept.clients.get(client_id) == oldest  # Else a newer order has the name.
            if is_named:
                del kept.clients[client_id]
            self.changes.dropped.append((order.account, client_id if is_named else "", oldest))

    def _balance(self, event: BalanceNow) -> None:
        of_account = self.changes.balances.setdefault(event.account, {})
        of_account[event.asset] = (event.total, event.held)
        if not self.quiet:
            moved = self._moved.setdefault(event.account, {})
            moved[event.asset] = (int(event.total), int(event.held))

    def _decided(
        self, event: OrderReported | FillBooked | OrderTriggered | OrderAmended
    ) -> OrderModel:
        order = self._order(event.order_id)
        order.version = event.version
        order.book_seq, order.book_hash = event.book_seq, event.book_hash
        order.updated_ns = event.book_at_ns
        self.changes.orders[order.order_id] = order
        return order

    def _order(self, order_id: int) -> OrderModel:
        ensure(order_id in self.open, "what a log reports on was accepted in it and has not ended")
        return self.open[order_id]

    def _report(
        self,
        order: OrderModel,
        header: Header,
        execution: str,
        status: str,
        decided_ns: int,
        fill: FillModel | None = None,
        step: str = "",
    ) -> None:
        if self.quiet or (numbers := self._numbers.get(order.market)) is None:
            return
        text = user_events.execution_report(
            order,
            numbers,
            execution=execution,
            status=status,
            event_ns=header.at_ns,
            decided_ns=decided_ns,
            fill=fill,
        )
        self._tell(order.account, text)
        self.changes.reports.append((order, step or execution))

    def _report_list(self, order: OrderModel, header: Header, decided_ns: int, state: str) -> None:
        if self.quiet or (numbers := self._numbers.get(order.market)) is None:
            return
        text = user_events.list_status(
            order, numbers, state=state, event_ns=header.at_ns, decided_ns=decided_ns
        )
        self._tell(order.account, text)

    def _tell(self, account: int, text: str) -> None:
        if not self.quiet:
            self.changes.events.append((account, text))
