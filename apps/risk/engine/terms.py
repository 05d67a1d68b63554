"""Do an order's terms make sense by themselves? The edge checked every field; so do we."""

from apps.risk.contracts.commands import PlaceExtra, PlaceOrder
from apps.risk.engine import codes
from apps.risk.engine.limits import TRAIL_PPM_MAX, TRAIL_PPM_MIN
from apps.risk.engine.orders import Market
from matching_worker.contracts.market import BUY, LIMIT
from matching_worker.contracts.to_book import OrderExtras


def why_not_so(asked: PlaceOrder, market: Market, budget: int | None) -> str:
    """Return the code of what is wrong with a plain order's terms, or ""."""
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


def why_not_extras(asked: PlaceOrder, extras: OrderExtras) -> str:
    """Return the code of what is wrong with an order's extras, or ""."""
    if extras.group or extras.reduce_only:  # No groups are configured, and no perpetuals listed.
        return codes.BAD_TERMS
    if extras.expires_ns and not (asked.kind == LIMIT and asked.time_in_force == "GTC"):
        return codes.BAD_TERMS
    if not extras.trigger:
        return codes.BAD_TERMS if extras.trigger_ticks or extras.trail_ppm else ""
    if asked.post_only:
        return codes.BAD_TERMS
    if not extras.trail_ppm:
        return "" if extras.trigger_ticks else codes.BAD_PRICE
    trails_well = (
        extras.trigger == "stop"
        and not extras.trigger_ticks
        and TRAIL_PPM_MIN <= extras.trail_ppm <= TRAIL_PPM_MAX
    )
    return "" if trails_well else codes.BAD_TERMS


def why_not_pair(first: PlaceExtra, second: PlaceExtra) -> str:
    """Return the code of two orders that are no pair, or "": one waits, the other rests."""
    one, two = first.order, second.order
    is_alike = (one.account, one.market, one.side, one.lots) == (
        two.account,
        two.market,
        two.side,
        two.lots,
    )
    resting = [leg.order for leg in (first, second) if not leg.extras.trigger]
    is_pair = (
        is_alike
        and one.client_id != two.client_id
        and len(resting) == 1
        and resting[0].kind == LIMIT
        and resting[0].time_in_force == "GTC"
    )
    return "" if is_pair else codes.BAD_PAIR
