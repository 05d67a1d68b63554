"""What is done about several orders at once: lists of which one cancels the other, and batches.

A list needs no table: its orders know each other, and its number is the first one's. Where its
client gave it a name that its orders' names do not tell, the edge notes that name on `cache`.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Sequence
from typing import Any

import redis
from msgspec.structs import replace

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.markets.contracts import Catalogue, MarketInfo
from apps.orders import callers, selectors, services
from apps.orders.contracts import Caller
from apps.orders.dialect import lists, refusals, render
from apps.orders.dialect.lists import PairTicket
from apps.orders.dialect.refusals import DialectRefusal
from apps.orders.dialect.tickets import Ticket
from apps.orders.readmodels import OrderModel
from apps.orders.recent import as_placed
from apps.orders.runtime import Edge
from apps.risk.contracts.commands import PlaceExtra, PlacePair
from apps.risk.contracts.replies import OrderAck, OrderResult
from matching_worker.engine import codes as book

NAME_KEPT_S = 30 * 24 * 3600


def _name_key(account: int, name: str) -> str:
    """Return where the number of a list stands by its name."""
    return f"list:number:{account}:{name}"


def _number_key(list_id: int) -> str:
    """Return where the name of a list stands by its number."""
    return f"list:name:{list_id}"


def _base(name: str) -> str:
    """Return what the names of a list's orders begin with."""
    if len(name) <= lists.BASE_MAX:
        return name
    return hashlib.sha256(name.encode()).hexdigest()[:22]


# ── Placing ─────────────────────────────────────────────────────────────────────────────────────


async def place_pair(
    edge: Edge, caller: Caller, pair: PairTicket, *, received_ns: int
) -> dict[str, Any]:
    """Place two orders of which one cancels the other: both come in, or neither."""
    callers.check_may_trade(caller, pair.stop.market)
    services.check_takes_orders(pair.stop.market)
    base, derived = services.client_id_for(pair.name, caller)
    names = lists.order_names(pair, _base(base))
    first, second = (
        PlaceExtra(
            order=replace(ticket, response="RESULT").order(
                request=edge.mailbox.next_request() if ticket is pair.stop else 0,
                account=caller.account,
                client_id=client_id,
                derived=derived and not ticket.client_id,
                deadline_ns=caller.deadline_ns,
            ),
            extras=ticket.extras,
        )
        for ticket, client_id in zip((pair.stop, pair.limit), names, strict=True)
    )
    _, reply = await services.ask_partition(
        edge,
        caller,
        PlacePair(first=first, second=second),
        request=first.order.request,
        received_ns=received_ns,
    )
    if isinstance(reply, OrderAck):
        raise refusals.unknown_outcome()  # A result was asked for.
    if reply.ended == "refused":
        raise await _why(edge, caller, reply)
    legs = list(zip(_numbers(reply.order_id), names, strict=True))
    _remember(edge, caller.account, pair, legs, at_ns=reply.at_ns)
    told = lists.name_of(*names)
    if pair.name and pair.name != told:
        await _note_name(edge, caller.account, name=pair.name, list_id=reply.order_id)
    return _placed(pair, reply, legs, name=pair.name or told)


def _numbers(list_id: int) -> tuple[int, int]:
    """Return the numbers of a list's orders."""
    return list_id, list_id + PARTITIONS_MAX


def _remember(
    edge: Edge, account: int, pair: PairTicket, legs: list[tuple[int, str]], *, at_ns: int
) -> None:
    for ticket, leg, other in zip((pair.stop, pair.limit), legs, legs[::-1], strict=True):
        number, name = leg
        order = as_placed(
            ticket, account=account, order_id=number, client_id=name, at_ns=at_ns, other=other
        )
        edge.recent.note(order)


async def _why(edge: Edge, caller: Caller, reply: OrderResult) -> DialectRefusal:
    """Say why a pair was refused: the first order's code, unless it was the second's fault."""
    if reply.code != book.OTHER_LEG:
        return refusals.of_engine(reply.code)
    other = reply.order_id + PARTITIONS_MAX
    await selectors.catch_up(edge, caller.account)
    known = await services.known_of(edge, caller.account, [other])
    return refusals.of_engine(known[other].code if other in known else book.OTHER_LEG)


def _placed(
    pair: PairTicket, reply: OrderResult, legs: list[tuple[int, str]], *, name: str
) -> dict[str, Any]:
    reports = [
        render.result(
            replace(ticket, response="RESULT"), replace(reply, order_id=number, client_id=client_id)
        )
        | {"orderListId": reply.order_id}
        for ticket, (number, client_id) in zip((pair.stop, pair.limit), legs, strict=True)
    ]
    body = lists.list_body(
        pair.stop.market, legs, name=name, at_ns=reply.transact_ns, is_done=False
    )
    receipt = render.Receipt(reply.engine, reply.engine_seq, reply.journal_hash)
    return body | {"orderReports": reports} | receipt.fields()


async def _note_name(edge: Edge, account: int, *, name: str, list_id: int) -> None:
    with contextlib.suppress(redis.RedisError, OSError):
        async with edge.cache.pipeline(transaction=False) as pipe:
            pipe.set(_name_key(account, name), list_id, ex=NAME_KEPT_S)
            pipe.set(_number_key(list_id), name, ex=NAME_KEPT_S)
            await pipe.execute()


