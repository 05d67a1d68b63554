"""What orders do once a price has set them off, and once their time is over."""

from matching_worker.contracts.from_book import StopEnded, Triggered
from matching_worker.contracts.market import LIMIT
from matching_worker.engine import codes
from matching_worker.engine.core import BookCore
from matching_worker.engine.ends import end, part
from matching_worker.engine.matching import can_fill_whole, take
from matching_worker.engine.orders import Order
from matching_worker.engine.placing import reach
from matching_worker.engine.turn import Turn, peer_of


def settle(core: BookCore, turn: Turn) -> None:
    """End a command: pause if its trades tripped the breaker, and let act what they set off."""
    if core.has_tripped:
        _trip(core, turn)
    if core.actions and core.state == "trading":
        act(core, turn)


def act(core: BookCore, turn: Turn) -> None:
    """Let orders act that were set off, in turn, while this batch has steps left."""
    done = 0
    while done < len(core.actions) and core.actions_left > 0 and core.state == "trading":
        order = core.actions[done]
        done += 1
        if not core.is_here(order):
            continue  # It ended while it waited for its turn.
        core.actions_left -= 1
        _act(core, order, turn)
        if core.has_tripped:
            _trip(core, turn)
    del core.actions[:done]


def expire(core: BookCore, turn: Turn) -> None:
    """End the orders whose time is over, some each batch."""
    expiries = core.book.expiries
    for _ in range(core.limits.expiries):
        if not expiries or expiries.peekitem(0)[0][0] > turn.at_ns:
            return
        end(core.book, expiries.peekitem(0)[1], "expired", codes.GOOD_TILL_PASSED, turn)


def _trip(core: BookCore, turn: Turn) -> None:
    core.has_tripped = False
    core.set_state(*core.breaker.trip(turn.at_ns), turn)


def _act(core: BookCore, order: Order, turn: Turn) -> None:
    """Take an order from where it waited to the book, as if it came now."""
    terms = order.terms
    if order.other:
        part(core.book, order, turn)
    core.book.remove(order)
    price, order.best, order.number, order.is_set_off = order.best, 0, 0, False
    turn.events.append(StopEnded(turn.seq, terms.order_id, terms.account, None))
    turn.send(
        peer_of(terms.account),
        Triggered(terms.order_id, terms.version, turn.seq, turn.at_ns, price),
    )
    is_limit = terms.kind == LIMIT
    if is_limit and not core.reference.low <= terms.price_ticks <= core.reference.high:
        _expire(order, codes.PRICE_OUT_OF_BAND, turn)
        return
    _run(core, order, turn)


def _run(core: BookCore, order: Order, turn: Turn) -> None:
    """Trade, and report each fill by itself: the first report was given long ago."""
    terms = order.terms
    far, key = reach(core, terms)
    if terms.time_in_force == "FOK" and not can_fill_whole(core, order, far, key):
        _expire(order, codes.NOT_FILLABLE, turn)
        return
    executions, code = take(core, order, far, key, turn)
    for execution in executions:
        turn.send(peer_of(terms.account), execution)
    if executions:
        core.note_trades(executions, turn)
    if not code:
        return
    if code == codes.NO_LIQUIDITY and terms.kind == LIMIT and terms.time_in_force == "GTC":
        core.rest(order, turn)
    else:
        _expire(order, code, turn)


def _expire(order: Order, code: str, turn: Turn) -> None:
    turn.end(order, "expired", code)
    turn.note_turned_away(order.terms, "expired", code)
