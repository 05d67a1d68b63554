"""Orders that come: let them in or turn them away, trade what may trade, let the rest stand."""

from apps.common.kernel.ids import PARTITIONS_MAX
from matching_worker.contracts.from_book import Execution, FirstReport, StopPlaced
from matching_worker.contracts.market import BUY, LIMIT, EndReason
from matching_worker.contracts.to_book import ExtraOrder, HeldOrder, HeldPair, OrderExtras
from matching_worker.engine import codes
from matching_worker.engine.admission import wrong_terms
from matching_worker.engine.book import HalfBook
from matching_worker.engine.core import BookCore
from matching_worker.engine.matching import can_fill_whole, take
from matching_worker.engine.orders import ANY_LOTS, ANY_PRICE, Order
from matching_worker.engine.peers import Peer
from matching_worker.engine.turn import Turn


def place(
    core: BookCore, terms: HeldOrder, extras: OrderExtras | None, peer: Peer, turn: Turn
) -> None:
    """Admit an order, let it take what it may, and let the rest of it stand or expire."""
    if terms.account % PARTITIONS_MAX != peer.partition:
        turn.turn_away(terms, "refused", codes.WRONG_PARTITION, peer=peer.name)
        return
    if terms.account in core.tombstones and core.cancels.refuses(terms, turn):
        turn.turn_away(terms, "canceled", codes.TOMBSTONED, peer=peer.name)
        return
    if code := _refusal(core, terms, extras, turn.at_ns, room=1):
        turn.turn_away(terms, "refused", code, peer=peer.name)
        return
    order = Order(terms, terms.lots or ANY_LOTS, extras=extras)
    if extras is not None and extras.trigger:
        _wait(core, order, peer, turn)
        return
    far, key = reach(core, terms)
    crosses = far.best <= key and core.state != "auction"
    if not crosses and terms.kind == LIMIT and terms.time_in_force == "GTC":
        turn.send(peer.name, first_report(terms, [], None, "", turn))
        core.rest(order, turn)
    else:
        trade(core, order, far, key, peer, turn)


def place_pair(core: BookCore, pair: HeldPair, peer: Peer, turn: Turn) -> None:
    """Admit both orders of a pair, or neither."""
    legs = (pair.first, pair.second)
    if any(leg.order.account % PARTITIONS_MAX != peer.partition for leg in legs):
        verdicts = [codes.WRONG_PARTITION] * 2
    elif not _is_pair(pair):
        verdicts = [codes.BAD_PAIR] * 2
    elif met := _tombstones_met(core, pair, turn):
        for leg, is_met in zip(legs, met, strict=True):
            code = codes.TOMBSTONED if is_met else codes.OTHER_LEG
            turn.turn_away(leg.order, "canceled", code, peer=peer.name)
        return
    else:
        verdicts = _verdicts(core, pair, turn.at_ns)
    if any(verdicts):
        for leg, code in zip(legs, verdicts, strict=True):
            turn.turn_away(leg.order, "refused", code or codes.OTHER_LEG, peer=peer.name)
        return
    for leg, other in (legs, legs[::-1]):
        order = Order(
            leg.order,
            leg.order.lots or ANY_LOTS,
            extras=leg.extras,
            other=other.order.order_id,
        )
        if leg.extras.trigger:
            _wait(core, order, peer, turn)
        else:
            turn.send(peer.name, first_report(leg.order, [], None, "", turn))
            core.rest(order, turn)


def reach(core: BookCore, terms: HeldOrder) -> tuple[HalfBook, int]:
    """Return the side that an order takes from, and the last level's key that it accepts."""
    far = core.book.asks if terms.side == BUY else core.book.bids
    return far, far.sign * terms.price_ticks if terms.kind == LIMIT else ANY_PRICE


def first_report(
    order: HeldOrder, executions: list[Execution], ended: EndReason | None, code: str, turn: Turn
) -> FirstReport:
    """Say what became of an order at once."""
    return FirstReport(order.order_id, order.version, turn.seq, turn.at_ns, executions, ended, code)


def trade(core: BookCore, taker: Order, far: HalfBook, key: int, peer: Peer, turn: Turn) -> None:
    """Trade, and report at once what became of the order."""
    terms = taker.terms
    if terms.post_only:
        turn.turn_away(terms, "refused", codes.WOULD_TAKE, peer=peer.name)
        return
    if terms.time_in_force == "FOK" and not can_fill_whole(core, taker, far, key):
        turn.turn_away(terms, "expired", codes.NOT_FILLABLE, peer=peer.name)
        return
    executions, code = take(core, taker, far, key, turn)
    if executions:
        core.note_trades(executions, turn)
    ended: EndReason | None = "expired" if code else "filled"
    if code == codes.NO_LIQUIDITY and terms.kind == LIMIT and terms.time_in_force == "GTC":
        ended, code = None, ""
    turn.links[peer.name].append(
        FirstReport(terms.order_id, terms.version, turn.seq, turn.at_ns, executions, ended, code)
    )
    if ended is None:
        core.rest(taker, turn)
    elif code:
        turn.note_turned_away(terms, ended, code)


def _wait(core: BookCore, order: Order, peer: Peer, turn: Turn) -> None:
    """Let an order wait for its price."""
    terms = order.terms
    turn.send(peer.name, first_report(terms, [], None, "", turn))
    core.book.wait(order)
    turn.events.append(StopPlaced(turn.seq, terms.order_id, terms.account))