# ── Reading ─────────────────────────────────────────────────────────────────────────────────────


async def find(
    edge: Edge, caller: Caller, catalogue: Catalogue, *, list_id: int, name: str
) -> dict[str, Any]:
    """Return one list of the account."""
    as_of = await selectors.catch_up(edge, caller.account)
    found = await _orders_of(edge, caller.account, list_id=list_id, name=name)
    if not found and not as_of and list_id:
        found = await selectors.past_orders(caller.account, _numbers(list_id))
    known = [order for order in found if order.list_id != lists.NO_LIST]
    if not known:
        raise refusals.catching_up() if as_of else refusals.no_such_list()
    market = catalogue.by_symbol.get(known[0].market)
    if market is None:
        raise refusals.no_such_list()
    noted = name or await _noted_name(edge, known[0].list_id)
    return lists.list_row(market, known, noted) | as_of


async def find_open(edge: Edge, caller: Caller, catalogue: Catalogue) -> list[dict[str, Any]]:
    """Return the lists of which something may still trade."""
    as_of = await selectors.catch_up(edge, caller.account)
    of_lists: dict[int, list[OrderModel]] = {}
    for order in await edge.models.open_orders(caller.account):
        if order.list_id != lists.NO_LIST and order.market in catalogue.by_symbol:
            of_lists.setdefault(order.list_id, []).append(order)
    return [
        lists.list_row(
            catalogue.by_symbol[orders[0].market], orders, await _noted_name(edge, list_id)
        )
        | as_of
        for list_id, orders in sorted(of_lists.items())
    ]


async def _orders_of(edge: Edge, account: int, *, list_id: int, name: str) -> list[OrderModel]:
    if not list_id:
        list_id = await _noted_number(edge, account, name)
    if not list_id:
        first = await edge.models.order_by_client_id(account, _base(name) + lists.FIRST)
        list_id = first.list_id if first is not None else 0
    if list_id <= 0:
        return []
    return await edge.models.orders_by_ids(account, _numbers(list_id))


async def _noted_number(edge: Edge, account: int, name: str) -> int:
    with contextlib.suppress(redis.RedisError, OSError):
        return int(await edge.cache.get(_name_key(account, name)) or 0)
    return 0


async def _noted_name(edge: Edge, list_id: int) -> str:
    with contextlib.suppress(redis.RedisError, OSError):
        raw: Any = await edge.cache.get(_number_key(list_id))
        return raw.decode() if raw else ""
    return ""


# ── Canceling ───────────────────────────────────────────────────────────────────────────────────


async def cancel_list(
    edge: Edge, caller: Caller, market: MarketInfo, *, list_id: int, name: str, cancel_id: str
) -> dict[str, Any]:
    """End both orders of a list: the book ends the one with the other."""
    callers.check_may_cancel(caller, market)
    if not list_id:
        list_id = await _noted_number(edge, caller.account, name)
    if list_id:
        known = await services.known_of(edge, caller.account, [list_id])
        if list_id in known and known[list_id].list_id != list_id:
            raise refusals.no_such_list()  # An order that stands alone.
    client_id = "" if list_id else _base(name) + lists.FIRST
    ended = await services.cancel(
        edge, caller, market, order_id=list_id, client_id=client_id, cancel_id=cancel_id
    )
    reports = sorted(ended, key=lambda report: int(report["orderId"]))
    orders = [(int(one["orderId"]), str(one["origClientOrderId"])) for one in reports]
    told = lists.name_of(orders[0][1], orders[-1][1])
    number = orders[0][0]
    body = lists.list_body(market, orders, name=name or told, at_ns=0, is_done=True)
    return body | {
        "transactionTime": reports[0]["transactTime"],
        "orderReports": [report | {"orderListId": number} for report in reports],
    }


# ── Batches ─────────────────────────────────────────────────────────────────────────────────────


async def place_many(
    edge: Edge, caller: Caller, orders: Sequence[Ticket | DialectRefusal], *, received_ns: int
) -> list[dict[str, Any]]:
    """Send orders together, in one frame; each gets its own answer, in their order."""
    callers.check_may_trade(caller)

    async def one(order: Ticket | DialectRefusal, number: int) -> dict[str, Any]:
        try:
            if isinstance(order, DialectRefusal):
                raise order
            return await services.place(
                edge, caller, order, received_ns=received_ns, place_in_request=number
            )
        except DialectRefusal as refusal:
            return refusal.as_json()

    return list(await asyncio.gather(*(one(order, n) for n, order in enumerate(orders, 1))))


async def cancel_many(
    edge: Edge, caller: Caller, market: MarketInfo, names: Sequence[tuple[int, str]]
) -> list[dict[str, Any]]:
    """Cancel orders together, in one frame; each gets its own answer, in their order."""
    callers.check_may_cancel(caller, market)
    up_to = await edge.newest_command(caller.partition)

    async def one(order_id: int, client_id: str) -> dict[str, Any]:
        try:
            ended = await services.cancel(
                edge, caller, market, order_id=order_id, client_id=client_id, up_to=up_to
            )
        except DialectRefusal as refusal:
            return refusal.as_json()
        return ended[0]

    return list(await asyncio.gather(*(one(*name) for name in names)))
