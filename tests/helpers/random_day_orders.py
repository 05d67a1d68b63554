"""What partitions of a random day send: orders plain and odd, pairs, amends, frozen accounts."""

import msgspec

from matching_worker.contracts.to_book import (
    AmendHeld,
    CancelAccount,
    ExtraOrder,
    HeldOrder,
    HeldPair,
    OrderExtras,
)

SECOND = 10**9
PARTITIONS = (0, 1)
ACCOUNTS = tuple(number * 1024 + partition for number in (1, 2, 3, 4) for partition in PARTITIONS)
MIDDLE = 1_000  # Prices of a day lie around this one.


class RandomOrders:
    """The part of `RandomDay` that makes link messages. It has dice, a time and a memory."""

    def _message(self):
        """Return a partition, how far it has read its commands, and what it sends."""
        luck, account = self.dice.random(), self.dice.choice(ACCOUNTS)
        if 0.87 <= luck < 0.99 and self.recent:
            return self._amend()
        partition = account % 1024
        if luck >= 0.99:
            sender = self.dice.choice((partition, partition, partition, 1 - partition))
            return sender, self.taken[sender], CancelAccount(account, "frozen")
        self.taken[partition] = (self.taken[partition][0] + self.dice.randrange(1, 3), 0)
        if luck < 0.58:
            message = self._variation(self._order(account))
        else:
            message = self._with_extras(account) if luck < 0.8 else self._pair(account)
        return partition, self.taken[partition], message

    # -- orders

    def _order(self, account, **terms):
        """Make a limit order, and remember it."""
        self.orders += 1
        partition = account % 1024
        side = terms.get("side") or self.dice.choice("BS")
        order = HeldOrder(
            order_id=self.orders * 1024 + partition,
            version=1,
            account=account,
            client_id=f"order-{self.orders}",
            side=side,
            kind="L",
            time_in_force=self.dice.choices(("GTC", "IOC", "FOK"), (10, 1, 1))[0],
            post_only=False,
            price_ticks=self._price(side, 5),
            lots=self.dice.choice((1, 2, 3, 5, 8, 13, 40)),
            budget=0,
            deadline_ns=self.at_ns + 5 * SECOND,
            command=self.taken[partition],
        )
        order = msgspec.structs.replace(order, **terms)
        self.recent = [*self.recent[-25:], order]
        return order

    def _price(self, side, away):
        """Return a price on the passive side of the middle (`away` negative: beyond it)."""
        return round(self.dice.gauss(MIDDLE - away if side == "B" else MIDDLE + away, 9))

    def _variation(self, order):
        """Leave most orders as they are; make some post-only or market orders, and spoil a few."""
        luck = self.dice.random()
        if luck < 0.65:
            return order
        if luck < 0.75:
            return msgspec.structs.replace(order, post_only=True, time_in_force="GTC")
        if luck < 0.92:
            return self._market(order)
        return msgspec.structs.replace(order, **self._fault(order))

    def _market(self, order):
        lots, budget = order.lots, 0
        if order.side == "B":
            cost = 7 * 1_000 * self.dice.randrange(1, 60) + self.dice.randrange(7_000)
            even = 7 * self._price("S", 5) * self.dice.choice((2, 3, 4, 6, 9))
            budget = self.dice.choice((cost, even, even, str(2**70)))
            lots = self.dice.choice((0, order.lots))
        tif = self.dice.choice(("GTC", "IOC", "FOK"))
        return msgspec.structs.replace(
            order, kind="M", price_ticks=0, lots=lots, budget=budget, time_in_force=tif
        )

    def _fault(self, order):
        resting = self.dice.choice(self.recent)
        return self.dice.choice(
            (
                {"deadline_ns": self.at_ns - SECOND},
                {"price_ticks": 0},
                {"price_ticks": self.dice.choice((1, 100, 969, 971, 1_029, 1_031, 5_000))},
                {"lots": self.dice.choice((0, 1_001, 2**50))},
                {"budget": self.dice.choice((5, "12x", "-3", str(2**65)))},
                {"client_id": self.dice.choice(("", "x" * 37, resting.client_id))},
                {"order_id": order.order_id + 1},
                {"order_id": resting.order_id},
                {"account": order.account + 1},
                {"kind": "M"},
                {
                    "kind": "M",
                    "price_ticks": 0,
                    "budget": self.dice.choice((0, 6_999, "", "9" * 41)),
                },
                {"post_only": True, "time_in_force": "IOC"},
                {"post_only": True, "kind": "M", "price_ticks": 0, "budget": 70_000},
            )
        )

    # -- extras

    def _with_extras(self, account):
        order = self._order(account)
        if self.dice.random() < 0.35:
            order = self._eager(order)
        elif self.dice.random() < 0.15:
            order = self._variation(order)
        elif self.dice.random() < 0.2:
            order = self._market(order)
        extras = self._modes(order)
        if self.dice.random() < 0.5:
            extras = self._trigger(order, extras)
        if self.dice.random() < 0.08:
            extras = msgspec.structs.replace(extras, **self._fault_of_extras())
        return ExtraOrder(order, extras)

    def _eager(self, order):
        """Let an order go far into the other side, to meet many."""
        return msgspec.structs.replace(
            order,
            price_ticks=self._price(order.side, -12),
            lots=self.dice.choice((8, 13, 40)),
            time_in_force=self.dice.choice(("GTC", "IOC", "FOK")),
        )

    def _modes(self, order):
        expires_ns = 0
        if self.dice.random() < (0.4 if self._is_patient(order) else 0.03):
            expires_ns = self.at_ns + self.dice.choice((0, SECOND // 10, SECOND, 3 * SECOND))
            expires_ns += self.dice.choice((0, self.dice.randrange(SECOND)))
            self.moments.append(expires_ns)
        return OrderExtras(
            self_trade=self.dice.choice("TMMBN"),
            group=self.dice.choice((0, 1, 1, 1, 2)),
            expires_ns=expires_ns,
        )

    @staticmethod
    def _is_patient(order):
        return order.kind == "L" and order.time_in_force == "GTC"

    def _trigger(self, order, extras):
        trigger, by = self.dice.choice(("stop", "stop", "profit")), "last"
        if self.dice.random() < 0.25:
            by = "mark"
        rises = (trigger == "stop") == (order.side == "B")
        away = self.dice.choice((2, 4, 6, 8, 8, 12, -1))
        terms = {"trigger_ticks": MIDDLE + away if rises else MIDDLE - away}
        if trigger == "stop" and self.dice.random() < 0.35:
            terms = {"trail_ppm": self.dice.choice((1_000, 3_000, 5_000, 9_500, 500_000))}
        return msgspec.structs.replace(extras, trigger=trigger, trigger_by=by, **terms)

    def _fault_of_extras(self):
        return self.dice.choice(
            (
                {"reduce_only": True},
                {"trigger_ticks": 990},
                {"trail_ppm": self.dice.choice((999, 500_001, 2_000))},
                {"trigger": "profit", "trail_ppm": 2_000, "trigger_ticks": 0},
                {"trigger": "stop", "trigger_ticks": 0, "trail_ppm": 0},
                {"trigger": "", "trigger_ticks": 0, "trail_ppm": 0},
                {"expires_ns": self.at_ns + SECOND},
            )
        )

    def _pair(self, account):
        """Make a resting order and a stop on the other side of the middle, in either order."""
        side, post_only = self.dice.choice("BS"), self.dice.random() < 0.1
        price = self._price(side, self.dice.choice((5, 12)))
        limit = self._order(
            account, side=side, time_in_force="GTC", price_ticks=price, post_only=post_only
        )
        waits = self._order(account, side=side, lots=limit.lots)
        if self.dice.random() < 0.5:
            budget = 7 * 1_100 * limit.lots if limit.side == "B" else 0
            waits = msgspec.structs.replace(waits, kind="M", price_ticks=0, budget=budget)
        legs = [
            ExtraOrder(limit, self._modes(limit)),
            ExtraOrder(waits, self._trigger(waits, self._modes(waits))),
        ]
        if self.dice.random() < 0.12:
            legs = self._spoiled(*legs)
        if self.dice.random() < 0.5:
            legs.reverse()
        return HeldPair(*legs)

    def _spoiled(self, first, second):
        replace = msgspec.structs.replace
        limit, waits = first.order, second.order
        return self.dice.choice(
            (
                [first, ExtraOrder(replace(waits, lots=waits.lots + 1), second.extras)],
                [first, ExtraOrder(replace(waits, account=waits.account + 1), second.extras)],
                [first, ExtraOrder(replace(waits, client_id=limit.client_id), second.extras)],
                [first, ExtraOrder(waits, first.extras)],
                [ExtraOrder(replace(limit, time_in_force="IOC"), first.extras), second],
                [ExtraOrder(replace(limit, **self._fault(limit)), first.extras), second],
                [first, ExtraOrder(replace(waits, **self._fault(waits)), second.extras)],
            )
        )

    # -- amends

    def _amend(self):
        order = self.dice.choice(self.recent)
        partition = order.account % 1024
        version = self.versions.get(order.order_id, order.version) + 1
        asked = AmendHeld(
            order_id=order.order_id,
            version=version,
            account=order.account,
            lots=max(1, order.lots - self.dice.choice((1, 1, 2, 5))),
            expected_filled=0,
            deadline_ns=self.at_ns + 5 * SECOND,
        )
        if self.dice.random() < 0.5:
            asked = msgspec.structs.replace(asked, **self._fault_of_amend(asked))
        self.versions[order.order_id] = asked.version
        return partition, self.taken[partition], asked

    def _fault_of_amend(self, asked):
        filled = self.dice.choice((1, 1, 2, 3, 5))
        return self.dice.choice(
            (
                {"version": asked.version + 1},
                {"version": max(1, asked.version - 1)},
                {"lots": asked.lots + self.dice.choice((1, 2, 40))},
                {"lots": 1},
                {"expected_filled": filled},
                {"expected_filled": filled, "lots": filled},
                {"expected_filled": filled, "lots": filled + 1},
                {"deadline_ns": self.at_ns - 1},
                {"account": self.dice.choice(ACCOUNTS)},
                {"order_id": 7 * 1024},
            )
        )
