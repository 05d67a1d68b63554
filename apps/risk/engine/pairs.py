"""Take two orders of which one cancels the other: both, with one hold, or neither."""

from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import PlaceExtra, PlacePair
from apps.risk.contracts.events import OrderRefused
from apps.risk.contracts.replies import OrderRefusal
from apps.risk.engine import codes, legs
from apps.risk.engine.accounts import Account
from apps.risk.engine.admission import weigh, why_unknown
from apps.risk.engine.clients import Kept, key_of, terms_asked, terms_of, unpack
from apps.risk.engine.limits import WAITING_MAX
from apps.risk.engine.opening import for_book, open_order, tell
from apps.risk.engine.orders import Leg, Market, Order
from apps.risk.engine.replies import ack_of, result_for
from apps.risk.engine.state import PartitionState
from apps.risk.engine.terms import why_not_pair
from matching_worker.contracts.to_book import ExtraOrder, HeldPair

Known = Order | Kept | None


def place_pair(state: PartitionState, asked: PlacePair, origin: Origin, out: Outputs) -> None:
    """Hold what the dearer order may cost and send both to their book, or answer why not."""
    account = state.accounts.get(asked.first.order.account)
    if account is None:
        code = why_unknown(state, asked.first.order.account)
        _refuse(state, asked, asked.first, code, origin, out)
        return
    first, second = _known(state, asked, asked.first), _known(state, asked, asked.second)
    if first is not None or second is not None:
        _answer_repeat(state, asked, first, second, origin, out)
        return
    market = state.markets.get(asked.first.order.market)
    if market is None:
        _refuse(state, asked, asked.first, codes.UNKNOWN_MARKET, origin, out)
        return
    costs, faulty, code = _weigh(state, asked, account, market)
    if code:
        _refuse(state, asked, faulty, code, origin, out)
        return
    _take(state, asked, account, market, costs, origin, out)


def _known(state: PartitionState, asked: PlacePair, leg: PlaceExtra) -> Known:
    """Return the account's order that a leg's client id names, open or ended."""
    client_id = leg.order.client_id
    found = state.clients.known.get(key_of(asked.first.order.account, client_id))
    return unpack(found, client_id) if isinstance(found, bytes) else found


def _refuse(
    state: PartitionState,
    asked: PlacePair,
    faulty: PlaceExtra,
    code: str,
    origin: Origin,
    out: Outputs,
) -> None:
    """Refuse both with one answer, in the name of the one that cannot be taken."""
    order = faulty.order
    out.events.append(OrderRefused(state.seq, order.account, order.market, order.client_id, code))
    refusal = OrderRefusal(asked.first.order.request, order.client_id, state.seq, code)
    out.reply(origin.source, refusal)


def _answer_repeat(
    state: PartitionState,
    asked: PlacePair,
    first: Known,
    second: Known,
    origin: Origin,
    out: Outputs,
) -> None:
    """Answer a repeat of the whole pair as it was answered first; refuse what else has its ids."""
    request = asked.first.order.request
    faulty, code = _why_no_repeat(asked, first, second)
    if code or first is None or second is None:
        _refuse(state, asked, faulty, code, origin, out)
    elif asked.first.order.response == "ACK":
        out.reply(origin.source, ack_of(first, request))
    elif first.first is not None and second.first is not None:
        out.reply(origin.source, result_for(request, first.first))
    elif isinstance(second, Order) and len(second.waiting) < WAITING_MAX:
        second.waiting.append((origin.source, request))
    else:
        _refuse(state, asked, asked.first, codes.UNDECIDED, origin, out)


def _why_no_repeat(asked: PlacePair, first: Known, second: Known) -> tuple[PlaceExtra, str]:
    """Return "" if both ids name the pair that is asked for; else which leg's is not free."""
    one, two = asked.first, asked.second
    of_first = first, one, two.order.client_id
    of_second = second, two, one.order.client_id
    for known, leg, _ in (of_first, of_second):
        if known is not None and leg.order.derived:
            return leg, codes.CLIENT_ID_REPEATED
    for known, leg, other_client_id in (of_first, of_second):
        if known is not None:
            is_same = terms_asked(leg.order, leg.extras, other_client_id) == terms_of(known)
            if not is_same or one.order.account != two.order.account:
                return leg, codes.CLIENT_ID_REUSED
    if first is None or second is None:
        return one if second is None else two, codes.CLIENT_ID_REUSED
    is_in_order = first.order_id < second.order_id  # Not the same two the other way round.
    return one, "" if is_in_order else codes.CLIENT_ID_REUSED


def _weigh(
    state: PartitionState, asked: PlacePair, account: Account, market: Market
) -> tuple[tuple[int, int], PlaceExtra, str]:
    """Return what each may cost, and "" or which of them cannot be taken, and its code."""
    costs = [0, 0]
    code = why_not_pair(asked.first, asked.second)
    if code:
        return (0, 0), asked.first, code
    for place, leg in enumerate((asked.first, asked.second)):
        costs[place], code = weigh(state, leg.order, leg.extras, account, market, orders=2)
        if code:
            return (0, 0), leg, code
    if not state.clients.make_room(account, state.at_ns, ids=2):
        code = codes.TOO_MANY_CLIENT_IDS
    return (costs[0], costs[1]), asked.first, code


def _take(
    state: PartitionState,
    asked: PlacePair,
    account: Account,
    market: Market,
    costs: tuple[int, int],
    origin: Origin,
    out: Outputs,
) -> None:
    """Open both orders, with the hold of the dearer one on the first; the second bears nothing."""
    one, two = asked.first, asked.second
    leg, other_leg = Leg(0, two.order.client_id, "all"), Leg(0, one.order.client_id, "none")
    first = open_order(
        state, one.order, account, market, costs[0], origin, extras=one.extras, leg=leg
    )
    second = open_order(
        state, two.order, account, market, costs[1], origin, extras=two.extras, leg=other_leg
    )
    leg.other, other_leg.other = second.order_id, first.order_id
    legs.adjust(state, first)
    for order in (first, second):
        state.clients.open(key_of(account.number, order.client_id), order)
    held = (
        ExtraOrder(for_book(first, one.order.deadline_ns), one.extras),
        ExtraOrder(for_book(second, two.order.deadline_ns), two.extras),
    )
    out.send(market.peer, HeldPair(*held))
    tell(state, first, out)
    tell(state, second, out)
    if one.order.response == "ACK":
        out.reply(origin.source, ack_of(first, one.order.request))
    else:  # Its first report comes after the first order's.
        second.waiting.append((origin.source, one.order.request))
