"""What this edge placed of late that is more than a plain order.

A book's answer to a cancel tells a plain order's terms. What it was beyond that stands in the
read models a moment after it was placed, and here from its answer on.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from apps.common.kernel.money import wide
from apps.orders.dialect.tickets import Ticket
from apps.orders.readmodels import OrderModel

ORDERS_MAX = 10_000


class Recent:
    """The newest orders with extras, by number."""

    def __init__(self) -> None:
        self._orders: OrderedDict[int, OrderModel] = OrderedDict()

    def note(self, order: OrderModel) -> None:
        """Remember an order; the oldest one may be forgotten for it."""
        self._orders[order.order_id] = order
        if len(self._orders) > ORDERS_MAX:
            self._orders.popitem(last=False)

    def of(self, account: int, order_ids: Iterable[int]) -> dict[int, OrderModel]:
        """Return those of these orders that are remembered, and the account's."""
        found = (self._orders.get(order_id) for order_id in order_ids)
        return {
            order.order_id: order
            for order in found
            if order is not None and order.account == account
        }


def as_placed(
    ticket: Ticket,
    *,
    account: int,
    order_id: int,
    client_id: str,
    at_ns: int,
    other: tuple[int, str] = (0, ""),
) -> OrderModel:
    """Show an order as the read models will. `other` is the other order of its list."""
    return OrderModel(
        order_id=order_id,
        version=1,
        account=account,
        client_id=client_id,
        market=ticket.market.spec.symbol,
        side=ticket.side,
        kind=ticket.kind,
        tif=ticket.time_in_force,
        post_only=ticket.post_only,
        price_ticks=ticket.price_ticks,
        lots=ticket.lots,
        budget=wide(ticket.quote_budget),
        status="NEW",
        accepted_ns=at_ns,
        updated_ns=at_ns,
        risk_batch=0,
        risk_seq=0,
        risk_hash=b"",
        extras=ticket.extras,
        other_leg=other[0],
        other_client_id=other[1],
    )
