"""What people ask of a partition on a random day: orders of all kinds, and the same again."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from apps.risk.contracts.commands import AmendOrder, PlaceExtra, PlaceOrder, PlacePair
from matching_worker.contracts.to_book import OrderExtras
from tests.helpers.pure_exchange import PureExchange
from tests.helpers.scripted_stage import Asked, pair

SECOND_NS = 1_000_000_000


class Requests:
    """Draws requests: most make sense, some are odd, and now and then one comes again."""

    accounts: list[int]

    def __init__(self, chance: Random, exchange: PureExchange) -> None:
        self.chance = chance
        self.exchange = exchange
        self.placed: list[PlaceOrder] = []
        self.special: list[PlaceExtra | PlacePair] = []

    def request(self) -> Asked:
        """Draw what someone asks for next."""
        dice = self.chance.random()
        if self.special and dice < 0.05:
            return self.special_again()
        if dice < 0.50:
            return self.order()
        if dice < 0.86:
            drawn = self.extra() if dice < 0.70 else self.pair()
            self.special.append(drawn)
            return drawn
        return self.amend()

    # ── Plain orders ────────────────────────────────────────────────────────────────────────────

    def order(self) -> PlaceOrder:
        chance = self.chance
        if self.placed and chance.random() < 0.12:
            return self.again(chance.choice(self.placed[-30:]))
        is_limit = chance.random() < 0.75
        side = chance.choice("BS")
        by_budget = not is_limit and side == "B" and chance.random() < 0.5
        budget = chance.choice([1_000, 5_000, 70_000, 2_000_000]) if by_budget else 0
        return self.new_order(
            side=side,
            kind="L" if is_limit else "M",
            time_in_force=chance.choice(["GTC"] * 6 + ["IOC", "FOK"]) if is_limit else "IOC",
            post_only=chance.random() < 0.05,
            price_ticks=chance.randint(94, 106) if is_limit else 0,
            lots=0 if by_budget else self.lots(),
            quote_budget=budget,
        )

    def new_order(self, **terms: Any) -> PlaceOrder:
        """Make a request of its own name; a GTC limit order unless its terms say otherwise."""
        chance = self.chance
        fields: dict[str, Any] = {
            "request": self.exchange.next_request(),
            "account": chance.choice(self.accounts) if chance.random() < 0.98 else 9 * 1024,
            "market": "BTC-USDT" if chance.random() < 0.99 else "DOGE-USDT",
            "client_id": f"c{len(self.placed)}",
            "derived": chance.random() < 0.3,
            "kind": "L",
            "time_in_force": "GTC",
            "post_only": False,
            "quote_budget": 0,
            "deadline_ns": self.exchange.now_ns
            + chance.choice([100_000_000] + [3_600 * SECOND_NS] * 9),
            "response": chance.choice(["ACK", "RESULT", "FULL"]),
        }
        order = PlaceOrder(**(fields | terms))
        self.placed.append(order)
        return order

    def lots(self) -> int:
        chance = self.chance
        return chance.choice([2, 5, 20, 20, 40, 90]) + chance.choice([0] * 30 + [-1, 400])

    def again(self, order: PlaceOrder) -> PlaceOrder:
        """Ask for the same once more, now and then in other terms."""
        changes = {"lots": order.lots + 1} if self.chance.random() < 0.2 else {}
        return msgspec.structs.replace(
            order,
            request=self.exchange.next_request(),
            response=self.chance.choice(["ACK", "RESULT"]),
            **changes,
        )

    # ── Orders with more than plain terms ───────────────────────────────────────────────────────

    def extra(self) -> PlaceExtra:
        order = self.order()
        chance, now_ns = self.chance, self.exchange.now_ns
        rests = order.kind == "L" and order.time_in_force == "GTC"
        expires = chance.random() < (0.4 if rests else 0.03)
        after_ns = chance.choice([-SECOND_NS, 300_000_000, SECOND_NS, 20 * SECOND_NS])
        extras = OrderExtras(
            self_trade=chance.choice("TTMBN"),  # type: ignore[arg-type]
            group=7 if chance.random() < 0.02 else 0,
            expires_ns=now_ns + after_ns if expires else 0,
            reduce_only=chance.random() < 0.02,
        )
        if chance.random() < 0.7:
            extras = msgspec.structs.replace(extras, **self.trigger(order.side))
        return PlaceExtra(order, extras)

    def trigger(self, side: str) -> dict[str, Any]:
        """Draw what an order waits for: most often a price on the side where it is not reached."""
        chance = self.chance
        kind = chance.choice(["stop", "stop", "profit", *[""] * (chance.random() < 0.05)])
        rises = (kind == "stop") == (side == "B")
        ticks = 100 + (1 if rises else -1) * chance.randint(-1, 6)
        drawn = {
            "trigger": kind,
            "trigger_by": "mark" if chance.random() < 0.2 else "last",
            "trigger_ticks": ticks if chance.random() < 0.95 else 0,
        }
        if chance.random() < 0.2:
            drawn["trail_ppm"] = chance.choice([999, 1_000, 10_000, 30_000, 500_001])
            drawn["trigger_ticks"] = ticks if chance.random() < 0.1 else 0
        return drawn

    def pair(self) -> PlacePair:
        chance = self.chance
        side, account, lots = chance.choice("BS"), chance.choice(self.accounts), self.lots()
        sign = 1 if side == "B" else -1
        shared = {"account": account, "side": side, "lots": lots, "market": "BTC-USDT"}
        rests = self.new_order(**shared, price_ticks=100 - sign * chance.randint(0, 5))
        by_market = chance.random() < 0.4
        waits = self.new_order(
            **(shared | self._odd(rests)),
            kind="M" if by_market else "L",
            time_in_force=chance.choice(["IOC", "FOK"] if by_market else ["GTC", "IOC"]),
            price_ticks=0 if by_market else 100 + sign * chance.randint(1, 8),
        )
        mode = chance.choice("TTMBN")
        at = OrderExtras(self_trade=mode, **self.trigger(side))  # type: ignore[arg-type]
        legs = [PlaceExtra(rests, OrderExtras(self_trade=mode)), PlaceExtra(waits, at)]  # type: ignore[arg-type]
        if chance.random() < 0.3:
            legs.reverse()
        return pair(*legs)

    def _odd(self, other: PlaceOrder) -> dict[str, Any]:
        """Draw, once in a while, what makes two orders no pair."""
        if self.chance.random() >= 0.06:
            return {}
        odd: list[dict[str, Any]] = [
            {"side": "B"},
            {"lots": other.lots + 1},
            {"client_id": other.client_id},
            {"account": self.chance.choice(self.accounts)},
        ]
        return self.chance.choice(odd)

    def special_again(self) -> PlaceExtra | PlacePair:
        """Ask once more for an order with extras or a pair, now and then for another thing."""
        chance = self.chance
        drawn = chance.choice(self.special[-12:])
        if isinstance(drawn, PlaceExtra):
            order = self.again(drawn.order)
            if chance.random() < 0.2:
                return PlaceExtra(order, OrderExtras(self_trade="B"))
            return PlaceExtra(order, drawn.extras)
        first = PlaceExtra(self.again(drawn.first.order), drawn.first.extras)
        dice = chance.random()
        if dice < 0.1:
            return first
        if dice < 0.2:
            return pair(PlaceExtra(self.again(drawn.second.order), drawn.second.extras), first)
        if dice < 0.3:
            other = self.new_order(
                **{name: getattr(first.order, name) for name in ("account", "side", "lots")},
                price_ticks=100,
            )
            return pair(first, PlaceExtra(other, drawn.second.extras))
        return PlacePair(first, drawn.second)

    # ── Amends ──────────────────────────────────────────────────────────────────────────────────

    def amend(self) -> AmendOrder:
        """Ask for an open order, if there is one, to be smaller."""
        chance, exchange = self.chance, self.exchange
        open_now = [
            (order.account.number, order.order_id, order.client_id, order.lots)
            for risk in exchange.risks
            for order in risk.machine.orders.values()  # type: ignore[attr-defined]
        ]
        newest = sorted(open_now, key=lambda order: order[1])[-3:]  # Perhaps still on their way.
        account, number, name, lots = (
            chance.choice(newest if chance.random() < 0.5 else open_now)
            if open_now and chance.random() < 0.9
            else (chance.choice(self.accounts), 5 * 1024, "c1", 20)
        )
        by_number = chance.random() < 0.5
        return AmendOrder(
            request=exchange.next_request(),
            account=account if chance.random() < 0.97 else chance.choice(self.accounts),
            market="BTC-USDT" if chance.random() < 0.98 else "DOGE-USDT",
            order_id=number if by_number else 0,
            client_id=name if not by_number or chance.random() < 0.2 else "",
            lots=max(0, lots - chance.choice([0, 1, 1, 2, 5, 18])),
            deadline_ns=exchange.now_ns + chance.choice([0] + [SECOND_NS] * 9),
        )
