"""The phases of the obvious twin's market: what is open to whom, breakers, and auctions."""

from matching_worker.contracts import from_book
from tests.helpers.obvious_cancels import owner

SECOND = 10**9
MILLION = 10**6


class ObviousPhases:
    """The part of `ObviousBook` that changes states."""

    def takes(self, order, extras):
        """Tell whether the market's state lets such an order in."""
        if self.state == "post_only":
            return order.post_only and not extras.trigger
        if self.state == "auction":
            return self.is_patient(order) and not order.post_only and not extras.trigger
        return self.state == "trading"

    def set_state(self, command, out):
        if self.state == "delisted":
            out.events.append(from_book.CommandRefused(self.seq, "delisted"))
            return
        self.phase_until = None
        if command.state in ("post_only", "trading"):
            price, lots = self.auction_price()
            if lots or self.state == "auction":
                self.hold_auction(price, lots, out)
        self.change(command.state, command.reason, out)
        if command.state == "delisted":
            self.end_all(self.all(), "delisted", out)

    def change(self, state, reason, out):
        self.state = state
        out.events.append(from_book.StateChanged(self.seq, state, reason))
        self.publish(out)

    # -- breakers

    def break_circuit(self, out):
        far = [
            price
            for price in self.fresh
            if abs(price - self.published) * MILLION >= self.published * self.breaker.ppm
        ]
        if self.state == "trading" and self.breaker.ppm and far:
            self.change("cancel_only", "circuit breaker", out)
            self.phase_until = self.at + self.breaker.cancel_only_s * SECOND

    def next_phase(self, out):
        if self.phase_until is None or self.at < self.phase_until:
            return
        if self.state == "cancel_only":
            self.phase_until = self.at + self.breaker.post_only_s * SECOND
            self.change("post_only", "circuit breaker: post-only", out)
        else:
            self.phase_until = None
            self.change("trading", "circuit breaker: over", out)

    # -- auctions

    def hold_auction(self, price, lots, out):
        bids = [r for r in self.resting if r["order"].side == "B"]
        asks = [r for r in self.resting if r["order"].side == "S"]
        bids.sort(key=lambda r: -r["order"].price_ticks)
        asks.sort(key=lambda r: r["order"].price_ticks)
        left = lots
        while left:
            left -= self.cross(bids[0], asks[0], price, left, out)
            bids = [r for r in bids if r["open"]]
            asks = [r for r in asks if r["open"]]
        out.events.append(from_book.AuctionDone(self.seq, price, lots))

    def auction_price(self):
        """Return the price at which most trades, and how much; 0 and 0 if nothing does."""
        orders = [(r["order"].side, r["order"].price_ticks, r["open"]) for r in self.resting]
        choices = []
        for price in {price for _, price, _ in orders}:
            bought = sum(lots for side, limit, lots in orders if side == "B" and limit >= price)
            sold = sum(lots for side, limit, lots in orders if side == "S" and limit <= price)
            far = abs(price - self.published)
            choices.append((-min(bought, sold), abs(bought - sold), far, price))
        traded, _, _, price = min(choices, default=(0, 0, 0, 0))
        return (price, -traded) if traded else (0, 0)

    def cross(self, bid, ask, price, most, out):
        lots = min(bid["open"], ask["open"], most)
        younger, older = (
            (ask, bid)
            if self.place_in_book(bid["order"].order_id) < self.place_in_book(ask["order"].order_id)
            else (bid, ask)
        )
        self.book_trade(younger, older, price, lots, out)
        for one in (older, younger):
            out.send(owner(one["order"].account), self.execution(one, price, lots, "M"))
            self.end_other(one, out)
        return lots
