"""Watches what a book says, and nothing else: is value conserved, and each promise kept?"""

from collections import Counter

from matching_worker.contracts import from_book, to_book


class Account:
    """One order's story so far, as its owner's partition hears it."""

    def __init__(self, terms):
        self.terms = terms
        self.filled = 0
        self.quote = 0
        self.ended = None


class Witness:
    """Follows a book batch by batch. `saw` raises AssertionError when something does not add up."""

    def __init__(self, unit):
        self.unit = unit
        self.orders = {}  # Order id → Account, of orders that were let in.
        self.levels = Counter()  # (side, price) → lots, from public events alone.
        self.sides = {}  # Order id → (side, price) of resting orders.
        self.lots = Counter()  # Per account.
        self.quote = Counter()
        self.trades = 0

    def saw(self, batch, out):
        """Take in one batch and what came of it."""
        given = [
            (origin.peer, message)
            for origin, run in batch.runs
            for message in run
            if isinstance(message, to_book.HeldOrder)
        ]
        reports = [
            (peer, message)
            for peer, messages in out.links.items()
            for message in messages
            if isinstance(message, from_book.FirstReport)
        ]
        assert Counter((p, m.order_id, m.version) for p, m in given) == Counter(
            (p, m.order_id, m.version) for p, m in reports
        ), "each order gets its one first report, at once"
        self._admit(given, reports)
        takers = [e for _, report in reports for e in report.executions]
        makers = self._messages(out, from_book.Execution)
        self._check_trades(out, takers, makers)
        for execution in sorted(takers + makers, key=lambda e: e.trade_id):
            self._book(execution)
        self._close(reports, self._messages(out, from_book.OrderEnd))
        self._follow_depth(out.events)
        assert sum(self.lots.values()) == 0, "what was bought was sold"
        assert sum(self.quote.values()) == 0, "what was paid was received"

    @staticmethod
    def _messages(out, kind):
        return [m for messages in out.links.values() for m in messages if isinstance(m, kind)]

    def _admit(self, given, reports):
        refused = {(p, r.order_id, r.seq) for p, r in reports if r.ended == "refused"}
        reports_left = {}
        for peer, report in reports:
            reports_left.setdefault((peer, report.order_id), []).append(report)
        for peer, order in given:
            report = reports_left[(peer, order.order_id)].pop(0)
            if (peer, report.order_id, report.seq) not in refused:
                assert order.order_id not in self.orders, "an order comes in once"
                self.orders[order.order_id] = Account(order)

    def _check_trades(self, out, takers, makers):
        trades = [event for event in out.events if isinstance(event, from_book.Trade)]
        numbers = [trade.trade_id for trade in trades]
        assert numbers == list(range(self.trades + 1, self.trades + 1 + len(trades)))
        self.trades += len(trades)
        assert [e.trade_id for e in sorted(takers, key=lambda e: e.trade_id)] == numbers
        assert [e.trade_id for e in sorted(makers, key=lambda e: e.trade_id)] == numbers
        sides = {e.trade_id: e for e in takers}, {e.trade_id: e for e in makers}
        for trade in trades:
            taker, maker = sides[0][trade.trade_id], sides[1][trade.trade_id]
            assert (taker.liquidity, maker.liquidity) == ("T", "M")
            assert (taker.price_ticks, taker.lots) == (maker.price_ticks, maker.lots)
            assert (taker.price_ticks, taker.lots) == (trade.price_ticks, trade.lots)
            took, made = self.orders[taker.order_id].terms, self.orders[maker.order_id].terms
            assert took.side != made.side
            assert took.account != made.account, "nobody trades with themselves"
            assert maker.price_ticks == made.price_ticks, "a fill is at the maker's price"
            self.levels[(made.side, made.price_ticks)] -= trade.lots

    def _book(self, execution):
        order = self.orders[execution.order_id]
        terms, cost = order.terms, execution.price_ticks * execution.lots * self.unit
        assert order.ended is None, "nothing happens to an order after its end"
        order.filled += execution.lots
        order.quote += cost
        assert execution.filled_lots == order.filled
        assert int(execution.cum_quote) == order.quote
        assert order.filled <= terms.lots or terms.lots == 0
        sign = 1 if terms.side == "B" else -1
        if terms.kind == "L":
            assert (terms.price_ticks - execution.price_ticks) * sign >= 0
        elif terms.side == "B":
            assert order.quote <= int(terms.budget), "a budget is never passed"
        self.lots[terms.account] += sign * execution.lots
        self.quote[terms.account] -= sign * cost
        if execution.ended and execution.liquidity == "M":
            order.ended = execution.ended

    def _close(self, reports, ends):
        for _, report in reports:
            order = self.orders.get(report.order_id)
            if report.ended == "refused" or order is None:
                assert report.executions == []
                continue
            if order.ended is None:
                order.ended = report.ended
            taken = sum(execution.lots for execution in report.executions)
            if order.terms.lots:
                assert (report.ended == "filled") == (taken == order.terms.lots)
            if order.terms.time_in_force == "FOK" and report.ended == "expired":
                assert report.executions == [], "fill or kill: nothing, or all"
        for end in ends:
            order = self.orders[end.order_id]
            assert order.ended is None, "an order ends once"
            assert (end.filled_lots, int(end.cum_quote)) == (order.filled, order.quote)
            order.ended = end.ended

    def _follow_depth(self, events):
        for event in events:
            if isinstance(event, from_book.OrderAdded):
                self.levels[(event.side, event.price_ticks)] += event.lots
            elif isinstance(event, from_book.OrderRemoved):
                self.levels[(event.side, event.price_ticks)] -= event.lots

    def depth(self, side):
        """Return price → lots of one side, as whoever followed the public events knows it."""
        return {price: lots for (s, price), lots in self.levels.items() if s == side and lots}
