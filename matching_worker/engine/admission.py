"""May this order come in? Every field again, never trusting the edge or the partition."""

from apps.common.kernel.ids import PARTITIONS_MAX
from apps.common.kernel.money import Wide
from matching_worker.contracts.market import BUY, LIMIT, MarketSpec
from matching_worker.contracts.to_book import HeldOrder, OrderExtras
from matching_worker.engine import codes
from matching_worker.engine.limits import CLIENT_ID_LENGTH_MAX, WIDE_DIGITS_MAX

UNREADABLE = -1
TRAIL_PPM_MIN, TRAIL_PPM_MAX = 1_000, 500_000


def amount_of(wide: Wide) -> int:
    """Return the whole number that a message carries as an integer or a decimal string."""
    if isinstance(wide, int):
        return wide
    readable = wide.isascii() and wide.isdigit() and len(wide) <= WIDE_DIGITS_MAX
    return int(wide) if readable else UNREADABLE


def wrong_terms(order: HeldOrder, spec: MarketSpec, extras: OrderExtras | None = None) -> str:
    """Return the code of what is wrong with an order by itself, or "" if it makes sense here."""
    code = ""
    if (order.order_id - order.account) % PARTITIONS_MAX:
        code = codes.WRONG_PARTITION
    elif not 0 < len(order.client_id) <= CLIENT_ID_LENGTH_MAX:
        code = codes.BAD_CLIENT_ID
    elif extras is not None and (wrong := _wrong_extras(order, extras)):
        code = wrong
    elif order.kind != LIMIT:
        code = _wrong_market(order, spec)
    elif order.post_only and order.time_in_force != "GTC":
        code = codes.BAD_TERMS
    elif order.price_ticks <= 0:
        code = codes.BAD_PRICE
    elif order.budget != 0:
        code = codes.BAD_BUDGET
    elif not spec.min_lots <= order.lots <= spec.max_lots:
        code = codes.LOTS_OUT_OF_RANGE
    elif order.price_ticks * order.lots * spec.quote_per_tick_lot < spec.min_notional:
        code = codes.NOTIONAL_TOO_SMALL
    return code


def _wrong_extras(order: HeldOrder, extras: OrderExtras) -> str:
    """Return the code of what is wrong with an order's extras, or ""."""
    is_gtc_limit = order.kind == LIMIT and order.time_in_force == "GTC"
    trails = extras.trail_ppm > 0
    means_nothing = (
        extras.reduce_only
        or (extras.expires_ns > 0 and not is_gtc_limit)
        or (not extras.trigger and (extras.trigger_ticks > 0 or trails))
        or (bool(extras.trigger) and order.post_only)
        or (trails and extras.trigger == "profit")
        or (trails and extras.trigger_ticks > 0)
        or (trails and not TRAIL_PPM_MIN <= extras.trail_ppm <= TRAIL_PPM_MAX)
    )
    if means_nothing:
        return codes.BAD_TERMS
    has_no_price = bool(extras.trigger) and not trails and extras.trigger_ticks <= 0
    return codes.BAD_PRICE if has_no_price else ""


def _wrong_market(order: HeldOrder, spec: MarketSpec) -> str:
    if order.post_only:
        return codes.BAD_TERMS
    if order.price_ticks != 0:
        return codes.BAD_PRICE
    budget = amount_of(order.budget)
    buys = order.side == BUY
    if (budget <= 0) if buys else (order.budget != 0):
        return codes.BAD_BUDGET
    by_budget_alone = buys and order.lots == 0
    if not (by_budget_alone or spec.min_lots <= order.lots <= spec.max_lots):
        return codes.LOTS_OUT_OF_RANGE
    if buys and budget < spec.min_notional:
        return codes.NOTIONAL_TOO_SMALL
    return ""
