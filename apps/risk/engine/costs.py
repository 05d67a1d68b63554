"""What an order may cost at most: what it holds if it is taken."""

from apps.common.kernel.money import PPM
from apps.risk.contracts.commands import PlaceOrder
from apps.risk.engine import codes
from apps.risk.engine.accounts import Account
from apps.risk.engine.orders import Market
from matching_worker.contracts.market import BUY, LIMIT
from matching_worker.contracts.to_book import OrderExtras


def price_hold(
    asked: PlaceOrder,
    extras: OrderExtras | None,
    account: Account,
    market: Market,
    budget: int,
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
        one_lot = _upper_ticks(market, extras) * market.quote_per_tick_lot
        if available < max(one_lot, market.min_notional):
            return 0, codes.INSUFFICIENT_FUNDS
        hold = min(available, asked.lots * one_lot)
    return hold, "" if available >= hold else codes.INSUFFICIENT_FUNDS


def _upper_ticks(market: Market, extras: OrderExtras | None) -> int:
    """Return the highest price that a market buy by quantity is expected to meet.

    It is the band's edge above the reference, or above the trigger price if the order waits for a
    higher one. A trailing trigger stands as if the reference were its best price.
    """
    from_ticks = market.reference_ticks
    if extras is not None and extras.trail_ppm:
        from_ticks = -(-from_ticks * (PPM + extras.trail_ppm) // PPM)
    elif extras is not None:
        from_ticks = max(from_ticks, extras.trigger_ticks)
    return from_ticks * (PPM + market.band_ppm) // PPM
