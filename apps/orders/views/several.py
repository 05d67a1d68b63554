"""The doors of several orders at once: lists (one cancels the other), batches, cancels of all."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.markets import selectors as markets
from apps.markets.contracts import Catalogue
from apps.orders import callers, lists, services
from apps.orders.dialect import batches, endpoints, refusals, tickets
from apps.orders.dialect import lists as dialect_lists
from apps.orders.dialect.lists import PairTicket
from apps.orders.dialect.params import CLIENT_ID, Params
from apps.orders.doors import Handler, answer, charge, door, identify
from apps.orders.runtime import Edge

FIND_LIST_WEIGHT, OPEN_LISTS_WEIGHT = 4, 6
COUNTDOWN_MAX_MS = 24 * 60 * 60 * 1_000


# ── Lists ───────────────────────────────────────────────────────────────────────────────────────


def _placing(
    allowed: frozenset[str], read: Callable[[Params, Catalogue], PairTicket], says: str
) -> Handler:
    async def place_list(request: HttpRequest, edge: Edge) -> HttpResponse:
        received_ns = time.time_ns()
        caller = await identify(request, edge, allowed)
        pair = read(caller.params, markets.known())
        used = await charge(request, edge, caller, weight=1, orders=2, is_new_order=True)
        return answer(await lists.place_pair(edge, caller, pair, received_ns=received_ns), used)

    place_list.__doc__ = says
    return place_list


place_pair = _placing(
    endpoints.NEW_OCO,
    dialect_lists.pair_of,
    "Place two orders, one above the market's price and one below: one cancels the other.",
)
place_old_pair = _placing(
    endpoints.OLD_OCO,
    dialect_lists.old_pair_of,
    "Place a limit order and a stop order: one cancels the other (the dialect's older form).",
)


async def find_list(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Look one list of orders up."""
    caller = await identify(request, edge, endpoints.FIND_LIST)
    list_id, name = tickets.named(caller.params, "orderListId", "origClientOrderId")
    used = await charge(request, edge, caller, weight=FIND_LIST_WEIGHT)
    found = await lists.find(edge, caller, markets.known(), list_id=list_id, name=name)
    return answer(found, used)


async def open_lists(request: HttpRequest, edge: Edge) -> HttpResponse:
    """List the lists of which something may still trade."""
    caller = await identify(request, edge, endpoints.SIGNED_ONLY)
    used = await charge(request, edge, caller, weight=OPEN_LISTS_WEIGHT)
    return answer(await lists.find_open(edge, caller, markets.known()), used)


async def cancel_list(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Cancel both orders of a list."""
    caller = await identify(request, edge, endpoints.CANCEL_LIST)
    market = tickets.market_of(caller.params, markets.known())
    list_id, name = tickets.named(caller.params, "orderListId", "listClientOrderId")
    cancel_id = caller.params.matching("newClientOrderId", CLIENT_ID) or ""
    used = await charge(request, edge, caller, weight=1)
    ended = await lists.cancel_list(
        edge, caller, market, list_id=list_id, name=name, cancel_id=cancel_id
    )
    return answer(ended, used)


# ── Batches ─────────────────────────────────────────────────────────────────────────────────────


async def place_batch(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Place up to ten orders; each is answered by itself, in their order."""
    received_ns = time.time_ns()
    caller = await identify(request, edge, endpoints.BATCH_PLACE)
    orders = batches.tickets_of(caller.params, markets.known(), now_ns=received_ns)
    count = len(orders)
    used = await charge(request, edge, caller, weight=count, orders=count, is_new_order=True)
    return answer(await lists.place_many(edge, caller, orders, received_ns=received_ns), used)


async def cancel_batch(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Cancel up to ten orders of a market; each is answered by itself, in their order."""
    caller = await identify(request, edge, endpoints.BATCH_CANCEL)
    market = tickets.market_of(caller.params, markets.known())
    names = batches.names_of(caller.params)
    used = await charge(request, edge, caller, weight=len(names))
    return answer(await lists.cancel_many(edge, caller, market, names), used)


# ── The dead man's switch ───────────────────────────────────────────────────────────────────────


async def cancel_all_after(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Cancel all of an account's orders in a market unless this comes again in time (0: never)."""
    caller = await identify(request, edge, endpoints.CANCEL_AFTER)
    market = tickets.market_of(caller.params, markets.known())
    caller.params.needed("countdownTime")
    countdown_ms = caller.params.whole("countdownTime") or 0
    if countdown_ms > COUNTDOWN_MAX_MS:
        raise refusals.bad_value("countdownTime")
    used = await charge(request, edge, caller, weight=1)
    callers.check_may_cancel(caller, market)
    done = await services.set_cancel_after(
        edge,
        caller.account,
        market,
        delay_ns=countdown_ms * 1_000_000,
        deadline_ns=caller.deadline_ns,
    )
    return answer(done, used)


list_view = door(GET=find_list, DELETE=cancel_list)
pair_view = door(POST=place_pair)
old_pair_view = door(POST=place_old_pair)
open_lists_view = door(GET=open_lists)
batch_view = door(POST=place_batch, DELETE=cancel_batch)
cancel_after_view = door(POST=cancel_all_after)
