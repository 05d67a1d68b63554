"""The obvious risk partition: a plain list of what happened, added up from its start every time.

It imports nothing of the engine, only the messages. It is slow and has no state but its list of
facts and its configuration. A message is told by the method of its name; `tell` returns the story
of a frame as lines, and `risk_story` makes the same lines of what the engine put out.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import ceil, floor

from tests.helpers.obvious_pairs import ObviousPairs
from tests.helpers.obvious_value import ObviousValue

DAY_NS = 24 * 3600 * 10**9
DERIVED_NS = 120 * 10**9


class ObviousPartition(ObviousPairs, ObviousValue):
    """One partition's rules, told in the plainest way."""

    def __init__(self, number: int, *, rules: int = 1) -> None:
        self.number = number
        self.rules = rules
        self.facts: list[tuple] = []
        self.spec = None
        self.market_state = None
        self.reference = 0
        self.made = 0
        self.seq = 0

    # ── Sums over the facts ─────────────────────────────────────────────────────────────────────

    def total(self, account, asset):
        return sum(f[3] for f in self.facts if f[:3] == ("move", account, asset))

    def house(self, kind, asset):
        return sum(f[3] for f in self.facts if f[:3] == ("house", kind, asset))

    def held(self, account, asset):
        orders = sum(
            self.borne_by(order)
            for order in self.open_orders(account)
            if asset == (self.spec.quote if order["side"] == "B" else self.spec.base)
        )
        ended = {f[1] for f in self.facts if f[0] == "withdrawal ended"}
        withdrawals = sum(
            f[4]
            for f in self.facts
            if f[0] == "withdrawal" and f[2:4] == (account, asset) and f[1] not in ended
        )
        return orders + withdrawals

    def available(self, account, asset):
        return self.total(account, asset) - self.held(account, asset)

    def open_orders(self, account):
        ended = {f[1] for f in self.facts if f[0] == "ended"}
        return [
            f[1]
            for f in self.facts
            if f[0] == "order" and f[1]["account"] == account and f[1]["id"] not in ended
        ]

    def fills(self, order_id):
        return [f[2] for f in self.facts if f[:2] == ("fill", order_id)]

    def filled(self, order_id):
        return sum(fill["lots"] for fill in self.fills(order_id))

    def spent(self, order_id):
        return sum(
            fill["lots"] * fill["price"] * self.spec.quote_per_tick_lot
            for fill in self.fills(order_id)
        )

    def borne_by(self, order):
        """Of a pair that is undecided the first bears the dearer one's cost, the second nothing."""
        other = next(
            (o for o in self.open_orders(order["account"]) if o["id"] == order["other"]), None
        )
        if order["other"] and self.filled(order["other"]):
            return 0  # The other one trades; this one can only end.
        if other is None or self.filled(order["id"]):
            return self.cost_of_rest(order)
        is_first = order["id"] < other["id"]
        return max(self.cost_of_rest(order), self.cost_of_rest(other)) if is_first else 0

    def lots(self, order):
        amended = [f[3] for f in self.facts if f[:2] == ("amended", order["id"])]
        return amended[-1] if amended else order["lots"]

    def cost_of_rest(self, order):
        rest = self.lots(order) - self.filled(order["id"])
        if order["side"] == "S":
            return rest * self.spec.base_per_lot
        if order["kind"] == "M":
            return order["hold"] - self.spent(order["id"])
        return rest * order["price"] * self.spec.quote_per_tick_lot

    def last(self, kind, key, otherwise):
        found = [f[2] for f in self.facts if f[:2] == (kind, key)]
        return found[-1] if found else otherwise

    def has_account(self, account):
        return ("account", account) in self.facts

    # ── One frame ───────────────────────────────────────────────────────────────────────────────

    def tell(self, messages, at_ns):
        """Take a frame's messages; return what should have come of them."""
        lines: list[str] = []
        for message in messages:
            self.seq += 1
            teller = getattr(self, f"on_{_snake(type(message).__name__)}", None)
            if teller is not None:
                lines += teller(message, at_ns) or []
        return lines

    def on_market_add(self, m, _at):
        self.spec = m.spec

    def on_reference(self, m, _at):
        self.reference, self.market_state = m.ticks, m.state

    def on_account_open(self, m, _at):
        if not self.has_account(m.account):
            self.facts.append(("account", m.account))

    def on_account_freeze(self, m, _at):
        self.facts.append(("frozen", m.account, m.frozen))
        if m.frozen and self.rules >= 2 and self.open_orders(m.account):
            return [f"sent cancel {m.account} frozen"]
        return []

    def on_fees_set(self, m, _at):
        self.facts.append(("fees", m.account, (m.maker_ppm, m.taker_ppm)))

    # ── Orders ──────────────────────────────────────────────────────────────────────────────────

    def on_place_order(self, m, at, extras=None):
        known = self.known(m.account, m.client_id, at)
        if known:
            return self.on_repeat(m, extras, known)
        code, hold = self.why_not(m, at, extras)
        if code:
            return [f"refused {m.client_id} {code}", f"reply {m.request} refused {code}"]
        order = self.open(m, hold, extras)
        lines = self.accepted(order)
        lines.append(f"sent {order['id']}" if extras is None else f"sent extra {order['id']}")
        if m.response == "ACK":
            return [*lines, f"reply {m.request} ack {order['id']}"]
        self.facts.append(("waits", order["id"], m.request))
        return lines

    def on_place_extra(self, m, at):
        return self.on_place_order(m.order, at, m.extras)

    def open(self, m, hold, extras, other=0, other_client_id=""):
        self.made += 1
        order = {
            "id": self.made * 1024 + self.number,
            "account": m.account,
            "client_id": m.client_id,
            "derived": m.derived,
            "terms": (*self.terms(m), extras, other_client_id),
            "side": m.side,
            "kind": m.kind,
            "price": m.price_ticks,
            "lots": m.lots,
            "hold": hold,
            "extras": extras,
            "other": other,
        }
        self.facts.append(("order", order))
        return order

    def accepted(self, order):
        held, extras = self.borne_by(order), order["extras"]
        lines = [f"accepted {order['id']} {order['client_id']} held {held}"]
        return lines if extras is None else [*lines, f"extras {extras} beside {order['other']}"]

    def known(self, account, client_id, at):
        named = [
            f[1]
            for f in self.facts
            if f[0] == "order" and (f[1]["account"], f[1]["client_id"]) == (account, client_id)
        ]
        named = [order for order in named if self.remembers(order, at)]
        return named[-1] if named else None

    def remembers(self, order, at):
        ends = [f[2] for f in self.facts if f[:2] == ("ended", order["id"])]
        kept_ns = DERIVED_NS if order["derived"] else DAY_NS
        return not ends or at - ends[0] <= kept_ns

    def terms(self, m):
        return (
            m.market,
            m.side,
            m.kind,
            m.time_in_force,
            m.post_only,
            m.price_ticks,
            m.lots,
            int(m.quote_budget),
        )

    def on_repeat(self, m, extras, order):
        code = ""
        if m.derived:
            code = "client_id_repeated"
        elif (*self.terms(m), extras, "") != order["terms"]:
            code = "client_id_reused"
        if code:
            return [f"refused {m.client_id} {code}", f"reply {m.request} refused {code}"]
        if m.response == "ACK":
            return [f"reply {m.request} ack {order['id']}"]
        answer = self.last("answer", order["id"], None)
        if answer is not None:
            return [f"reply {m.request} {answer}"]
        self.facts.append(("waits", order["id"], m.request))
        return []

    def why_not(self, m, at, extras, room=1):
        spec, budget = self.spec, int(m.quote_budget)
        if not self.has_account(m.account):
            return "unknown_account", 0
        if m.market != spec.symbol:
            return "unknown_market", 0
        if self.last("frozen", m.account, False):
            return "account_frozen", 0
        if self.market_state not in (None, "trading", "post_only", "auction"):
            return "market_not_open", 0
        if at > m.deadline_ns:
            return "too_late", 0
        if len(self.open_orders(m.account)) + room > spec.orders_per_account_max:
            return "too_many_orders", 0
        if extras is not None and 0 < extras.expires_ns <= at:
            return "too_late", 0
        code = "" if extras is None else self.why_not_extras(m, extras)
        return (code, 0) if code else self.why_not_terms(m, spec, budget, extras)

    def why_not_extras(self, m, extras):
        rests = m.kind == "L" and m.time_in_force == "GTC"
        wrong = [
            extras.group != 0,
            extras.reduce_only,
            extras.expires_ns and not rests,
            not extras.trigger and (extras.trigger_ticks or extras.trail_ppm),
            extras.trigger and m.post_only,
            extras.trail_ppm and extras.trigger_ticks,
            extras.trail_ppm and extras.trigger == "profit",
            extras.trail_ppm and not 1_000 <= extras.trail_ppm <= 500_000,
        ]
        if any(wrong):
            return "bad_terms"
        without_price = extras.trigger and not extras.trail_ppm and not extras.trigger_ticks
        return "bad_price" if without_price else ""

    def why_not_terms(self, m, spec, budget, extras):
        unit = spec.quote_per_tick_lot
        if m.kind == "M" and m.side == "B" and budget:
            if m.lots or m.post_only:
                return "bad_terms", 0
            if budget < spec.min_notional:
                return "bad_notional", 0
            return self.covered(m.account, spec.quote, budget)
        if (m.price_ticks > 0) != (m.kind == "L"):
            return "bad_price", 0
        if m.post_only and (m.kind == "M" or m.time_in_force != "GTC"):
            return "bad_terms", 0
        if m.lots < spec.min_lots or m.lots > spec.max_lots:
            return "bad_size", 0
        worth = m.lots * (m.price_ticks or self.reference) * unit
        if 0 < worth < spec.min_notional:
            return "bad_notional", 0
        if m.side == "S":
            return self.covered(m.account, spec.base, m.lots * spec.base_per_lot)
        if m.kind == "L":
            return self.covered(m.account, spec.quote, m.lots * m.price_ticks * unit)
        upper = self.upper(extras)
        free = self.available(m.account, spec.quote)
        if free < upper * unit or free < spec.min_notional:
            return "insufficient_funds", 0
        return "", min(free, m.lots * upper * unit)

    def upper(self, extras):
        start = Fraction(self.reference)
        if extras is not None and extras.trail_ppm:
            start = ceil(start * Fraction(1_000_000 + extras.trail_ppm, 1_000_000))
        elif extras is not None and extras.trigger_ticks > start:
            start = extras.trigger_ticks
        return floor(start * Fraction(1_000_000 + self.spec.band_ppm, 1_000_000))

    def covered(self, account, asset, cost):
        return ("", cost) if self.available(account, asset) >= cost else ("insufficient_funds", 0)

    # ── Reports ─────────────────────────────────────────────────────────────────────────────────

    def on_first_report(self, m, at):
        order = self.order_of(m.order_id)
        lines = [f"reported {m.order_id} {m.ended} {m.code}"]
        for execution in m.executions:
            lines += self.book_fill(order, execution)
        answer = (
            f"result {m.order_id} {m.ended} {m.code} filled {self.filled(m.order_id)} "
            f"for {self.spent(m.order_id)} fees {[f['fee'] for f in self.fills(m.order_id)]}"
        )
        self.facts.append(("answer", m.order_id, answer))
        if order["other"] and order["other"] < order["id"]:
            answer = self.last("answer", order["other"], None)  # A pair's asker hears of the first.
        waiting = [f[2] for f in self.facts if f[:2] == ("waits", m.order_id)]
        lines += [f"reply {request} {answer}" for request in waiting]
        return lines + (self.end(order, m.ended, at) if m.ended else [])

    def on_execution(self, m, at):
        order = self.order_of(m.order_id)
        return self.book_fill(order, m) + (self.end(order, m.ended, at) if m.ended else [])

    def on_order_end(self, m, at):
        return self.end(self.order_of(m.order_id), m.ended, at)

    def order_of(self, order_id):
        (order,) = (f[1] for f in self.facts if f[0] == "order" and f[1]["id"] == order_id)
        return order

    def book_fill(self, order, m):
        spec, buys = self.spec, order["side"] == "B"
        base = m.lots * spec.base_per_lot
        quote = m.lots * m.price_ticks * spec.quote_per_tick_lot
        maker, taker = self.last("fees", order["account"], (spec.maker_ppm, spec.taker_ppm))
        rate = maker if m.liquidity == "M" else taker
        got = base if buys else quote
        fee, rest = divmod(got * rate, 1_000_000)
        fee += 1 if rest else 0
        fill = {"lots": m.lots, "price": m.price_ticks, "fee": fee, "trade": m.trade_id}
        self.facts.append(("fill", m.order_id, fill))
        sign = 1 if buys else -1
        clearing = f"clearing:{spec.symbol}"
        for asset, amount in ((spec.base, sign * base), (spec.quote, -sign * quote)):
            self.facts.append(("move", order["account"], asset, amount))
            self.facts.append(("house", clearing, asset, -amount))
        fee_asset = spec.base if buys else spec.quote
        self.facts.append(("move", order["account"], fee_asset, -fee))
        self.facts.append(("house", "fees", fee_asset, fee))
        return [
            f"fill {m.trade_id} {m.order_id} {order['side']} {m.lots}@{m.price_ticks} fee {fee}"
        ]

    def end(self, order, ended, at):
        asset = self.spec.quote if order["side"] == "B" else self.spec.base
        before = self.held(order["account"], asset)
        self.facts.append(("ended", order["id"], at))
        released = before - self.held(order["account"], asset)
        lines = [f"ended {order['id']} {ended} released {released}"]
        return lines + self.end_amend(order["id"], "unknown_order")


def _snake(name):
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
