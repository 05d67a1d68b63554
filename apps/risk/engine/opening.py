"""Open an order that was found good: number it, hold its cost, send it on, and say so."""

from apps.common.kernel.ids import numbered_in
from apps.common.kernel.money import WIDE_MAX, wide
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import PlaceOrder
from apps.risk.contracts.events import ExtrasAccepted, OrderAccepted
from apps.risk.engine.accounts import Account
from apps.risk.engine.orders import Leg, Market, Order
from apps.risk.engine.state import PartitionState
from matching_worker.contracts.market import BUY, MARKET
from matching_worker.contracts.to_book import ExtraOrder, HeldOrder, OrderExtras

_FIRST_VERSION = 1


def open_order(
    state: PartitionState,
    asked: PlaceOrder,
    account: Account,
    market: Market,
    cost: int,
    origin: Origin,
    *,
    extras: OrderExtras | None = None,
    leg: Leg | None = None,
) -> Order:
    """Make the order, and set its hold aside. Its client id is the caller's to remember."""
    state.orders_made += 1
    is_buy = asked.side == BUY
    pays_from = account.balance(market.quote if is_buy else market.base)
    order = Order(
        numbered_in(state.partition, counter=state.orders_made),
        _FIRST_VERSION,
        account,
        market,
        pays_from,
        asked.client_id,
        asked.side,
        asked.kind,
        asked.time_in_force,
        asked.post_only,
        asked.price_ticks,
        asked.lots,
        int(asked.quote_budget),
        cost if is_buy and asked.kind == MARKET else 0,
        origin.entry,
        state.seq,
        state.at_ns,
        0 if leg is not None and leg.part == "none" else cost,
        derived=asked.derived,
        extras=extras,
        leg=leg,
    )
    pays_from.held += order.held
    state.touch(pays_from)
    state.orders[order.order_id] = order
    account.open_orders[market.symbol] = account.open_orders.get(market.symbol, 0) + 1
    return order


def for_book(order: Order, deadline_ns: int) -> HeldOrder:
    """Write the held order as its book hears of it."""
    return HeldOrder(
        order.order_id,
        order.version,
        order.account.number,
        order.client_id,
        order.side,
        order.kind,
        order.time_in_force,
        order.post_only,
        order.price_ticks,
        order.lots,
        order.budget and wide(order.budget),  # Mostly none, and `wide` is a call.
        deadline_ns,
        order.command,
    )


def send_on(order: Order, deadline_ns: int, out: Outputs) -> None:
    """Pass the held order to its book."""
    held = for_book(order, deadline_ns)
    out.send(order.market.peer, held if order.extras is None else ExtraOrder(held, order.extras))


def tell(state: PartitionState, order: Order, out: Outputs) -> None:
    """Write into the log that the order is held, and what else it asks for."""
    held = order.held
    out.events.append(
        OrderAccepted(
            state.seq,
            order.order_id,
            order.version,
            order.account.number,
            order.market.symbol,
            order.client_id,
            order.side,
            order.kind,
            order.time_in_force,
            order.post_only,
            order.price_ticks,
            order.lots,
            order.budget and wide(order.budget),
            order.pays_from.asset,
            held if held <= WIDE_MAX else str(held),  # As `wide`: a hold is not negative.
            order.command,
        )
    )
    if order.extras is not None:
        other = 0 if order.leg is None else order.leg.other
        out.events.append(
            ExtrasAccepted(state.seq, order.order_id, order.account.number, order.extras, other)
        )
