"""Watches what a book says, and nothing else: is value conserved, and each promise kept?"""

from collections import Counter

from matching_worker.contracts import from_book, to_book


class Account:
    """One order's story so far, as its owner's partition hears it."""

    def __init__(self, asked):
        self.terms = asked.order
        self.extras = asked.extras
        self.lots = asked.order.lots
        self.version = asked.order.version
        self.waits = bool(asked.extras.trigger)
        self.filled = 0
        self.quote = 0
        self.ended = None


def orders_of(message):
    """Return the orders that a link message asks for, plain ones with plain extras."""
    if isinstance(message, to_book.HeldPair):
        return [message.first, message.second]
    if isinstance(message, to_book.HeldOrder):
        return [to_book.ExtraOrder(message, to_book.OrderExtras())]
    return [message] if isinstance(message, to_book.ExtraOrder) else []


class Witness:
    """Follows a book batch by batch. `saw` raises AssertionError when something does not add up."""

    def __init__(self, unit):
        self.unit = unit
        self.orders = {}  # Order id → Account, of orders that were let in.
        self.levels = Counter()  # (side, price) → lots, from public events alone.
        self.standing = {}  # Order id → [side, price, lots] of resting orders, from them, too.
        self.waiting = set()  # Order ids, from them, too.
        self.lots = Counter()  # Per account.
        self.quote = Counter()
        self.trades = 0

    def saw(self, batch, out):
        """Take in one batch and what came of it."""
        given = {}
        for origin, run in batch.runs:
            for asked in (asked for message in run for asked in orders_of(message)):
                key = (origin.peer, asked.order.order_id, asked.order.version)
                given.setdefault(key, []).append(asked)
        sides = {}
        for peer, messages in out.links.items():
            for message in messages:
                self._hear(peer, message, given, sides)
        assert not any(given.values()), "each order gets its one first report, at once"
        self._follow(out.events, sides)
        assert not sides, "each execution is of a public trade"
        assert sum(self.lots.values()) == 0, "what was bought was sold"
        assert sum(self.quote.values()) == 0, "what was paid was received"
        live = {number for number, order in self.orders.items() if order.ended is None}
        assert live == self.standing.keys() | self.waiting, "what lives stands or waits"

    # -- what partitions hear, in the order they hear it

    def _hear(self, peer, message, given, sides):
        if isinstance(message, from_book.FirstReport):
            self._first(message, given[(peer, message.order_id, message.version)].pop(0), sides)
        elif isinstance(message, from_book.Execution):
            self._book(message, sides)
        elif isinstance(message, from_book.OrderEnd):
            self._end(message)
        elif isinstance(message, from_book.Triggered):
            order = self._of(message)
            assert order.waits, "only what waits is set off, and once"
            order.waits = False
        elif isinstance(message, from_book.Amended) and not message.code:
            order = self.orders[message.order_id]
            assert order.ended is None
            assert message.version == order.version + 1
            assert order.filled < message.lots < order.lots, "an amend makes smaller"
            order.version, order.lots = message.version, message.lots

    def _of(self, message):
        order = self.orders[message.order_id]
        assert order.ended is None, "nothing happens to an order after its end"
        assert order.version == message.version
        return order

    def _first(self, report, asked, sides):
        if report.ended == "refused" or report.code in ("tombstoned", "other_leg"):
            assert report.executions == []
            return
        old = self.orders.get(report.order_id)
        assert old is None or old.ended, "an order comes in once"
        order = self.orders[report.order_id] = Account(asked)
        for execution in report.executions:
            self._book(execution, sides)
        if order.terms.lots:
            assert (report.ended == "filled") == (order.filled == order.terms.lots)
        if order.terms.time_in_force == "FOK" and report.ended == "expired":
            assert report.executions == [], "fill or kill: nothing, or all"
        assert not (order.waits and report.executions), "what waits does not trade"
        order.ended = report.ended

    def _book(self, execution, sides):
        order = self._of(execution)
        terms, cost = order.terms, execution.price_ticks * execution.lots * self.unit
        assert not order.waits, "what waits does not trade"
        order.filled += execution.lots
        order.quote += cost
        assert execution.filled_lots == order.filled
        assert int(execution.cum_quote) == order.quote
        assert order.filled <= order.lots or order.lots == 0
        sign = 1 if terms.side == "B" else -1
        if terms.kind == "L":
            assert (terms.price_ticks - execution.price_ticks) * sign >= 0
        elif terms.side == "B":
            assert order.quote <= int(terms.budget), "a budget is never passed"
        self.lots[terms.account] += sign * execution.lots
        self.quote[terms.account] -= sign * cost
        order.ended = execution.ended
        key = (execution.trade_id, execution.order_id)
        assert key not in sides
        sides[key] = execution, order

    def _end(self, end):
        order = self._of(end)
        assert (end.filled_lots, int(end.cum_quote)) == (order.filled, order.quote)
        if order.terms.time_in_force == "FOK" and end.code == "not_fillable":
            assert order.filled == 0, "fill or kill: nothing, or all"
        order.ended = end.ended

    # -- what the market sees, in order

    def _follow(self, events, sides):
        for number, event in enumerate(events):
            if isinstance(event, from_book.Trade):
                self._trade(event, events[number:], sides)
            elif isinstance(event, from_book.OrderAdded):
                self.standing[event.order_id] = [event.side, event.price_ticks, 0]
                self._shift(event.order_id, event.lots)
            elif isinstance(event, from_book.OrderReduced):
                self._shift(event.order_id, -event.lots)
                assert event.order_id in self.standing, "what is reduced still stands"
            elif isinstance(event, from_book.OrderRemoved):
                assert self.standing[event.order_id] == [event.side, event.price_ticks, event.lots]
                self._shift(event.order_id, -event.lots)
            elif isinstance(event, from_book.StopPlaced):
                self.waiting.add(event.order_id)
            elif isinstance(event, from_book.StopEnded):
                self.waiting.remove(event.order_id)

    def _shift(self, order_id, lots):
        side, price, left = self.standing[order_id]
        self.levels[(side, price)] += lots
        self.standing[order_id][2] = left + lots
        assert self.standing[order_id][2] >= 0
        if not self.standing[order_id][2]:
            del self.standing[order_id]

    def _trade(self, trade, rest, sides):
        self.trades += 1
        assert trade.trade_id == self.trades
        made, maker = sides.pop((trade.trade_id, trade.maker_order))
        took, taker = sides.pop((trade.trade_id, trade.taker_order))
        for execution in (made, took):
            assert (execution.price_ticks, execution.lots) == (trade.price_ticks, trade.lots)
        assert maker.terms.side != taker.terms.side == trade.taker_side
        in_auction = (made.liquidity, took.liquidity) == ("M", "M")
        assert in_auction or (made.liquidity, took.liquidity) == ("M", "T")
        if in_auction:
            done = next(event for event in rest if isinstance(event, from_book.AuctionDone))
            assert done.price_ticks == trade.price_ticks, "an auction has one price"
            assert {trade.maker_order, trade.taker_order} <= self.standing.keys()
            self._shift(trade.taker_order, -trade.lots)
        else:
            assert trade.price_ticks == maker.terms.price_ticks, "a fill is at the maker's price"
            are_one = maker.terms.account == taker.terms.account
            assert not are_one or taker.extras.self_trade == "N", "nobody trades with themselves"
        self._shift(trade.maker_order, -trade.lots)

    def depth(self, side):
        """Return price → lots of one side, as whoever followed the public events knows it."""
        return {price: lots for (s, price), lots in self.levels.items() if s == side and lots}
