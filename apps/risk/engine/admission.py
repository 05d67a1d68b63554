"""Take an order, or say why not: who asks, in which terms, and can it be paid."""

from apps.common.kernel.ids import partition_of
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import PlaceExtra, PlaceOrder
from apps.risk.contracts.events import OrderRefused
from apps.risk.contracts.replies import OrderRefusal
from apps.risk.engine import clients, codes
from apps.risk.engine.accounts import Account
from apps.risk.engine.amounts import read_amount
from apps.risk.engine.costs import price_hold
from apps.risk.engine.limits import ORDERS_MAX, WAITING_MAX
from apps.risk.engine.opening import open_order, send_on, tell
from apps.risk.engine.orders import Market, Order
from apps.risk.engine.replies import ack_of, result_for
from apps.risk.engine.state import PartitionState
from apps.risk.engine.terms import why_not_extras, why_not_so
from matching_worker.contracts.to_book import OrderExtras

# Which orders come in, the book decides; in all other states, none.
_STATES_WITH_ORDERS = frozenset({"trading", "post_only", "auction"})


def place(state: PartitionState, asked: PlaceOrder, origin: Origin, out: Outputs) -> None:
    """Hold what the order may cost and send it to its book, or answer why not."""
    _place(state, asked, None, origin, out)


def place_extra(state: PartitionState, asked: PlaceExtra, origin: Origin, out: Outputs) -> None:
    """Do the same for an order with extras."""
    _place(state, asked.order, asked.extras, origin, out)


def _place(
    state: PartitionState,
    asked: PlaceOrder,
    extras: OrderExtras | None,
    origin: Origin,
    out: Outputs,
) -> None:
    account = state.accounts.get(asked.account)
    if account is None:
        refuse(state, asked, why_unknown(state, asked.account), origin, out)
        return
    key = clients.key_of(asked.account, asked.client_id)
    first = state.clients.known.get(key)
    if first is not None:
        _answer_repeat(state, asked, extras, first, origin, out)
        return
    market = state.markets.get(asked.market)
    if market is None:
        refuse(state, asked, codes.UNKNOWN_MARKET, origin, out)
        return
    cost, code = weigh(state, asked, extras, account, market)
    if not code and not state.clients.make_room(account, state.at_ns):
        code = codes.TOO_MANY_CLIENT_IDS
    if code:
        refuse(state, asked, code, origin, out)
        return
    order = open_order(state, asked, account, market, cost, origin, extras=extras)
    state.clients.open(key, order)
    send_on(order, asked.deadline_ns, out)
    tell(state, order, out)
    if asked.response == "ACK":
        out.reply(origin.source, ack_of(order, asked.request))
    else:
        order.waiting.append((origin.source, asked.request))


def refuse(
    state: PartitionState, asked: PlaceOrder, code: str, origin: Origin, out: Outputs
) -> None:
    """Answer that the order is not taken, and write it into the log."""
    out.events.append(OrderRefused(state.seq, asked.account, asked.market, asked.client_id, code))
    out.reply(origin.source, OrderRefusal(asked.request, asked.client_id, state.seq, code))


def why_unknown(state: PartitionState, account: int) -> str:
    """Return the code for an account that was never opened here."""
    is_ours = partition_of(account) == state.partition
    return codes.UNKNOWN_ACCOUNT if is_ours else codes.WRONG_PARTITION


def weigh(
    state: PartitionState,
    asked: PlaceOrder,
    extras: OrderExtras | None,
    account: Account,
    market: Market,
    *,
    orders: int = 1,
) -> tuple[int, str]:
    """Return what the order may cost, and "" or the code why it is not taken.

    `orders`: how many it comes with, itself included.
    """
    budget = read_amount(asked.quote_budget)
    code = _why_not_now(state, asked, account, market, orders)
    if not code and extras is not None:
        is_over = 0 < extras.expires_ns <= state.at_ns
        code = codes.TOO_LATE if is_over else why_not_extras(asked, extras)
    code = code or why_not_so(asked, market, budget)
    return (0, code) if code else price_hold(asked, extras, account, market, budget or 0)


def _answer_repeat(
    state: PartitionState,
    asked: PlaceOrder,
    extras: OrderExtras | None,
    found: Order | bytes,
    origin: Origin,
    out: Outputs,
) -> None:
    """Give a repeat the order's first answer, now or with its first report; have no effect."""
    known = clients.unpack(found, asked.client_id) if isinstance(found, bytes) else found
    if asked.derived:
        refuse(state, asked, codes.CLIENT_ID_REPEATED, origin, out)
    elif clients.terms_asked(asked, extras) != clients.terms_of(known):
        refuse(state, asked, codes.CLIENT_ID_REUSED, origin, out)
    elif asked.response == "ACK":
        out.reply(origin.source, ack_of(known, asked.request))
    elif known.first is not None:
        out.reply(origin.source, result_for(asked.request, known.first))
    elif len(known.waiting) < WAITING_MAX:
        known.waiting.append((origin.source, asked.request))
    else:
        refuse(state, asked, codes.UNDECIDED, origin, out)


def _why_not_now(
    state: PartitionState, asked: PlaceOrder, account: Account, market: Market, orders: int
) -> str:
    """Return the code of what stands in the way of any order like this now, or ""."""
    if account.frozen:
        return codes.ACCOUNT_FROZEN
    if market.state is not None and market.state not in _STATES_WITH_ORDERS:
        return codes.MARKET_NOT_OPEN
    if asked.deadline_ns < state.at_ns:
        return codes.TOO_LATE
    if account.open_orders.get(market.symbol, 0) + orders > market.orders_per_account_max:
        return codes.TOO_MANY_ORDERS
    if len(state.orders) + orders > ORDERS_MAX:
        return codes.TOO_MANY_ORDERS
    return ""