def _refusal(
    core: BookCore, terms: HeldOrder, extras: OrderExtras | None, at_ns: int, *, room: int
) -> str:
    """Return why the order may not come in, or "". `room`: how many orders come with it."""
    if at_ns > terms.deadline_ns or (extras is not None and 0 < extras.expires_ns <= at_ns):
        return codes.TOO_LATE
    if core.state != "trading" and not _is_for_state(core, terms, extras):
        return codes.MARKET_NOT_OPEN
    code = wrong_terms(terms, core.spec, extras)
    if code or extras is None:
        return code or _no_place_for(core, terms, waits=False, room=room)
    waits = bool(extras.trigger)
    code = _no_place_for(core, terms, waits=waits, room=room)
    return code or (_no_wait_for(core, terms, extras) if waits else "")


def _is_for_state(core: BookCore, terms: HeldOrder, extras: OrderExtras | None) -> bool:
    """Say whether a market that does not trade takes this order all the same."""
    if extras is not None and extras.trigger:
        return False
    if core.state == "post_only":
        return terms.post_only
    is_resting = terms.kind == LIMIT and terms.time_in_force == "GTC" and not terms.post_only
    return core.state == "auction" and is_resting


def _no_place_for(core: BookCore, terms: HeldOrder, *, waits: bool, room: int) -> str:
    """Return why the book has no place for an order that makes sense by itself, or ""."""
    book = core.book
    mine = book.accounts.get(terms.account, ())
    code = ""
    if terms.order_id in book.orders or terms.client_id in mine:
        code = codes.ORDER_EXISTS
    elif not waits and terms.kind != LIMIT:
        pass  # It has no price, and never rests.
    elif not (waits or core.state == "auction" or _is_in_band(core, terms)):
        code = codes.PRICE_OUT_OF_BAND
    elif not waits and terms.time_in_force != "GTC":
        pass  # It never rests.
    elif len(mine) + room > core.orders_per_account or (waits and _waits_too_often(core, terms)):
        code = codes.TOO_MANY_ORDERS
    elif _is_full(core, room):
        code = codes.BOOK_FULL
    return code


def _waits_too_often(core: BookCore, terms: HeldOrder) -> bool:
    waiting = core.book.triggers.counts.get(terms.account, 0)
    return waiting >= core.limits.waiting_per_account


def _is_full(core: BookCore, room: int) -> bool:
    book, limits = core.book, core.limits
    is_auction_full = (
        core.state == "auction"
        and len(book.orders) - book.triggers.waiting >= limits.auction_orders
    )
    return is_auction_full or len(book.orders) + room > limits.orders_per_book


def _is_in_band(core: BookCore, terms: HeldOrder) -> bool:
    return core.reference.low <= terms.price_ticks <= core.reference.high


def _no_wait_for(core: BookCore, terms: HeldOrder, extras: OrderExtras) -> str:
    """Return why an order cannot wait for its price here, or ""."""
    triggers, limits = core.book.triggers, core.limits
    is_full = triggers.waiting >= limits.waiting_per_book
    if is_full or (extras.trail_ppm and triggers.trailing >= limits.trailing_per_book):
        return codes.BOOK_FULL
    price = triggers.price_of(extras.trigger_by)
    if not price:
        return codes.NO_MARK if extras.trigger_by == "mark" else ""
    probe = Order(terms, 0, extras=extras)
    is_reached = not extras.trail_ppm and triggers.is_reached(probe, price)
    return codes.WOULD_TRIGGER if is_reached else ""


def _is_pair(pair: HeldPair) -> bool:
    first, second = pair.first, pair.second
    waits, rests = (first, second) if first.extras.trigger else (second, first)
    return (
        first.order.account == second.order.account
        and first.order.side == second.order.side
        and first.order.lots == second.order.lots
        and first.order.order_id != second.order.order_id
        and first.order.client_id != second.order.client_id
        and bool(waits.extras.trigger)
        and not rests.extras.trigger
        and rests.order.kind == LIMIT
        and rests.order.time_in_force == "GTC"
    )


def _tombstones_met(core: BookCore, pair: HeldPair, turn: Turn) -> list[bool]:
    """Say which orders of a pair a cancel named before they came; empty if none."""
    if pair.first.order.account not in core.tombstones:
        return []
    met = [core.cancels.refuses(leg.order, turn) for leg in (pair.first, pair.second)]
    return met if any(met) else []


def _verdicts(core: BookCore, pair: HeldPair, at_ns: int) -> list[str]:
    """Return the code of the first order that may not come in, in its place; "" for the other."""
    verdicts = ["", ""]
    for place_, leg in enumerate((pair.first, pair.second)):
        verdicts[place_] = _leg_refusal(core, leg, at_ns)
        if verdicts[place_]:
            break
    return verdicts


def _leg_refusal(core: BookCore, leg: ExtraOrder, at_ns: int) -> str:
    code = _refusal(core, leg.order, leg.extras, at_ns, room=2)
    if code or leg.extras.trigger:
        return code
    far, key = reach(core, leg.order)
    return codes.WOULD_TAKE if far.best <= key and core.state != "auction" else ""
