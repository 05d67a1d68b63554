"""What the obvious twin lets in: orders, pairs of them, and amends."""

import msgspec

from matching_worker.contracts import from_book
from tests.helpers.obvious_cancels import owner, whole

MILLION = 10**6


class ObviousEntry:
    """The part of `ObviousBook` that says yes or no to what a partition sends."""

    def place(self, asked, peer, out):
        no, ended = self.refusal(asked, peer, out)
        if no:
            self.report(asked.order, peer, [], ended, no, out)
        else:
            self.let_in(self.as_entry(asked), peer, out)

    def as_entry(self, asked, mate=None):
        self.placed += 1
        return {
            "order": asked.order,
            "extras": asked.extras,
            "open": asked.order.lots or 10**30,
            "filled": 0,
            "quote": 0,
            "placed": self.placed,
            "mate": mate,  # The number of the other order of its pair.
            "waits": False,
            "best": None,  # Of the prices since it was placed, for a trail.
            "hit": None,  # The price that set it off.
        }

    def let_in(self, one, peer, out):
        if one["extras"].trigger:
            self.report(one["order"], peer, [], None, "", out)
            self.wait(one, out)
        elif self.state == "auction":
            self.report(one["order"], peer, [], None, "", out)
            self.rest(one, out)
        else:
            executions, stopped = self.trade(one, out)
            if not stopped:
                self.report(one["order"], peer, executions, "filled", "", out)
            elif self.is_patient(one["order"]) and stopped == "no_liquidity":
                self.report(one["order"], peer, executions, None, "", out)
                self.rest(one, out)
            else:
                self.report(one["order"], peer, executions, "expired", stopped, out)

    @staticmethod
    def is_patient(order):
        return order.kind == "L" and order.time_in_force == "GTC"

    def rest(self, one, out):
        order = one["order"]
        self.resting.append(one)
        out.events.append(
            from_book.OrderAdded(
                seq=self.seq,
                order_id=order.order_id,
                account=order.account,
                side=order.side,
                price_ticks=order.price_ticks,
                lots=one["open"],
            )
        )

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

    # -- pairs

    def place_pair(self, pair, peer, out):
        legs = pair.first, pair.second
        verdicts = self.verdicts(legs, peer, out)
        if verdicts:
            for leg, (code, ended) in zip(legs, verdicts, strict=True):
                self.report(leg.order, peer, [], ended, code, out)
            return
        mates = legs[1].order.order_id, legs[0].order.order_id
        for leg, mate in zip(legs, mates, strict=True):
            self.let_in(self.as_entry(leg, mate), peer, out)

    def verdicts(self, legs, peer, out):
        """Return how each leg is refused; nothing if both may come in."""
        if any(owner(leg.order.account) != peer for leg in legs):
            return [("wrong_partition", "refused")] * 2
        if not self.is_pair(*legs):
            return [("bad_pair", "refused")] * 2
        buried = [self.is_buried(leg.order, out) for leg in legs]
        if any(buried):
            return [
                ("tombstoned" if is_buried else "other_leg", "canceled") for is_buried in buried
            ]
        for number, leg in enumerate(legs):
            no, ended = self.refusal(leg, peer, out, legs=2)
            if no:
                said = [("other_leg", "refused")] * 2
                said[number] = (no, ended)
                return said
        return []

    def is_pair(self, first, second):
        one, other = first.order, second.order
        plain = other if first.extras.trigger else one
        return (
            (one.account, one.side, one.lots) == (other.account, other.side, other.lots)
            and one.order_id != other.order_id
            and one.client_id != other.client_id
            and (first.extras.trigger == "") != (second.extras.trigger == "")
            and self.is_patient(plain)
        )

    # -- refusals

    def refusal(self, asked, peer, out, legs=1):
        """Return why the order may not come in and how it ends ("" and None: it may)."""
        order = asked.order
        if owner(order.account) != peer:
            return "wrong_partition", "refused"
        if self.is_buried(order, out):
            return "tombstoned", "canceled"
        rules = [
            *self.broken_terms(order, asked.extras, peer),
            *self.broken_limits(order, asked.extras, legs),
        ]
        return next(((code, "refused") for code, broken in rules if broken), ("", None))

    def broken_terms(self, order, extras, peer):
        limit, spec = order.kind == "L", self.spec
        budget = whole(order.budget)
        buys_by_market = not limit and order.side == "B"
        by_budget = buys_by_market and order.lots == 0
        worth = order.price_ticks * order.lots * spec.quote_per_tick_lot if limit else budget
        is_gone = extras.expires_ns and self.at >= extras.expires_ns
        fixed = extras.trigger and not extras.trail_ppm
        return [
            ("too_late", self.at > order.deadline_ns or is_gone),
            ("market_not_open", not self.takes(order, extras)),
            ("wrong_partition", owner(order.order_id) != peer),
            ("bad_client_id", not 1 <= len(order.client_id) <= 36),
            ("bad_terms", self.has_bad_terms(order, extras)),
            ("bad_price", fixed and extras.trigger_ticks < 1),
            ("bad_price", (order.price_ticks > 0) != limit),
            ("bad_budget", budget <= 0 if buys_by_market else order.budget != 0),
            ("lots_out_of_range", not by_budget and order.lots < spec.min_lots),
            ("lots_out_of_range", order.lots > spec.max_lots),
            ("notional_too_small", (limit or buys_by_market) and worth < spec.min_notional),
        ]

    def has_bad_terms(self, order, extras):
        trails, patient = extras.trail_ppm != 0, self.is_patient(order)
        return (
            (order.post_only and not (patient and not extras.trigger))
            or (extras.expires_ns and not patient)
            or (not extras.trigger and (extras.trigger_ticks or trails))
            or (trails and (extras.trigger_ticks or extras.trigger == "profit"))
            or (trails and not 1_000 <= extras.trail_ppm <= 500_000)
            or extras.reduce_only
        )

    def broken_limits(self, order, extras, legs):
        everyone = self.all()
        mine = [r for r in everyone if r["order"].account == order.account]
        has_band = order.kind == "L" and not extras.trigger and self.state != "auction"
        rules = [
            ("order_exists", any(r["order"].order_id == order.order_id for r in everyone)),
            ("order_exists", any(r["order"].client_id == order.client_id for r in mine)),
            ("price_out_of_band", has_band and self.is_far_off(order)),
        ]
        if self.is_patient(order) or extras.trigger:
            most = min(self.spec.orders_per_account_max, self.limits.orders_per_account)
            waits = [r for r in mine if r["waits"]]
            crowd = extras.trigger and len(waits) >= self.limits.waiting_per_account
            rules.append(("too_many_orders", crowd or len(mine) + legs > most))
            rules.append(("book_full", self.is_full(extras, legs)))
        if extras.trigger:
            rules += self.broken_trigger(order, extras)
        elif (order.post_only or legs == 2) and self.state != "auction":
            rules.append(("would_take", self.counterparties(order)))
        return rules

    def is_far_off(self, order):
        """Tell whether its price lies outside the band around the published reference."""
        distance = abs(order.price_ticks - self.published)
        return distance * MILLION > self.published * self.spec.band_ppm

    def is_full(self, extras, legs):
        trails = [r for r in self.waiting if r["extras"].trail_ppm]
        return (
            len(self.all()) + legs > self.limits.orders_per_book
            or (self.state == "auction" and len(self.resting) >= self.limits.auction_orders)
            or (extras.trigger and len(self.waiting) >= self.limits.waiting_per_book)
            or (extras.trail_ppm and len(trails) >= self.limits.trailing_per_book)
        )

    def broken_trigger(self, order, extras):
        if extras.trigger_by == "mark" and self.mark is None:
            return [("no_mark", True)]
        price = self.price(extras.trigger_by)
        if extras.trail_ppm or price is None:
            return []
        return [("would_trigger", self.is_reached(order, extras, extras.trigger_ticks, price))]

    # -- amends

    def amend(self, asked, peer, out):
        code = self.refusal_of_amend(asked, peer)
        out.send(
            peer,
            from_book.Amended(
                order_id=asked.order_id,
                version=asked.version,
                seq=self.seq,
                at_ns=self.at,
                lots=asked.lots,
                code=code,
            ),
        )
        if code:
            return
        one = self.find(asked.order_id)
        fewer = one["order"].lots - asked.lots
        one["open"] -= fewer
        one["order"] = msgspec.structs.replace(one["order"], version=asked.version, lots=asked.lots)
        if not one["waits"]:
            order = one["order"]
            out.events.append(
                from_book.OrderReduced(
                    seq=self.seq,
                    order_id=order.order_id,
                    account=order.account,
                    side=order.side,
                    price_ticks=order.price_ticks,
                    lots=fewer,
                )
            )

    def refusal_of_amend(self, asked, peer):
        if self.at > asked.deadline_ns:
            return "too_late"
        one = self.find(asked.order_id)
        if one is None or one["order"].account != asked.account or owner(asked.account) != peer:
            return "unknown_order"
        order = one["order"]
        worth = order.price_ticks * asked.lots * self.spec.quote_per_tick_lot
        rules = [
            ("bad_version", asked.version != order.version + 1),
            ("filled_meanwhile", asked.expected_filled != one["filled"]),
            ("not_smaller", asked.lots >= order.lots),
            ("lots_out_of_range", asked.lots <= one["filled"]),
            ("lots_out_of_range", asked.lots < self.spec.min_lots),
            ("notional_too_small", order.kind == "L" and worth < self.spec.min_notional),
        ]
        return next((code for code, broken in rules if broken), "")

    def find(self, order_id):
        everyone = self.resting + self.waiting
        return next((r for r in everyone if r["order"].order_id == order_id), None)
