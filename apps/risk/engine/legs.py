"""Two legs, one hold: what each order of a pair bears, until one of them trades or ends.

Only one of them ever trades, so the dearer one's cost covers both. Nothing is released and taken
again: what is held passes from one to the other in one step.
"""

from apps.common.kernel.invariants import ensure
from apps.risk.contracts.replies import OrderResult
from apps.risk.engine.clients import key_of, unpack
from apps.risk.engine.orders import Leg, Order
from apps.risk.engine.state import PartitionState

UNDECIDED = ("all", "none")


def hold_of(state: PartitionState, order: Order) -> int:
    """Return what the order has to hold now: what its rest may cost, or its part of a pair's."""
    leg = order.leg
    if leg is None or leg.part == "own":
        return order.hold_for_rest()
    if leg.part == "all":
        return max(order.hold_for_rest(), state.orders[leg.other].hold_for_rest())
    return 0


def adjust(state: PartitionState, order: Order) -> None:
    """Hold what the order, or the pair it belongs to, needs now."""
    leg = order.leg
    bearer = state.orders[leg.other] if leg is not None and leg.part == "none" else order
    need = hold_of(state, bearer)
    bearer.pays_from.held += need - bearer.held
    bearer.held = need
    state.touch(bearer.pays_from)


def win(state: PartitionState, order: Order, leg: Leg) -> None:
    """Let the leg that trades bear the hold: the other one can only end now."""
    ensure(leg.part != "lost", "of a pair only one trades")
    if leg.part == "own":
        return
    other = state.orders[leg.other]
    assert other.leg is not None
    order.held += other.held
    other.held = 0
    leg.part, other.leg.part = "own", "lost"


def hand_over(state: PartitionState, order: Order, leg: Leg) -> None:
    """Let the leg that lives on bear its own cost, out of the ending one's hold."""
    if leg.part not in UNDECIDED:
        return
    other = state.orders[leg.other]
    assert other.leg is not None
    shared = order.held + other.held
    other.held = other.hold_for_rest()
    order.held = shared - other.held
    leg.part = other.leg.part = "own"


def first_answer(state: PartitionState, second: Order, leg: Leg) -> OrderResult:
    """Return what a pair's asker is told: the first order's first report, once both came."""
    known = state.clients.known.get(key_of(second.account.number, leg.other_client_id))
    ensure(known is not None, "both first reports of a pair come together")
    assert known is not None
    first = (unpack(known, leg.other_client_id) if isinstance(known, bytes) else known).first
    ensure(first is not None, "the first report of a pair's first order comes first")
    assert first is not None
    return first


def check(state: PartitionState, order: Order, leg: Leg) -> None:
    """Claim that a leg and its other fit together: one bears all, and both pay from one balance."""
    other = state.orders.get(leg.other)
    ensure(order.extras is not None, "a leg has extras")
    if leg.part in UNDECIDED:
        ensure(other is not None, "both legs of an undecided pair are open")
        assert other is not None
        assert other.leg is not None
        ensure(other.leg.other == order.order_id, "legs name each other")
        ensure({leg.part, other.leg.part} == set(UNDECIDED), "one leg bears the hold of both")
        ensure(other.pays_from is order.pays_from, "both legs pay from one balance")
        ensure(not order.filled_lots, "a pair is decided by its first fill")
