"""How orders of the obvious twin trade: it sorts all that an order could meet before each fill."""

import copy

from apps.journals.machine import Outputs
from matching_worker.contracts import from_book
from tests.helpers.obvious_cancels import owner, whole, wide

SECOND = 10**9


class ObviousMatch:
    """The part of `ObviousBook` that trades."""

    def counterparties(self, order):
        """Sort all that the order would trade with: best price first, then oldest first."""
        buys = order.side == "B"
        found = [r for r in self.resting if r["order"].side != order.side]
        if order.kind == "L":
            limit = order.price_ticks
            found = [
                r
                for r in found
                if (r["order"].price_ticks <= limit if buys else r["order"].price_ticks >= limit)
            ]
        return sorted(found, key=lambda r: r["order"].price_ticks, reverse=not buys)

    def trade(self, taker, out):
        """Trade by the order's time in force; return the fills and what stopped it."""
        if taker["order"].time_in_force == "FOK":
            trial = copy.copy(self)
            trial.resting, trial.waiting = [], []
            for r in self.all():
                (trial.waiting if r["waits"] else trial.resting).append(dict(r))
            trial.resting.sort(key=lambda r: self.place_in_book(r["order"].order_id))
            trial.trades, trial.fresh = list(self.trades), []
            trial.queue = [r for r in trial.waiting if r["hit"]]
            if trial.take(dict(taker), Outputs())[1]:
                return [], "not_fillable"
        return self.take(taker, out)

    def place_in_book(self, order_id):
        return [r["order"].order_id for r in self.resting].index(order_id)

    def take(self, taker, out):
        """Trade until something stops it; return the fills and what did ("" if it was filled)."""
        order, mode, steps, executions = taker["order"], taker["extras"].self_trade, 0, []
        left = whole(order.budget) if order.kind == "M" and order.side == "B" else None
        while taker["open"] > 0:
            others = self.counterparties(order)
            if not others:
                return executions, "no_liquidity"
            maker = others[0]
            is_own = self.are_one(taker, maker)
            if is_own and mode == "T":
                return executions, "self_trade"
            if steps == self.limits.fills_per_taker:
                return executions, "fill_limit"
            steps += 1
            if is_own and mode in ("M", "B"):
                self.end_order(maker, "expired", "self_trade", out)
                if mode == "B":
                    return executions, "self_trade"
                continue
            price = maker["order"].price_ticks
            lots = min(taker["open"], maker["open"])
            if left is not None:
                lots = min(lots, left // (price * self.spec.quote_per_tick_lot))
                if lots == 0:
                    return executions, "budget_spent"
                left -= lots * price * self.spec.quote_per_tick_lot
                if order.lots == 0 and left < price * self.spec.quote_per_tick_lot:
                    taker["open"] = lots
            executions.append(self.fill(taker, maker, price, lots, out))
        return executions, ""

    @staticmethod
    def are_one(one, other):
        if one["order"].account == other["order"].account:
            return True
        return one["extras"].group != 0 and one["extras"].group == other["extras"].group

    def fill(self, taker, maker, price, lots, out):
        self.fresh.append(price)
        self.book_trade(taker, maker, price, lots, out)
        out.send(owner(maker["order"].account), self.execution(maker, price, lots, "M"))
        self.end_other(maker, out)
        return self.execution(taker, price, lots, "T")

    def book_trade(self, taker, maker, price, lots, out):
        """Note one trade, whoever of both rested."""
        self.trades.append((self.at // SECOND, price))
        self.word = price
        if self.uncut_since is None:
            self.uncut_since = self.at
        for one in (taker, maker):
            one["open"] -= lots
            one["filled"] += lots
            one["quote"] += price * lots * self.spec.quote_per_tick_lot
        self.resting = [r for r in self.resting if r["open"]]
        made, took = maker["order"], taker["order"]
        out.events.append(
            from_book.Trade(
                seq=self.seq,
                trade_id=len(self.trades),
                price_ticks=price,
                lots=lots,
                taker_side=took.side,
                maker_order=made.order_id,
                taker_order=took.order_id,
                maker_account=made.account,
                taker_account=took.account,
            )
        )

    def execution(self, one, price, lots, liquidity):
        return from_book.Execution(
            trade_id=len(self.trades),
            order_id=one["order"].order_id,
            version=one["order"].version,
            price_ticks=price,
            lots=lots,
            liquidity=liquidity,
            filled_lots=one["filled"],
            cum_quote=wide(one["quote"]),
            ended=None if one["open"] else "filled",
            seq=self.seq,
            at_ns=self.at,
        )
