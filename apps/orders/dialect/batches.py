"""Several orders in one request: a list in JSON, each entry as a single order's parameters."""

from __future__ import annotations

import json
from typing import Any

from apps.markets.contracts import Catalogue
from apps.orders.dialect import endpoints, refusals, tickets
from apps.orders.dialect.params import PARAMS_MAX, Params
from apps.orders.dialect.refusals import DialectRefusal
from apps.orders.dialect.tickets import Ticket

BATCH_MAX = 10
Named = tuple[int, str]  # An order's number (or 0), its client id (or "").


def _listed(params: Params, name: str) -> list[Any]:
    """Read a JSON list of at least one entry and at most ten."""
    try:
        found = json.loads(params.needed(name))
    except (ValueError, RecursionError):
        raise refusals.bad_value(name) from None
    if not isinstance(found, list) or not 0 < len(found) <= BATCH_MAX:
        raise refusals.bad_value(name)
    return found


def _is_word(value: Any) -> bool:
    """A text or a whole number: a float's digits are nobody's word for money."""
    return isinstance(value, str | int) and not isinstance(value, bool)


def tickets_of(
    params: Params, catalogue: Catalogue, *, now_ns: int
) -> list[Ticket | DialectRefusal]:
    """Read each order by itself: its terms, or why it will not be sent."""
    return [_ticket(entry, catalogue, now_ns=now_ns) for entry in _listed(params, "batchOrders")]


def _ticket(entry: Any, catalogue: Catalogue, *, now_ns: int) -> Ticket | DialectRefusal:
    if not isinstance(entry, dict) or len(entry) > PARAMS_MAX:
        return refusals.bad_value("batchOrders")
    if not all(_is_word(value) for value in entry.values()):
        return refusals.bad_value("batchOrders")
    params = Params({name: str(value) for name, value in entry.items()})
    try:
        params.check_known(endpoints.BATCH_ORDER)
        return tickets.ticket_of(params, catalogue, now_ns=now_ns)
    except DialectRefusal as refusal:
        return refusal


def names_of(params: Params) -> list[Named]:
    """Read which orders are to be canceled: by numbers or by client ids."""
    by_number, by_name = "orderIdList" in params, "origClientOrderIdList" in params
    if by_number and by_name:
        raise refusals.bad_combination()
    if not by_number and not by_name:
        raise refusals.one_of("origClientOrderIdList", "orderIdList")
    listed, one = (
        ("orderIdList", "orderId") if by_number else ("origClientOrderIdList", "origClientOrderId")
    )
    entries = _listed(params, listed)
    if not all(_is_word(entry) for entry in entries):
        raise refusals.bad_value(listed)
    return [tickets.order_named(Params({one: str(entry)}, {one: listed})) for entry in entries]
