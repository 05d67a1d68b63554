"""How the obvious twin of a partition takes pairs and amends, and what it makes of triggers."""


class ObviousPairs:
    """The part of `ObviousPartition` for what only some orders do."""

    # ── Pairs ───────────────────────────────────────────────────────────────────────────────────

    def on_place_pair(self, m, at):
        one, two = m.first, m.second
        if not self.has_account(one.order.account):
            return self.refuse_pair(m, one, "unknown_account")
        known = [self.known(one.order.account, leg.order.client_id, at) for leg in (one, two)]
        if any(known):
            return self.on_repeated_pair(m, known)
        if one.order.market != self.spec.symbol:
            return self.refuse_pair(m, one, "unknown_market")
        if not self.is_pair(one, two):
            return self.refuse_pair(m, one, "bad_pair")
        holds = []
        for leg in (one, two):
            code, hold = self.why_not(leg.order, at, leg.extras, room=2)
            if code:
                return self.refuse_pair(m, leg, code)
            holds.append(hold)
        number = (self.made + 1) * 1024 + self.number
        first = self.open(one.order, holds[0], one.extras, number + 1024, two.order.client_id)
        second = self.open(two.order, holds[1], two.extras, number, one.order.client_id)
        lines = [*self.accepted(first), *self.accepted(second)]
        lines.append(f"sent pair {first['id']} {second['id']}")
        if one.order.response == "ACK":
            return [*lines, f"reply {one.order.request} ack {first['id']}"]
        self.facts.append(("waits", second["id"], one.order.request))
        return lines

    def is_pair(self, one, two):
        resting = [leg.order for leg in (one, two) if not leg.extras.trigger]
        return (
            one.order.account == two.order.account
            and one.order.market == two.order.market
            and one.order.side == two.order.side
            and one.order.lots == two.order.lots
            and one.order.client_id != two.order.client_id
            and [(order.kind, order.time_in_force) for order in resting] == [("L", "GTC")]
        )

    def refuse_pair(self, m, leg, code):
        request = m.first.order.request
        return [f"refused {leg.order.client_id} {code}", f"reply {request} refused {code}"]

    def on_repeated_pair(self, m, known):
        one, two = m.first, m.second
        request = one.order.request
        for leg, order in zip((one, two), known, strict=True):
            if order and leg.order.derived:
                return self.refuse_pair(m, leg, "client_id_repeated")
        others = two.order.client_id, one.order.client_id
        for leg, order, other in zip((one, two), known, others, strict=True):
            asked = (*self.terms(leg.order), leg.extras, other)
            if order and asked != order["terms"]:
                return self.refuse_pair(m, leg, "client_id_reused")
        first, second = known
        if second is None or (first and first["id"] > second["id"]):
            return self.refuse_pair(m, one, "client_id_reused")
        if first is None:
            return self.refuse_pair(m, two, "client_id_reused")
        if one.order.response == "ACK":
            return [f"reply {request} ack {first['id']}"]
        if self.last("answer", second["id"], None) is not None:
            return [f"reply {request} {self.last('answer', first['id'], None)}"]
        self.facts.append(("waits", second["id"], request))
        return []

    # ── Amends ──────────────────────────────────────────────────────────────────────────────────

    def on_amend_order(self, m, at):
        orders = self.open_orders(m.account)
        if m.order_id:
            orders = [order for order in orders if order["id"] == m.order_id]
        if m.client_id or not m.order_id:
            orders = [order for order in orders if order["client_id"] == m.client_id]
        order = orders[0] if orders and m.market == self.spec.symbol else None
        code = self.why_not_amend(m, at, order)
        if code:
            return [f"no {code}", f"reply {m.request} refused {code}"]
        version = self.version(order["id"]) + 1
        self.facts.append(("amend", order["id"], m.request, version, m.lots))
        filled = self.filled(order["id"])
        return [f"sent amend {order['id']} {version} to {m.lots} at {filled} filled"]

    def why_not_amend(self, m, at, order):
        if not self.has_account(m.account):
            return "unknown_account"
        if order is None:
            return "unknown_order"
        if at > m.deadline_ns:
            return "too_late"
        if self.pending_amend(order["id"]):
            return "amend_pending"
        if m.lots < self.spec.min_lots or m.lots > self.spec.max_lots:
            return "bad_size"
        return "" if m.lots < self.lots(order) else "not_smaller"

    def version(self, order_id):
        return 1 + len([f for f in self.facts if f[:2] == ("amended", order_id)])

    def pending_amend(self, order_id):
        asked = [f for f in self.facts if f[:2] == ("amend", order_id)]
        answered = [f for f in self.facts if f[:2] == ("amend answered", order_id)]
        return asked[-1] if len(asked) > len(answered) else None

    def end_amend(self, order_id, code):
        """Answer the amend that is on its way, if there is one, with a refusal."""
        pending = self.pending_amend(order_id)
        if pending is None:
            return []
        self.facts.append(("amend answered", order_id))
        return [f"no {code}", f"reply {pending[2]} refused {code}"]

    def on_amended(self, m, _at):
        if ("ended", m.order_id) in [f[:2] for f in self.facts]:
            return []
        if m.code:
            return self.end_amend(m.order_id, m.code)
        _, order_id, request, version, lots = self.pending_amend(m.order_id)
        self.facts.append(("amend answered", order_id))
        self.facts.append(("amended", order_id, version, lots))
        held = self.borne_by(self.order_of(order_id))
        return [
            f"amended {order_id} {version} to {lots} held {held}",
            f"reply {request} amended {order_id} to {lots} at {self.filled(order_id)} filled",
        ]

    # ── Triggers ────────────────────────────────────────────────────────────────────────────────

    def on_triggered(self, m, _at):
        return [f"set off {m.order_id} at {m.price_ticks}"]
