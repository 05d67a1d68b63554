"""Take an order, or say why not: who asks, in which terms, and can it be paid."""

from apps.common.kernel.ids import numbered_in, partition_of
from apps.common.kernel.money import PPM, wide
from apps.journals.machine import Origin, Outputs
from apps.risk.contracts.commands import PlaceOrder
from apps.risk.contracts.events import OrderAccepted, OrderRefused
from apps.risk.contracts.replies import OrderRefusal
from apps.risk.engine import clients, codes
from apps.risk.engine.accounts import Account
from apps.risk.engine.amounts import read_amount
from apps.risk.engine.limits import ORDERS_MAX, WAITING_MAX
from apps.risk.engine.orders import Market, Order
from apps.risk.engine.replies import ack_of, result_for
from apps.risk.engine.state import PartitionState
from matching_worker.contracts.market import BUY, LIMIT, MARKET
from matching_worker.contracts.to_book import HeldOrder

_FIRST_VERSION = 1


def place(state: PartitionState, asked: PlaceOrder, origin: Origin, out: Outputs) -> None:
    """Hold what the order may cost and send it to its book, or answer why not."""
    account = state.accounts.get(asked.account)
    if account is None:
        is_ours = partition_of(asked.account) == state.partition
        _refuse(
            state, asked, codes.UNKNOWN_ACCOUNT if is_ours else codes.WRONG_PARTITION, origin, out
        )
        return
    key = clients.key_of(asked.account, asked.client_id)
    first = state.clients.known.get(key)
    if first is not None:
        _answer_repeat(state, asked, first, origin, out)
        return
    market = state.markets.get(asked.market)
    if market is None:
        _refuse(state, asked, codes.UNKNOWN_MARKET, origin, out)
        return
    budget = read_amount(asked.quote_budget)
    code = _why_not_now(state, asked, account, market) or _why_not_so(asked, market, budget)
    hold = 0
    if not code:
        hold, code = _price_hold(asked, account, market, budget or 0)
    if not code and not state.clients.make_room(account, state.at_ns):
        code = codes.TOO_MANY_CLIENT_IDS
    if code:
        _refuse(state, asked, code, origin, out)
        return
    order = _open_order(state, asked, account, market, hold, origin)
    state.clients.open(key, order)
    _send_on(order, asked.deadline_ns, out)
    _tell(state, order, out)
    if asked.response == "ACK":
        out.reply(origin.source, ack_of(order, asked.request))
    else:
        order.waiting.append((origin.source, asked.request))


def _refuse(
    state: PartitionState, asked: PlaceOrder, code: str, origin: Origin, out: Outputs
) -> None:
    out.events.append(OrderRefused(state.seq, asked.account, asked.market, asked.client_id, code))
    out.reply(origin.source, OrderRefusal(asked.request, asked.client_id, state.seq, code))


def _answer_repeat(
    state: PartitionState, asked: PlaceOrder, found: Order | bytes, origin: Origin, out: Outputs
) -> None:
    """Give a repeat the order's first answer, now or with its first report; have no effect."""
    known = clients.unpack(found, asked.client_id) if isinstance(found, bytes) else found
    if asked.derived:
        _refuse(state, asked, codes.CLIENT_ID_REPEATED, origin, out)
    elif clients.terms_asked(asked) != clients.terms_of(known):
        _refuse(state, asked, codes.CLIENT_ID_REUSED, origin, out)
    elif asked.response == "ACK":
        out.reply(origin.source, ack_of(known, asked.request))
    elif known.first is not None:
        out.reply(origin.source, result_for(asked.request, known.first))
    elif len(known.waiting) < WAITING_MAX:
        known.waiting.append((origin.source, asked.request))
    else:
        _refuse(state, asked, codes.UNDECIDED, origin, out)


def _why_not_now(state: PartitionState, asked: PlaceOrder, account: Account, market: Market) -> str:
    """Return the code of what stands in the way of any order like this now, or ""."""
    if account.frozen:
        return codes.ACCOUNT_FROZEN
    if market.state is not None and market.state != "trading":
        return codes.MARKET_NOT_OPEN
    if asked.deadline_ns < state.at_ns:
        return codes.TOO_LATE
    if account.open_orders.get(market.symbol, 0) >= market.orders_per_account_max:
        return codes.TOO_MANY_ORDERS
    if len(state.orders) >= ORDERS_MAX:
        return codes.TOO_MANY_ORDERS
    return ""


