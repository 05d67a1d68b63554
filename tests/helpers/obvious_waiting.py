"""Orders of the obvious twin that wait for a price: it looks at all of them for every price."""

from matching_worker.contracts import from_book
from tests.helpers.obvious_cancels import owner, wide

MILLION = 10**6


class ObviousWaiting:
    """The part of `ObviousBook` that sets orders off, and lets them act."""

    def wait(self, one, out):
        order = one["order"]
        one["waits"] = True
        one["best"] = self.price(one["extras"].trigger_by)
        self.waiting.append(one)
        out.events.append(from_book.StopPlaced(self.seq, order.order_id, order.account))

    def price(self, by):
        """Return the last price or the mark; None before the first."""
        if by == "mark":
            return self.mark[1] if self.mark else None
        return self.trades[-1][1] if self.trades else None

    # -- setting off

    def look(self, by, prices):
        """Let the first and the last of these prices move trails, and set off what they reach."""
        if self.state != "trading" or not prices:
            return
        hits = []
        for price in (prices[0], prices[-1]):
            watching = [r for r in self.waiting if r["extras"].trigger_by == by and not r["hit"]]
            for one in watching:
                better = min if one["order"].side == "B" else max
                one["best"] = price if one["best"] is None else better(one["best"], price)
            for one in watching:
                if self.is_reached(one["order"], one["extras"], self.trigger(one), price):
                    one["hit"] = price
                    hits.append(one)
        self.queue += sorted(hits, key=lambda r: r["placed"])

    @staticmethod
    def trigger(one):
        """Return the price that sets it off now."""
        trail = one["extras"].trail_ppm
        if not trail:
            return one["extras"].trigger_ticks
        if one["order"].side == "B":
            return -(-one["best"] * (MILLION + trail) // MILLION)
        return one["best"] * (MILLION - trail) // MILLION

    @staticmethod
    def is_reached(order, extras, trigger, price):
        rises = (order.side == "B") == (extras.trigger == "stop")
        return price >= trigger if rises else price <= trigger

    # -- acting

    def act(self, out):
        while self.queue and self.actions_left and self.state == "trading":
            self.actions_left -= 1
            self.fresh = []
            self.act_once(self.queue.pop(0), out)
            self.look("last", self.fresh)
            self.break_circuit(out)

    def act_once(self, one, out):
        order, peer = one["order"], owner(one["order"].account)
        self.end_other(one, out)
        self.waiting.remove(one)
        one["waits"] = False
        out.events.append(from_book.StopEnded(self.seq, order.order_id, order.account, None))
        out.send(
            peer,
            from_book.Triggered(order.order_id, order.version, self.seq, self.at, one["hit"]),
        )
        if order.kind == "L" and self.is_far_off(order):
            executions, stopped = [], "price_out_of_band"
        else:
            executions, stopped = self.trade(one, out)
        for execution in executions:
            out.send(peer, execution)
        if stopped == "no_liquidity" and self.is_patient(order):
            self.placed += 1
            one["placed"] = self.placed
            self.rest(one, out)
        elif stopped:
            out.send(peer, self.order_end(one, "expired", stopped))
            out.events.append(
                from_book.OrderTurnedAway(
                    self.seq, order.order_id, order.account, "expired", stopped
                )
            )

    # -- ending without a trade

    def end_order(self, one, ended, code, out):
        """End what rests or waits, and its other leg; return both as they were."""
        order = one["order"]
        (self.waiting if one["waits"] else self.resting).remove(one)
        if one["waits"]:
            self.queue = [r for r in self.queue if r is not one]
            out.events.append(from_book.StopEnded(self.seq, order.order_id, order.account, ended))
        else:
            out.events.append(
                from_book.OrderRemoved(
                    seq=self.seq,
                    order_id=order.order_id,
                    account=order.account,
                    side=order.side,
                    price_ticks=order.price_ticks,
                    lots=one["open"],
                    ended=ended,
                )
            )
        out.send(owner(order.account), self.order_end(one, ended, code))
        return [self.as_canceled(order, one["filled"], one["quote"]), *self.end_other(one, out)]

    def end_other(self, one, out):
        """End the other order of its pair, if that is still there."""
        other = self.find(one["mate"])
        one["mate"] = None
        if other is None:
            return []
        other["mate"] = None
        return self.end_order(other, "canceled", "other_leg", out)

    def order_end(self, one, ended, code):
        return from_book.OrderEnd(
            order_id=one["order"].order_id,
            version=one["order"].version,
            seq=self.seq,
            at_ns=self.at,
            ended=ended,
            code=code,
            filled_lots=one["filled"],
            cum_quote=wide(one["quote"]),
        )

    def end_good_till(self, out):
        for _ in range(self.limits.expiries):
            gone = [r for r in self.all() if 0 < r["extras"].expires_ns <= self.at]
            if not gone:
                return
            first = min(gone, key=lambda r: (r["extras"].expires_ns, r["order"].order_id))
            self.end_order(first, "expired", "good_till_passed", out)
