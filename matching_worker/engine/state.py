"""A book's whole state as plain lists and maps, and back: for snapshots and state hashes.

Orders are written in the order they came to rest: levels, queues and accounts all follow from it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

import msgspec

from apps.common.kernel.ids import StreamId
from apps.common.kernel.money import wide
from matching_worker.contracts.from_book import CanceledOrder
from matching_worker.contracts.market import MarketSpec
from matching_worker.contracts.to_book import CancelOrders, HeldOrder, OrderExtras
from matching_worker.engine.admission import amount_of
from matching_worker.engine.cancels import Cancels, MassCancel
from matching_worker.engine.orders import Order
from matching_worker.engine.peers import Peer, partition_named
from matching_worker.engine.tombstones import Tombstone
from matching_worker.engine.triggers import SOURCES

if TYPE_CHECKING:
    from matching_worker.engine.machine import BookMachine

NEVER = -1  # A time that is not set.


def dump(machine: BookMachine) -> object:
    """Return all that decides a book's future."""
    uncut = machine.first_uncut_ns
    return {
        "spec": msgspec.to_builtins(machine.spec),
        "seq": machine.seq,
        "at_ns": machine.at_ns,
        "rules": machine.rules,
        "state": machine.state,
        "trades": machine.book.trades,
        "cuts": machine.cuts,
        "first_uncut_ns": NEVER if uncut is None else uncut,
        "reference": machine.reference.dump(),
        "peers": [
            [peer.name, peer.greeted, list(peer.passed), list(peer.asked)]
            for peer in machine.peers.values()
        ],
        "orders": [_order_row(order) for order in machine.book.orders.values()],
        **_dump_cancels(machine.cancels),
        **_dump_extras(machine),
    }


def _dump_extras(machine: BookMachine) -> dict[str, object]:
    """Return the parts of the state that plain orders never touch, where they are there.

    What is not there is not written: the states of older journals keep their hashes.
    """
    triggers = machine.book.triggers
    prices = [triggers.price_of(source) for source in SOURCES]
    parts: dict[str, object] = {
        "prices": prices if any(prices) else None,
        "waiting_ever": triggers.numbers,
        "actions": [order.terms.order_id for order in machine.actions if machine.is_here(order)],
        "breaker": machine.breaker.dump(),
        "switches": machine.switches.dump(),
        "mark_number": machine.mark_number,
    }
    return {name: part for name, part in parts.items() if part}


def _load_extras(machine: BookMachine, state: dict[str, Any]) -> None:
    triggers = machine.book.triggers
    for source, price in zip(SOURCES, state.get("prices", ()), strict=False):
        triggers.sources[source].price = price
    triggers.numbers = state.get("waiting_ever", 0)
    machine.actions = [machine.book.orders[order_id] for order_id in state.get("actions", ())]
    if "breaker" in state:
        machine.breaker.load(state["breaker"])
    for account, due_ns in state.get("switches", ()):
        machine.switches.set(account, due_ns)
    machine.mark_number = state.get("mark_number", 0)


def load(machine: BookMachine, dumped: object) -> None:
    """Fill a fresh machine with a dumped state."""
    state = cast("dict[str, Any]", dumped)
    machine.define(msgspec.convert(state["spec"], MarketSpec))
    machine.seq, machine.at_ns, machine.rules = state["seq"], state["at_ns"], state["rules"]
    machine.state, machine.cuts = state["state"], state["cuts"]
    uncut = state["first_uncut_ns"]
    machine.first_uncut_ns = None if uncut == NEVER else uncut
    machine.reference.load(state["reference"])
    machine.gate.move(machine.spec, machine.reference, machine.state)
    machine.peers.update((name, _peer(name, *rest)) for name, *rest in state["peers"])
    machine.book.trades = state["trades"]
    for row in state["orders"]:
        order = _order(row)
        (machine.book.wait_again if order.number else machine.book.add)(order)
    _load_cancels(machine.cancels, state)
    _load_extras(machine, state)


def _dump_cancels(cancels: Cancels) -> dict[str, object]:
    stones = cancels.tombstones
    ordered = sorted(
        (stone for mine in stones.by_account.values() for stone in mine.values()),
        key=lambda stone: stone.number,
    )
    return {
        "tombstones": [[*_stone_row(stone), stone.number in stones.owing] for stone in ordered],
        "last_tombstone": stones.last_number,
        "mass_cancels": [_job_row(job) for job in cancels.work],
    }


def _load_cancels(cancels: Cancels, state: dict[str, Any]) -> None:
    for *row, owes in state["tombstones"]:
        cancels.tombstones.put(_stone(row), owes=owes)
    cancels.tombstones.last_number = state["last_tombstone"]
    for source, request, left, canceled, *rest in state["mass_cancels"]:
        job = MassCancel(bytes.fromhex(source), request, deque(left), _canceled_orders(canceled))
        job.code, job.is_unsure = rest or ("", False)
        cancels.work.append(job)


def _job_row(job: MassCancel) -> list[object]:
    row = [job.source.hex(), job.request, list(job.left), _canceled_rows(job.canceled)]
    return [*row, job.code, job.is_unsure] if job.code or job.is_unsure else row


def _order_row(order: Order) -> list[object]:
    terms = msgspec.to_builtins(order.terms)  # Its tag leads, so that old snapshots stay readable.
    row = [terms, order.open_lots, order.filled_lots, wide(order.cum_quote)]
    if order.extras is None:
        return row
    extras = msgspec.to_builtins(order.extras)
    return [*row, extras, order.other, order.number, order.best, order.is_set_off]


def _order(row: list[Any]) -> Order:
    terms, open_lots, filled_lots, cum_quote, *rest = row
    order = Order(msgspec.convert(terms, HeldOrder), open_lots, filled_lots, amount_of(cum_quote))
    if rest:
        extras, order.other, order.number, order.best, order.is_set_off = rest
        order.extras = msgspec.convert(extras, OrderExtras)
    return order


def _peer(name: str, greeted: bool, passed: list[int], asked: list[int]) -> Peer:
    partition = partition_named(name)
    peer = Peer(name, 0 if partition is None else partition)
    peer.greeted, peer.passed, peer.asked = greeted, _id(passed), _id(asked)
    return peer


def _stone_row(stone: Tombstone) -> list[object]:
    return [
        stone.number,
        stone.request,
        stone.account,
        stone.order_id,
        stone.client_id,
        list(stone.up_to),
        stone.source.hex(),
        stone.expires_ns,
        _canceled_rows(stone.canceled),
    ]


def _stone(row: list[Any]) -> Tombstone:
    number, request, account, order_id, client_id, up_to, source, expires_ns, canceled = row
    command = CancelOrders(request, account, order_id, client_id, _id(up_to), 0)
    stone = Tombstone(number, command, bytes.fromhex(source), expires_ns)
    stone.canceled = _canceled_orders(canceled)
    return stone


def _canceled_rows(orders: list[CanceledOrder]) -> list[object]:
    return [msgspec.to_builtins(order) for order in orders]


def _canceled_orders(rows: list[Any]) -> list[CanceledOrder]:
    return [msgspec.convert(row, CanceledOrder) for row in rows]


def _id(pair: list[int]) -> StreamId:
    return pair[0], pair[1]