def _why_not_so(asked: PlaceOrder, market: Market, budget: int | None) -> str:
    """Return the code of what is wrong with the terms, or "". The edge checked them; so do we."""
    if budget is None or budget < 0:
        return codes.BAD_TERMS
    if budget:
        return _why_not_budget(asked, market, budget)
    is_limit = asked.kind == LIMIT
    if (asked.price_ticks > 0) != is_limit:
        return codes.BAD_PRICE
    if asked.post_only and not (is_limit and asked.time_in_force == "GTC"):
        return codes.BAD_TERMS
    if not market.min_lots <= asked.lots <= market.max_lots:
        return codes.BAD_SIZE
    ticks = asked.price_ticks if is_limit else market.reference_ticks
    notional = asked.lots * ticks * market.quote_per_tick_lot
    is_worth_it = notional >= market.min_notional or not ticks
    return "" if is_worth_it else codes.BAD_NOTIONAL


def _why_not_budget(asked: PlaceOrder, market: Market, budget: int) -> str:
    """Return the code of what is wrong with an order by quote amount: only market buys have one."""
    if asked.kind == LIMIT or asked.side != BUY or asked.post_only or asked.lots:
        return codes.BAD_TERMS
    if asked.price_ticks:
        return codes.BAD_PRICE
    return "" if budget >= market.min_notional else codes.BAD_NOTIONAL


def _price_hold(
    asked: PlaceOrder, account: Account, market: Market, budget: int
) -> tuple[int, str]:
    """Return what the order may cost at most, and "" or the code why it cannot be held."""
    if asked.side != BUY:
        hold = asked.lots * market.base_per_lot
        return hold, "" if account.available(market.base) >= hold else codes.INSUFFICIENT_FUNDS
    available = account.available(market.quote)
    if asked.kind == LIMIT:
        hold = asked.lots * asked.price_ticks * market.quote_per_tick_lot
    elif budget:
        hold = budget
    elif not market.reference_ticks:
        return 0, codes.NO_REFERENCE
    else:
        upper_ticks = market.reference_ticks * (PPM + market.band_ppm) // PPM
        one_lot = upper_ticks * market.quote_per_tick_lot
        if available < max(one_lot, market.min_notional):
            return 0, codes.INSUFFICIENT_FUNDS
        hold = min(available, asked.lots * one_lot)
    return hold, "" if available >= hold else codes.INSUFFICIENT_FUNDS


def _open_order(
    state: PartitionState,
    asked: PlaceOrder,
    account: Account,
    market: Market,
    hold: int,
    origin: Origin,
) -> Order:
    """Make the order and set its hold aside."""
    state.orders_made += 1
    is_buy = asked.side == BUY
    pays_from = account.balance(market.quote if is_buy else market.base)
    order = Order(
        numbered_in(state.partition, counter=state.orders_made),
        _FIRST_VERSION,
        account,
        market,
        pays_from,
        asked.client_id,
        asked.side,
        asked.kind,
        asked.time_in_force,
        asked.post_only,
        asked.price_ticks,
        asked.lots,
        int(asked.quote_budget),
        hold if is_buy and asked.kind == MARKET else 0,
        origin.entry,
        state.seq,
        state.at_ns,
        hold,
        derived=asked.derived,
    )
    pays_from.held += hold
    state.touch(pays_from)
    state.orders[order.order_id] = order
    account.open_orders[market.symbol] = account.open_orders.get(market.symbol, 0) + 1
    return order


def _send_on(order: Order, deadline_ns: int, out: Outputs) -> None:
    """Pass the held order to its book."""
    out.send(
        order.market.peer,
        HeldOrder(
            order.order_id,
            order.version,
            order.account.number,
            order.client_id,
            order.side,
            order.kind,
            order.time_in_force,
            order.post_only,
            order.price_ticks,
            order.lots,
            wide(order.budget),
            deadline_ns,
            order.command,
        ),
    )


def _tell(state: PartitionState, order: Order, out: Outputs) -> None:
    """Write into the log that the order is held."""
    out.events.append(
        OrderAccepted(
            state.seq,
            order.order_id,
            order.version,
            order.account.number,
            order.market.symbol,
            order.client_id,
            order.side,
            order.kind,
            order.time_in_force,
            order.post_only,
            order.price_ticks,
            order.lots,
            wide(order.budget),
            order.pays_from.asset,
            wide(order.held),
            order.command,
        )
    )
