"""What must hold between two batches, recomputed from nothing. Slow: for tests and the way up."""

from collections import Counter

from apps.common.kernel.ids import partition_of
from apps.common.kernel.invariants import ensure
from apps.risk.engine import legs, limits
from apps.risk.engine.orders import Order
from apps.risk.engine.state import PartitionState
from matching_worker.contracts.market import BUY


def check(state: PartitionState) -> None:
    """Claim that value is conserved, holds are what open orders may cost, and counts count."""
    _check_balances(state)
    _check_orders(state)
    _check_conservation(state)
    _check_client_ids(state)
    _check_limits(state)


def _check_balances(state: PartitionState) -> None:
    """I3: nobody owes; what is held is the sum of all holds, recomputed and not read."""
    holds: Counter[tuple[int, str]] = Counter()
    for order in state.orders.values():
        holds[order.account.number, order.pays_from.asset] += legs.hold_of(state, order)
    for withdrawal in state.withdrawals.values():
        holds[withdrawal.account, withdrawal.asset] += withdrawal.amount
    for account in state.accounts.values():
        for asset, balance in account.balances.items():
            place = f"{account.number} {asset}"
            ensure(balance.total >= balance.held >= 0, f"nobody owes: {place}")
            ensure(balance.held == holds.pop((account.number, asset), 0), f"holds add up: {place}")
            ensure(asset in state.assets, f"balances are in assets that we know: {place}")
    ensure(not any(holds.values()), "every hold is on a balance")


def _check_orders(state: PartitionState) -> None:
    """I4, on our side: no order is filled beyond its terms, and each stands where it belongs."""
    counts: Counter[tuple[int, str]] = Counter()
    for number, order in state.orders.items():
        market, account = order.market, order.account
        counts[account.number, market.symbol] += 1
        ensure(number == order.order_id, "an order stands under its number")
        ensure(partition_of(number) == state.partition, "an order's number names its partition")
        ensure(state.markets[market.symbol] is market, "an order's market is known")
        ensure(state.accounts[account.number] is account, "an order's account is known")
        paid_in = market.quote if order.side == BUY else market.base
        ensure(account.balances[paid_in] is order.pays_from, "an order pays from its own account")
        ensure(order.held == legs.hold_of(state, order), f"a hold is what a rest costs: {number}")
        ensure(not order.lots or order.filled_lots < order.lots, f"a filled order ended: {number}")
        ensure(len(order.waiting) <= limits.WAITING_MAX, "waiting answers are bounded")
        ensure(not (order.waiting and order.first), "the first report answers all who wait")
        _check_beyond(state, order)
    for account in state.accounts.values():
        for symbol, count in account.open_orders.items():
            ensure(counts.pop((account.number, symbol), 0) == count > 0, "open orders are counted")
    ensure(not counts, "every open order is counted")


def _check_beyond(state: PartitionState, order: Order) -> None:
    """What only some orders have: a trigger, another leg, an amend on its way."""
    ensure(not (order.is_waiting and order.filled_lots), "what waits for its trigger is unfilled")
    ensure(not (order.is_set_off and order.first is None), "a first report comes before a trigger")
    if order.leg is not None:
        legs.check(state, order, order.leg)
    if order.amend is not None:
        is_next = order.amend.version == order.version + 1
        ensure(is_next and order.amend.lots < order.lots, "an amend makes an order smaller, once")
    ensure(not order.lots_asked or order.lots < order.lots_asked, "an amended order is smaller")


def _check_conservation(state: PartitionState) -> None:
    """Every asset sums to zero over customers, clearing, fees, transit, house and the outside."""
    sums: Counter[str] = Counter()
    for account in state.accounts.values():
        for asset, balance in account.balances.items():
            sums[asset] += balance.total
    for amounts in state.house.values():
        for asset, amount in amounts.items():
            sums[asset] += amount
    for market in state.markets.values():
        sums[market.base] += market.clearing_base
        sums[market.quote] += market.clearing_quote
    for asset, amount in sums.items():
        ensure(amount == 0, f"value is conserved: {asset} is off by {amount}")


def _check_client_ids(state: PartitionState) -> None:
    """Each open order is found by its client id, and ended ids are exactly those that age."""
    counts: Counter[int] = Counter()
    ended = 0
    for key, known in state.clients.known.items():
        counts[int(key.partition("/")[0])] += 1
        if isinstance(known, Order):
            ensure(state.orders.get(known.order_id) is known, f"the id's order is open: {key}")
        else:
            ended += 1
    ensure(len(state.clients.known) - ended == len(state.orders), "every open order has its id")
    aging = len(state.clients.ended) + len(state.clients.ended_derived)
    ensure(ended == aging, "every ended id ages")
    for account in state.accounts.values():
        ensure(account.client_ids == counts[account.number], "client ids are counted")


def _check_limits(state: PartitionState) -> None:
    for name, container, most in (
        ("accounts", state.accounts, limits.ACCOUNTS_MAX),
        ("assets", state.assets, limits.ASSETS_MAX),
        ("markets", state.markets, limits.MARKETS_MAX),
        ("links", state.links, limits.LINKS_MAX),
        ("orders", state.orders, limits.ORDERS_MAX),
        ("client ids", state.clients.known, limits.CLIENT_IDS_MAX),
        ("withdrawals", state.withdrawals, limits.WITHDRAWALS_MAX),
        ("references", state.references.known, limits.REFERENCES_MAX),
        ("asks", state.asks, limits.LINKS_MAX),
    ):
        ensure(len(container) <= most, f"{name} are bounded")
