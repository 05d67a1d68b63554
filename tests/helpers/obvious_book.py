"""The obvious twin of the book: slow, plain, and written from the rules, not from the engine.

It keeps one list of resting orders and sorts it for every order that comes; it tries a fill-or-kill
on a copy of itself; it keeps every trade since genesis. It imports messages and nothing of the
engine, so a mistake has to be made twice to stay hidden.
"""

import copy

from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Outputs
from matching_worker.contracts import from_book, to_book
from matching_worker.contracts.market import MarketStateSet, ReferenceSet
from tests.helpers.obvious_cancels import ObviousCancels, owner, whole, wide

SECOND = 10**9
MILLION = 10**6


class ObviousBook(ObviousCancels):
    """One market, by the book of rules (`docs/matching-rules.md`)."""

    def __init__(self, limits):
        self.limits = limits  # Anything with the numbers as attributes.
        self.seq = 0
        self.state = "pre_open"
        self.resting = []  # In the order they came to rest.
        self.tombs = []  # In the order they were set.
        self.jobs = []
        self.trades = []  # (second, price) of every trade ever.
        self.partitions = {}  # Name → [last passed, last asked], in the order they were linked.
        self.greeted = set()
        self.tombs_ever = 0
        self.cuts = 0
        self.uncut_since = None
        self.at = 0

    # -- as the runtime sees it

    def configure(self, commands):
        for command in commands:
            if isinstance(command, LinkAdd):
                self.partitions[command.peer] = [(0, 0), (0, 0)]
            else:
                self.spec = command.spec
                self.word = self.published = command.spec.reference_ticks
                self.published_at = 0

    def begin(self, at, out):
        self.at = at
        for tomb in [t for t in self.tombs if t["owes"] and t["expires"] <= at]:
            self.answer(tomb, "undecided", out)
        self.steps = self.limits.mass_cancel_steps
        self.work(out)
        if self.uncut_since is not None and at >= self.uncut_since + self.spec.cut_s * SECOND:
            self.cuts += 1
            self.uncut_since = None
            for peer in self.partitions:
                out.send(peer, from_book.CutMark(self.cuts))
            out.events.append(from_book.CutTaken(self.cuts, len(self.trades)))

    def apply(self, origin, commands, at, out):
        for command in commands:
            self.seq += 1
            if origin.kind is Input.LINK:
                self.hear(command, origin.peer, out)
            elif origin.kind is Input.CANCELS:
                self.cancel(command, origin.source, out)
            else:
                self.operate(command, out)
        if origin.kind is Input.LINK:
            ends = self.partitions[origin.peer]
            ends[0] = max(ends[0], origin.passed)

    def end(self, at, passed, out):
        for peer, (passed_by, _) in self.partitions.items():
            gone = [
                t for t in self.tombs if owner(t["account"]) == peer and t["up_to"] <= passed_by
            ]
            for tomb in sorted(gone, key=lambda t: (t["up_to"], t["number"])):
                self.answer(tomb, "unknown_order", out)
                self.tombs.remove(tomb)
        if (
            self.reference() != self.published
            and at >= self.published_at + self.limits.reference_pace_ns
        ):
            self.publish(out)

    def due_ns(self):
        dues = [t["expires"] for t in self.tombs if t["owes"]]
        if self.jobs:
            dues = [self.at]
        if self.uncut_since is not None:
            dues.append(self.uncut_since + self.spec.cut_s * SECOND)
        if self.reference() != self.published:
            dues.append(self.published_at + self.limits.reference_pace_ns)
        elif recent := self.recent_trades():
            dues.append((recent[0][0] + self.limits.reference_window_s) * SECOND)
        return min(dues, default=None)

    # -- reference

    def recent_trades(self):
        now = self.at // SECOND
        return [t for t in self.trades if now - t[0] < self.limits.reference_window_s]

    def reference(self):
        prices = [price for _, price in self.recent_trades()]
        return sum(prices) // len(prices) if prices else self.word

    def publish(self, out):
        self.published, self.published_at = self.reference(), self.at
        for peer in self.partitions:
            out.send(peer, from_book.Reference(self.published, self.state))

    # -- commands

    def operate(self, command, out):
        if isinstance(command, MarketStateSet):
            self.state = command.state
            out.events.append(from_book.StateChanged(self.seq, command.state, command.reason))
            self.publish(out)
        elif isinstance(command, ReferenceSet):
            self.word = command.ticks
        elif isinstance(command, LinkAdd):
            self.partitions.setdefault(command.peer, [(0, 0), (0, 0)])
        elif isinstance(command, to_book.MarketDefine):
            out.events.append(from_book.CommandRefused(self.seq, "already_defined"))

    def hear(self, message, peer, out):
        if isinstance(message, to_book.HeldOrder):
            self.place(message, peer, out)
        elif f"risk:{message.partition}" == peer:
            self.greeted.add(peer)
            out.send(peer, from_book.Reference(self.published, self.state))
        else:
            out.events.append(from_book.CommandRefused(self.seq, "bad_link"))

    # -- orders

    def place(self, order, peer, out):
        no, ended = self.refusal(order, peer, out)
        if no:
            self.report(order, peer, [], ended, no, out)
            return
        taker = {"order": order, "open": order.lots or 10**30, "filled": 0, "quote": 0}
        if order.time_in_force == "FOK":
            trial = copy.copy(self)
            trial.resting, trial.trades = copy.deepcopy(self.resting), list(self.trades)
            if trial.take(copy.deepcopy(taker), Outputs())[1]:
                self.report(order, peer, [], "expired", "not_fillable", out)
                return
        executions, stopped = self.take(taker, out)
        if executions and self.uncut_since is None:
            self.uncut_since = self.at
        patient = order.kind == "L" and order.time_in_force == "GTC"
        if not stopped:
            self.report(order, peer, executions, "filled", "", out)
        elif patient and stopped == "no_liquidity":
            self.report(order, peer, executions, None, "", out)
            self.resting.append(taker)
            out.events.append(
                from_book.OrderAdded(
                    seq=self.seq,
                    order_id=order.order_id,
                    account=order.account,
                    side=order.side,
                    price_ticks=order.price_ticks,
                    lots=taker["open"],
                )
            )
        else:
            self.report(order, peer, executions, "expired", stopped, out)

    def report(self, order, peer, executions, ended, code, out):
        out.send(
            peer,
            from_book.FirstReport(
                order_id=order.order_id,
                version=order.version,
                seq=self.seq,
                at_ns=self.at,
                executions=executions,
                ended=ended,
                code=code,
            ),
        )
        if ended not in (None, "filled"):
            out.events.append(
                from_book.OrderTurnedAway(self.seq, order.order_id, order.account, ended, code)
            )

    def refusal(self, order, peer, out):
        if owner(order.account) != peer:
            return "wrong_partition", "refused"
        if self.is_buried(order, out):
            return "tombstoned", "canceled"
        mine = [r for r in self.resting if r["order"].account == order.account]
        limit, spec = order.kind == "L", self.spec
        budget = whole(order.budget)
        buys_by_market = not limit and order.side == "B"
        by_budget = buys_by_market and order.lots == 0
        worth = order.price_ticks * order.lots * spec.quote_per_tick_lot if limit else budget
        far_off = abs(order.price_ticks - self.published) * MILLION > self.published * spec.band_ppm
        rules = [
            ("too_late", self.at > order.deadline_ns),
            ("market_not_open", self.state != "trading"),
            ("wrong_partition", owner(order.order_id) != peer),
            ("bad_client_id", not 1 <= len(order.client_id) <= 36),
            ("bad_terms", order.post_only and not (limit and order.time_in_force == "GTC")),
            ("bad_price", (order.price_ticks > 0) != limit),
            ("bad_budget", budget <= 0 if buys_by_market else order.budget != 0),
            ("lots_out_of_range", not by_budget and order.lots < spec.min_lots),
            ("lots_out_of_range", order.lots > spec.max_lots),
            ("notional_too_small", (limit or buys_by_market) and worth < spec.min_notional),
            ("order_exists", any(r["order"].order_id == order.order_id for r in self.resting)),
            ("order_exists", any(r["order"].client_id == order.client_id for r in mine)),
            ("price_out_of_band", limit and far_off),
        ]
        if limit and order.time_in_force == "GTC":
            most = min(spec.orders_per_account_max, self.limits.orders_per_account)
            rules.append(("too_many_orders", len(mine) >= most))
            rules.append(("book_full", len(self.resting) >= self.limits.orders_per_book))
            rules.append(("would_take", order.post_only and self.counterparties(order)))
        return next(((code, "refused") for code, broken in rules if broken), ("", None))

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

    def take(self, taker, out):
        """Trade until something stops it; return the fills and what did ("" if it was filled)."""
        order, executions = taker["order"], []
        left = whole(order.budget) if order.kind == "M" and order.side == "B" else None
        while taker["open"] > 0:
            others = self.counterparties(order)
            if not others:
                return executions, "no_liquidity"
            maker = others[0]
            if maker["order"].account == order.account:
                return executions, "self_trade"
            if len(executions) == self.limits.fills_per_taker:
                return executions, "fill_limit"
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

    def fill(self, taker, maker, price, lots, out):
        self.trades.append((self.at // SECOND, price))
        self.word = price
        for one in (taker, maker):
            one["open"] -= lots
            one["filled"] += lots
            one["quote"] += price * lots * self.spec.quote_per_tick_lot
        if not maker["open"]:
            self.resting.remove(maker)
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
        out.send(owner(made.account), self.execution(maker, price, lots, "M"))
        return self.execution(taker, price, lots, "T")

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
