"""Check the published record of a Fairbook market, trusting nobody: not even the exchange.

    python3 -I -S fairbook_verify.py segments/*.jsonl.gz --heads heads.jsonl --receipts mine.jsonl

It hashes the record again, replays the book by its own small book of the same rules
(docs/matching-rules.md; the numbers in the comments are its rules), and compares every trade. What
you saved at the time (heads, and the answers to your orders) it looks up in the record.

Exit codes: 0 everything given was checked and is right; 1 something is wrong; 2 it could not check.
One file, standard library only, no network. docs/verify.md says what this proves and what not.
"""

import argparse
import bisect
import datetime
import decimal
import gzip
import hashlib
import heapq
import json
import pathlib
import sys
from collections import OrderedDict, deque

FORMAT = "fairbook.proof.v1"
RULES_KNOWN = (1, 2)
EXTRAS_SINCE = 2  # The rules version from which triggers and breakers look at trades.
SECOND = 10**9
MILLION = 10**6
PARTITIONS = 1024
ANY_PRICE = ANY_LOTS = 2**62
NEVER = -1
SHOWN_MAX = 12  # Lines of one kind that a story shows.

LIMITS = {  # As the rules say them. A change of a number is a new rules version.
    "orders_per_book": 1_000_000,
    "orders_per_account": 10_000,
    "fills_per_taker": 1_000,
    "mass_cancel_steps": 1_000,
    "mass_cancels": 1_000,
    "mass_cancel_orders": 1_000_000,
    "tombstones": 100_000,
    "tombstones_per_account": 200,
    "waiting_per_book": 100_000,
    "waiting_per_account": 200,
    "trailing_per_book": 1_000,
    "actions": 100,
    "expiries": 1_000,
    "switches": 10_000,
    "auction_orders": 5_000,
    "reference_window_s": 300,
    "reference_pace_ns": SECOND,
}
STATES = ("pre_open", "auction", "post_only", "trading", "cancel_only", "halted", "delisted")


class CouldNotCheck(Exception):
    """Something is missing, or says what this program does not know. Never passed over."""


class Wrong(Exception):
    """The record contradicts itself, the rules, or what was saved."""


# ── The book ────────────────────────────────────────────────────────────────────────────────────


class Order:
    """An order, from its terms as the book took them."""

    __slots__ = (
        "account",
        "best",
        "budget",
        "client",
        "command",
        "deadline",
        "extras",
        "filled",
        "id",
        "is_set_off",
        "kind",
        "lots",
        "number",
        "open",
        "other",
        "post_only",
        "price",
        "quote",
        "side",
        "tif",
        "version",
    )

    def __init__(self, terms, extras=None):
        tag, self.id, self.version, self.account, self.client, self.side, *rest = terms
        if tag != "held_order.v1" or self.side not in ("B", "S"):
            raise CouldNotCheck(f"an order's terms that begin with {tag!r} are not known here")
        self.kind, self.tif, self.post_only, self.price, self.lots, *rest = rest
        budget, self.deadline, command = rest
        self.budget, self.command = budget, tuple(command)
        if self.kind not in ("L", "M") or self.tif not in ("GTC", "IOC", "FOK"):
            raise CouldNotCheck(f"orders of kind {self.kind!r}, {self.tif!r} are not known here")
        self.extras = None if extras is None else Extras(extras)
        self.open = self.lots or ANY_LOTS
        self.filled = self.quote = 0
        self.other = 0  # The other order of its pair.
        self.number = 0  # While it waits for a price: its turn.
        self.best = 0
        self.is_set_off = False

    @property
    def group(self):
        return self.extras.group if self.extras else 0

    @property
    def expires(self):
        return self.extras.expires if self.extras else 0

    def rises(self):
        """Say whether a high price sets it off, not a low one (rule 40)."""
        return (self.side == "B") == (self.extras.trigger == "stop")

    def terms(self):
        """Return the terms as the record writes them."""
        return [
            *("held_order.v1", self.id, self.version, self.account, self.client, self.side),
            *(self.kind, self.tif, self.post_only, self.price, self.lots, self.budget),
            *(self.deadline, list(self.command)),
        ]


class Extras:
    """What an order asks for beyond a plain one's terms."""

    __slots__ = (
        "by",
        "expires",
        "group",
        "mode",
        "reduce_only",
        "trail",
        "trigger",
        "trigger_ticks",
    )

    def __init__(self, row):
        self.mode, self.group, self.expires, self.trigger, self.by, *rest = row
        self.trigger_ticks, self.trail, self.reduce_only = rest
        known = self.mode in ("T", "M", "B", "N") and self.trigger in ("", "stop", "profit")
        if not known or self.by not in ("last", "mark"):
            raise CouldNotCheck(f"extras {row!r} are not known here")

    def row(self):
        """Return them as the record writes them."""
        return [
            *(self.mode, self.group, self.expires, self.trigger, self.by),
            *(self.trigger_ticks, self.trail, self.reduce_only),
        ]


class Side:
    """The bids or the asks: prices sorted, the best one first; at a price the oldest first."""

    def __init__(self, sign):
        self.sign = sign  # -1 for bids: the highest price has the least key.
        self.keys = []
        self.levels = {}

    def add(self, order):
        key = self.sign * order.price
        if key not in self.levels:
            bisect.insort(self.keys, key)
            self.levels[key] = OrderedDict()
        self.levels[key][order.id] = order

    def remove(self, order):
        key = self.sign * order.price
        del self.levels[key][order.id]
        if not self.levels[key]:
            del self.levels[key]
            del self.keys[bisect.bisect_left(self.keys, key)]

    def best(self):
        """Return the order that trades next, or None (rules 1 and 2)."""
        return next(iter(self.levels[self.keys[0]].values())) if self.keys else None

    def reaches(self, key):
        return bool(self.keys) and self.keys[0] <= key

    def orders(self):
        for key in self.keys:
            yield from self.levels[key].values()


def amount_of(wide):
    """Read an amount: a whole number, or a decimal string if it is a large one."""
    if not isinstance(wide, str):
        return wide
    is_plain = wide.isascii() and wide.isdigit() and len(wide) <= 40
    return int(wide) if is_plain else -1


def wide(amount):
    """Write an amount as the record does."""
    return amount if -(2**63) <= amount < 2**63 else str(amount)


def partition_of(name):
    """Return the partition that a peer's name stands for, or None."""
    kind, _, number = name.partition(":")
    if kind != "risk" or not (number.isascii() and number.isdecimal()) or len(number) > 4:
        return None
    return int(number) if int(number) < PARTITIONS and str(int(number)) == number else None


class Book:
    """One market, by the rules. `events` is what the market sees of the batch at hand."""

    def __init__(self, state, tellers=None):
        self.tellers = tellers if tellers is not None else Tellers()
        self.events = []
        self.fresh_trip = False  # The breaker, by the command that is being applied.
        self.steps = self.actions_left = 0
        self._load(state)

    # -- one batch

    def begin(self, at):
        """Do what is due by this time, before any command."""
        self.at, self.events = at, []
        self.steps, self.actions_left = LIMITS["mass_cancel_steps"], LIMITS["actions"]
        self._age()
        for account in self._due_switches():  # Rule 53.
            self._end_all(account, "cancel_after")
        self._go_on()
        self._expire_by_time()
        if NEVER < self.breaker_due <= at:
            self._next_phase()
        if self.actions and self.state == "trading":
            self._act()
        if self.uncut >= 0 and at >= self.uncut + self.spec["cut_s"] * SECOND:  # Rule 34.
            self.cuts, self.uncut = self.cuts + 1, NEVER
            self.events.append(["cut_taken.v1", self.cuts, self.trades])

    def take(self, run):
        """Apply one run of messages, in order."""
        kind, *rest = run
        if kind == "link":
            peer, passed, messages = rest
            self._hear(peer, tuple(passed), messages)
            return
        (messages,) = rest
        for message in messages:
            self.seq += 1
            if kind == "cancels":
                self._cancel_or_switch(message)
            elif kind == "commands":
                self._operate(message)
            else:
                raise CouldNotCheck(f"inputs from {kind!r} are not known here")

    def end(self):
        """Settle with the partitions that were heard, and publish the reference if it is time."""
        for name, (_, passed) in self.peers.items():
            self._drop_tombstones(partition_of(name), passed)
        late = self.at >= self.published_at + LIMITS["reference_pace_ns"]
        if late and self._reference() != self.published:  # Rule 33.
            self._publish()
        self.rules = self.rules_next

    # -- who speaks

    def _hear(self, peer, passed, messages):
        if peer not in self.peers and partition_of(peer) is not None:
            self.peers[peer] = [False, (0, 0)]
        for message in messages:
            self.seq += 1
            if peer not in self.peers:
                self._refuse_command("bad_link")
            else:
                self._message(message, peer)
            self._settle()
        if peer in self.peers and passed > self.peers[peer][1]:
            self.peers[peer][1] = passed

    def _message(self, message, peer):
        tag, *fields = message
        if tag == "held_order.v1":
            self._place(Order(message), peer)
        elif tag == "extra_order.v1":
            self._place(Order(*fields), peer)
        elif tag == "held_pair.v1":
            self._place_pair([Order(*leg[1:]) for leg in fields], peer)
        elif tag == "amend_held.v1":
            self._amend(fields, peer)
        elif tag == "cancel_account.v1":  # Rule 54.
            account, code = fields
            if account % PARTITIONS != partition_of(peer):
                self._refuse_command("wrong_partition")
            else:
                self._end_all(account, code)
                self._go_on()
        elif tag == "hello.v1":
            if fields[0] != partition_of(peer):
                self._refuse_command("bad_link")
            else:
                self.peers[peer][0] = True
        else:
            raise CouldNotCheck(f"messages {tag!r} are not known here")

    def _operate(self, message):  # noqa: C901, PLR0912 - one branch per command
        tag, *fields = message
        if tag == "market_state_set.v1":
            self._be_told_state(*fields)
        elif tag == "reference_set.v1":
            self.fallback = fields[0]
        elif tag == "breaker_set.v1":
            self.breaker = list(fields)
        elif tag == "mark_set.v1":
            number, ticks = fields
            if number > self.mark_number:  # Rule 61.
                self.mark_number = number
                self._see("mark", (ticks,))
        elif tag == "link_add.v1":
            if partition_of(fields[0]) is None:
                self._refuse_command("bad_link")
            else:
                self.peers.setdefault(fields[0], [False, (0, 0)])
        elif tag == "market_define.v1":
            self._refuse_command("already_defined")
        elif tag == "rules_set.v1":
            self.rules_next = max(fields[0], self.rules_next)
            if self.rules_next not in RULES_KNOWN:
                raise CouldNotCheck(f"rules version {self.rules_next} is not known here")
        elif tag != "skip_command.v1":
            raise CouldNotCheck(f"commands {tag!r} are not known here")
        if self.actions:
            self._settle()

    def _refuse_command(self, code):
        self.events.append(["command_refused.v1", self.seq, code])

    # -- orders that come in

    def _place(self, order, peer):  # noqa: PLR0911 - one way out per rule
        """Let an order in or turn it away, trade what may trade, let the rest of it stand."""
        self.tellers.came(self, order)
        if order.account % PARTITIONS != partition_of(peer):
            return self._turn_away(order, "refused", "wrong_partition")
        if self._is_tombstoned(order):  # Rule 25.
            return self._turn_away(order, "canceled", "tombstoned")
        code = self._refusal(order, room=1)
        if code:
            return self._turn_away(order, "refused", code)
        if order.extras and order.extras.trigger:
            return self._wait(order)
        crosses = self._crosses(order)
        if crosses and order.post_only:  # Rule 9.
            return self._turn_away(order, "refused", "would_take")
        if not crosses and order.kind == "L" and order.tif == "GTC":
            return self._rest(order)
        if order.tif == "FOK" and not self._can_fill_whole(order):  # Rule 8.
            return self._turn_away(order, "expired", "not_fillable")
        return self._run(order)

    def _run(self, order):
        """Trade, and let what is left rest or expire. Returns why it expired, "" if it did not."""
        prices, code = self._trade(order)
        if prices:
            self._note_trades(prices)
        if not code:
            return ""
        if code == "no_liquidity" and order.kind == "L" and order.tif == "GTC":
            self._rest(order)
            return ""
        self._turn_away(order, "expired", code)
        return code

    def _place_pair(self, legs, peer):
        """Let both orders of a pair in, or neither (rule 49)."""
        for leg in legs:
            self.tellers.came(self, leg)
        ended, verdicts = "refused", ["", ""]
        if any(leg.account % PARTITIONS != partition_of(peer) for leg in legs):
            verdicts = ["wrong_partition"] * 2
        elif not is_pair(*legs):
            verdicts = ["bad_pair"] * 2
        elif any(met := [self._is_tombstoned(leg) for leg in legs]):
            ended, verdicts = "canceled", ["tombstoned" if is_met else "" for is_met in met]
        else:
            verdicts[0] = self._leg_refusal(legs[0])
            verdicts[1] = "" if verdicts[0] else self._leg_refusal(legs[1])
        if any(verdicts):
            for leg, code in zip(legs, verdicts):
                self._turn_away(leg, ended, code or "other_leg")
            return
        for leg, other in (legs, legs[::-1]):
            leg.other = other.id
            (self._wait if leg.extras.trigger else self._rest)(leg)

    def _leg_refusal(self, leg):
        code = self._refusal(leg, room=2)
        if code or leg.extras.trigger:
            return code
        return "would_take" if self._crosses(leg) else ""

    def _far(self, order):
        """Return the side that an order takes from, and the last level's key it accepts."""
        far = self.asks if order.side == "B" else self.bids
        return far, far.sign * order.price if order.kind == "L" else ANY_PRICE

    def _crosses(self, order):
        far, key = self._far(order)
        return far.reaches(key) and self.state != "auction"

    def _rest(self, order):
        self._know(order)
        self.near(order).add(order)
        row = [self.seq, order.id, order.account, order.side, order.price, order.open]
        self.events.append(["order_added.v1", *row])
        self.tellers.rested(self, order)

    def _wait(self, order):  # Rule 39.
        self.numbers += 1
        order.number, order.best = self.numbers, self.prices[order.extras.by]
        self._know(order)
        self.waiting[order.number] = order
        self.events.append(["stop_placed.v1", self.seq, order.id, order.account])
        self.tellers.note(self, order.id, "waits beside the book for its price")

    def near(self, order):
        return self.bids if order.side == "B" else self.asks

    def _know(self, order):
        self.orders[order.id] = order
        self.accounts.setdefault(order.account, OrderedDict())[order.client] = order
        if order.expires:
            heapq.heappush(self.expiries, (order.expires, order.id))

    def _turn_away(self, order, ended, code):
        self.events.append(["order_turned_away.v1", self.seq, order.id, order.account, ended, code])
        self.tellers.note(self, order.id, f"never rested (or its rest): {ended}, {code}")

    # -- may it come in? (rules 15 to 20)

    def _refusal(self, order, *, room):
        extras = order.extras
        waits = bool(extras and extras.trigger)
        if self.at > order.deadline or 0 < order.expires <= self.at:
            return "too_late"
        if self.state != "trading" and not self._is_for_state(order, waits):
            return "market_not_open"
        code = self._wrong_terms(order) or self._no_place(order, waits, room)
        return code or (self._no_wait(order) if waits else "")

    def _is_for_state(self, order, waits):  # Rules 55 and 58.
        if waits:
            return False
        if self.state == "post_only":
            return order.post_only
        is_patient = order.kind == "L" and order.tif == "GTC"
        return self.state == "auction" and is_patient and not order.post_only

    def _wrong_terms(self, order):
        if (order.id - order.account) % PARTITIONS:
            return "wrong_partition"
        if not 0 < len(order.client) <= 36:
            return "bad_client_id"
        wrong = wrong_extras(order) if order.extras else ""
        if wrong:
            return wrong
        return self._wrong_market(order) if order.kind == "M" else self._wrong_limit(order)

    def _wrong_limit(self, order):
        spec = self.spec
        if order.post_only and order.tif != "GTC":
            return "bad_terms"
        if order.price <= 0:
            return "bad_price"
        if order.budget != 0:
            return "bad_budget"
        if not spec["min_lots"] <= order.lots <= spec["max_lots"]:
            return "lots_out_of_range"
        notional = order.price * order.lots * spec["quote_per_tick_lot"]
        return "notional_too_small" if notional < spec["min_notional"] else ""

    def _wrong_market(self, order):
        spec, budget, buys = self.spec, amount_of(order.budget), order.side == "B"
        if order.post_only:
            return "bad_terms"
        if order.price != 0:
            return "bad_price"
        if (budget <= 0) if buys else (order.budget != 0):
            return "bad_budget"
        is_by_budget = buys and order.lots == 0
        if not (is_by_budget or spec["min_lots"] <= order.lots <= spec["max_lots"]):
            return "lots_out_of_range"
        return "notional_too_small" if buys and budget < spec["min_notional"] else ""

    def _no_place(self, order, waits, room):
        mine = self.accounts.get(order.account, ())
        if order.id in self.orders or order.client in mine:
            return "order_exists"
        if not waits and order.kind == "M":
            return ""  # It has no price, and never rests.
        if not (waits or self.state == "auction" or self._is_in_band(order)):
            return "price_out_of_band"
        if not waits and order.tif != "GTC":
            return ""  # It never rests.
        most = min(self.spec["orders_per_account_max"], LIMITS["orders_per_account"])
        if len(mine) + room > most or (waits and self._waits_too_often(order)):
            return "too_many_orders"
        resting = len(self.orders) - len(self.waiting)
        is_full = self.state == "auction" and resting >= LIMITS["auction_orders"]
        return "book_full" if is_full or self._has_no_room(room) else ""

    def _has_no_room(self, room):
        return len(self.orders) + room > LIMITS["orders_per_book"]

    def _waits_too_often(self, order):
        mine = self.accounts.get(order.account, {})
        waiting = sum(1 for one in mine.values() if one.number)
        return waiting >= LIMITS["waiting_per_account"]

    def _is_in_band(self, order):  # Rule 18.
        return self.low <= order.price <= self.high

    def _no_wait(self, order):  # Rules 39, 41 and 42.
        extras = order.extras
        if len(self.waiting) >= LIMITS["waiting_per_book"]:
            return "book_full"
        trailing = sum(1 for one in self.waiting.values() if one.extras.trail)
        if extras.trail and trailing >= LIMITS["trailing_per_book"]:
            return "book_full"
        price = self.prices[extras.by]
        if not price:
            return "no_mark" if extras.by == "mark" else ""
        is_reached = not extras.trail and reaches(order, extras.trigger_ticks, price)
        return "would_trigger" if is_reached else ""

    # -- trades

    def _trade(self, taker):
        """Trade by price, then time. Returns the prices, and why it stopped ("" if filled)."""
        far, key = self._far(taker)
        unit, mode = self.spec["quote_per_tick_lot"], taker.extras.mode if taker.extras else "T"
        left = amount_of(taker.budget) if taker.kind == "M" and taker.side == "B" else None
        prices, steps = [], 0
        while taker.open > 0:
            if not far.reaches(key):
                return prices, "no_liquidity"
            maker = far.best()
            is_own = are_one(taker, maker)
            if is_own and mode == "T":  # Rule 13.
                return prices, "self_trade"
            if steps == LIMITS["fills_per_taker"]:  # Rule 14.
                return prices, "fill_limit"
            steps += 1
            if is_own and mode in ("M", "B"):  # Rules 35 and 36.
                self._end(maker, "expired", "self_trade")
                if mode == "B":
                    return prices, "self_trade"
                continue
            lots = min(maker.open, taker.open)
            if left is not None:  # Rule 12.
                lots = min(lots, left // (maker.price * unit))
                if lots == 0:
                    return prices, "budget_spent"
                left -= lots * maker.price * unit
                if taker.lots == 0 and left < maker.price * unit:
                    taker.open = lots
            prices.append(maker.price)
            self._fill(maker, taker, maker.price, lots)
        return prices, ""

    def _fill(self, older, younger, price, lots):
        """Book one trade on both orders, at the older one's price but in an auction."""
        self.trades += 1
        for order in (older, younger):
            order.open -= lots
            order.filled += lots
            order.quote += lots * price * self.spec["quote_per_tick_lot"]
        row = [self.seq, self.trades, price, lots, younger.side, older.id, younger.id]
        self.events.append(["trade.v1", *row, older.account, younger.account])
        self.tellers.traded(self, older, younger, price, lots)
        if older.open == 0:
            self._remove(older)
        if older.other:
            self._part(older)

    def _can_fill_whole(self, taker):
        """Look, without taking, whether all of it would be filled (rules 8, 12, 14 and 37)."""
        far, key = self._far(taker)
        unit, mode = self.spec["quote_per_tick_lot"], taker.extras.mode if taker.extras else "T"
        left = amount_of(taker.budget) if taker.kind == "M" and taker.side == "B" else None
        wanted, steps = taker.open, 0
        for maker in far.orders():
            if far.sign * maker.price > key or steps == LIMITS["fills_per_taker"]:
                return False
            is_own = are_one(taker, maker)
            if is_own and mode in ("T", "B"):
                return False
            steps += 1
            if is_own and mode == "M":
                continue
            lots = min(wanted, maker.open)
            if left is not None:
                lots = min(lots, left // (maker.price * unit))
                if lots == 0:
                    return False
                left -= lots * maker.price * unit
                if taker.lots == 0 and left < maker.price * unit:
                    return True
            wanted -= lots
            if wanted == 0:
                return True
        return False

    def _note_trades(self, prices):
        """Count one command's trades: for reference, triggers, breaker and the next cut."""
        reference = self.published
        self._count(prices)
        if self.rules < EXTRAS_SINCE:
            return
        first, last = prices[0], prices[-1]
        self._see("last", (first,) if first == last else (first, last))  # Rule 44.
        ppm = self.breaker[0]
        far = max(abs(first - reference), abs(last - reference))
        if self.state == "trading" and ppm > 0 and far * MILLION >= reference * ppm:  # Rule 56.
            self.fresh_trip = True

    def _count(self, prices):
        second = self.at // SECOND
        if not self.seconds or self.seconds[-1][0] != second:
            self.seconds.append([second, 0, 0])
        self.seconds[-1][1] += sum(prices)
        self.seconds[-1][2] += len(prices)
        self.fallback = prices[-1]
        if self.uncut < 0:
            self.uncut = self.at

    # -- the reference (rules 31 to 33)

    def _age(self):
        oldest = self.at // SECOND - LIMITS["reference_window_s"] + 1
        while self.seconds and self.seconds[0][0] < oldest:
            self.seconds.popleft()

    def _reference(self):
        count = sum(trades for _, _, trades in self.seconds)
        return sum(total for _, total, _ in self.seconds) // count if count else self.fallback

    def _publish(self):
        self.published, self.published_at = self._reference(), self.at
        band = self.spec["band_ppm"]
        self.low = -(-self.published * (MILLION - band) // MILLION)
        self.high = self.published * (MILLION + band) // MILLION

    # -- orders that wait for a price (rules 39 to 48)

    def _see(self, source, prices):
        """Note prices, and which orders they set off."""
        if self.state != "trading":
            self.prices[source] = prices[-1]
            return
        fired = []
        for price in prices:
            self.prices[source] = price
            for order in self.waiting.values():
                is_watched = order.extras.by == source and not order.is_set_off
                if is_watched and self._is_set_off(order, price):
                    order.is_set_off, order.best = True, price
                    fired.append(order)
        self.actions += sorted(fired, key=lambda order: order.number)  # Rule 45.

    @staticmethod
    def _is_set_off(order, price):
        trail = order.extras.trail
        if not trail:
            return reaches(order, order.extras.trigger_ticks, price)
        if order.rises():  # Rule 43.
            order.best = min(order.best or price, price)
            return price >= -(-order.best * (MILLION + trail) // MILLION)
        order.best = max(order.best, price)
        return price <= order.best * (MILLION - trail) // MILLION

    def _settle(self):
        if self.fresh_trip:
            self._trip()
        if self.actions and self.state == "trading":
            self._act()

    def _act(self):
        """Let orders act that were set off, in turn (rule 46)."""
        done = 0
        while done < len(self.actions) and self.actions_left > 0 and self.state == "trading":
            order = self.actions[done]
            done += 1
            if self.orders.get(order.id) is not order:
                continue
            self.actions_left -= 1
            self._act_once(order)
            if self.fresh_trip:
                self._trip()
        del self.actions[:done]

    def _act_once(self, order):
        if order.other:
            self._part(order)
        self._remove(order)
        self.tellers.note(self, order.id, f"was set off at {self.price(order.best)}")
        order.best = order.number = 0
        order.is_set_off = False
        self.events.append(["stop_ended.v1", self.seq, order.id, order.account, None])
        if order.kind == "L" and not self._is_in_band(order):
            self._turn_away(order, "expired", "price_out_of_band")
        elif order.tif == "FOK" and not self._can_fill_whole(order):
            self._turn_away(order, "expired", "not_fillable")
        else:
            self._run(order)

    # -- ends

    def _end(self, order, ended, code):
        """End what rests or waits, and the other order of its pair."""
        waited = bool(order.number)
        self._remove(order)
        row = [self.seq, order.id, order.account]
        if waited:
            self.events.append(["stop_ended.v1", *row, ended])
        else:
            row += [order.side, order.price, order.open, ended]
            self.events.append(["order_removed.v1", *row])
        self.tellers.ended(self, order, ended, code)
        if order.other:
            self._part(order)

    def _part(self, order):  # Rule 50.
        other = self.orders.get(order.other)
        order.other = 0
        if other is not None:
            other.other = 0
            self._end(other, "canceled", "other_leg")

    def _remove(self, order):
        if order.number:
            del self.waiting[order.number]
        else:
            self.near(order).remove(order)
        del self.orders[order.id]
        mine = self.accounts[order.account]
        del mine[order.client]
        if not mine:
            del self.accounts[order.account]

    def _expire_by_time(self):  # Rule 38.
        left = LIMITS["expiries"]
        while self.expiries and self.expiries[0][0] <= self.at and left:
            expires, order_id = heapq.heappop(self.expiries)
            order = self.orders.get(order_id)
            if order is not None and order.expires == expires:
                left -= 1
                self._end(order, "expired", "good_till_passed")

    # -- cancels (rules 24 to 29, 53)

    def _cancel_or_switch(self, message):
        tag, *fields = message
        if tag == "cancel_orders.v1":
            _, account, order_id, client, up_to, deadline = fields
            if self.at <= deadline:
                self._cancel(account, order_id, client, tuple(up_to))
        elif tag == "cancel_after.v1":
            _, account, delay, deadline = fields
            self._set_switch(account, delay, deadline)
        else:
            raise CouldNotCheck(f"cancels {tag!r} are not known here")

    def _cancel(self, account, order_id, client, up_to):
        if order_id or client:
            order = self._named(account, order_id, client)
            if order is not None:
                self._end(order, "canceled", "")
            else:
                self._set_tombstone(account, order_id, client, up_to)
            return
        resting = [order.id for order in self.accounts.get(account, {}).values()]
        self._set_tombstone(account, 0, "", up_to)
        named = sum(len(left) for left, _ in self.work)
        has_room = named + len(resting) <= LIMITS["mass_cancel_orders"]
        if resting and has_room and len(self.work) < LIMITS["mass_cancels"]:
            self.work.append((deque(resting), ""))
            self._go_on()

    def _named(self, account, order_id, client):
        if not order_id:
            return self.accounts.get(account, {}).get(client)
        order = self.orders.get(order_id)
        if order is None or order.account != account or client not in ("", order.client):
            return None
        return order

    def _set_tombstone(self, account, order_id, client, up_to):
        peer = self.peers.get(f"risk:{account % PARTITIONS}")
        if len(client) > 36 or peer is None or peer[1] >= up_to:
            return
        mine = self.tombstones.get(account, [])
        count = sum(len(stones) for stones in self.tombstones.values())
        if count < LIMITS["tombstones"] and len(mine) < LIMITS["tombstones_per_account"]:
            self.last_tombstone += 1
            expires = self.at + 5 * SECOND
            stone = (self.last_tombstone, account, order_id, client, up_to, expires)
            self.tombstones.setdefault(account, []).append(stone)

    def _is_tombstoned(self, order):
        return any(
            order.command <= up_to and order_id in (0, order.id) and client in ("", order.client)
            for _, _, order_id, client, up_to, _ in self.tombstones.get(order.account, ())
        )

    def _drop_tombstones(self, partition, passed):
        for account in [one for one in self.tombstones if one % PARTITIONS == partition]:
            left = [stone for stone in self.tombstones[account] if stone[4] > passed]
            if left:
                self.tombstones[account] = left
            else:
                del self.tombstones[account]

    def _set_switch(self, account, delay, deadline):
        if self.at > deadline or delay > 24 * 3_600 * SECOND:
            return
        if not delay:
            self.switches.pop(account, None)
        elif account in self.switches or len(self.switches) < LIMITS["switches"]:
            self.switches.pop(account, None)
            self.switches[account] = self.at + delay

    def _due_switches(self):
        due = [(at, account) for account, at in self.switches.items() if at <= self.at]
        due.sort(key=lambda row: row[0])  # Of one moment, the one that was set first.
        for _, account in due:
            del self.switches[account]
        return [account for _, account in due]

    def _end_all(self, account, code):
        left = [order.id for order in self.accounts.get(account, {}).values()]
        if left:
            self.work.append((deque(left), code))

    def _go_on(self):  # Rule 28.
        while self.work and self.steps > 0:
            left, code = self.work[0]
            while left and self.steps > 0:
                self.steps -= 1
                order = self.orders.get(left.popleft())
                if order is not None:
                    self._end(order, "canceled", code)
            if not left:
                self.work.popleft()

    # -- amends (rules 51 and 52)

    def _amend(self, fields, peer):
        order_id, version, account, lots, expected, deadline = fields
        order = self.orders.get(order_id)
        is_theirs = account % PARTITIONS == partition_of(peer)
        if order is None or not is_theirs or order.account != account or self.at > deadline:
            return
        is_next = version == order.version + 1 and expected == order.filled
        is_smaller = order.filled < lots < order.lots and lots >= self.spec["min_lots"]
        notional = order.price * lots * self.spec["quote_per_tick_lot"]
        if order.kind == "L" and notional < self.spec["min_notional"]:
            return
        if is_next and is_smaller:
            gone = order.lots - lots
            order.open -= gone
            order.version, order.lots = version, lots
            if not order.number:
                row = [self.seq, order.id, order.account, order.side, order.price, gone]
                self.events.append(["order_reduced.v1", *row])
            self.tellers.note(self, order.id, f"became smaller, {self.size(lots)}, in its place")

    # -- phases (rules 30, 55 to 60)

    def _be_told_state(self, told, reason):
        if told not in STATES:
            raise CouldNotCheck(f"the market state {told!r} is not known here")
        if self.state == "delisted":
            self._refuse_command("delisted")
            return
        self.breaker_due, self.is_post_only_next = NEVER, False
        crossed = self.bids.keys and self.asks.keys and -self.bids.keys[0] >= self.asks.keys[0]
        if told in ("trading", "post_only") and (self.state == "auction" or crossed):
            self._hold_auction(crossed)
        self._set_state(told, reason)
        if told == "delisted":
            if self.orders:
                self.work.append((deque(self.orders), "delisted"))
            self._go_on()

    def _set_state(self, state, reason):
        self.state = state
        self.events.append(["state_changed.v1", self.seq, state, reason])
        self._publish()

    def _trip(self):
        self.fresh_trip = False
        self.breaker_due = self.at + self.breaker[1] * SECOND
        self.is_post_only_next = True
        self._set_state("cancel_only", "circuit breaker")

    def _next_phase(self):
        if self.is_post_only_next:
            self.breaker_due = self.at + self.breaker[2] * SECOND
            self.is_post_only_next = False
            self._set_state("post_only", "circuit breaker: post-only")
        else:
            self.breaker_due = NEVER
            self._set_state("trading", "circuit breaker: over")

    def _hold_auction(self, crossed):
        price, lots = self._auction_price() if crossed else (0, 0)
        arrival = {order_id: place for place, order_id in enumerate(self.orders)}
        left, prices = lots, []
        while left:
            bid, ask = self.bids.best(), self.asks.best()
            traded = min(bid.open, ask.open, left)
            pair = sorted((bid, ask), key=lambda order: arrival[order.id])
            left -= traded
            prices.append(price)
            self._cross(*pair, price, traded)
        if prices:
            self._count(prices)
            self.prices["last"] = price
        self.events.append(["auction_done.v1", self.seq, price, lots])

    def _cross(self, older, younger, price, lots):
        self._fill(older, younger, price, lots)
        if younger.open == 0:
            self._remove(younger)
        if younger.other:
            self._part(younger)

    def _auction_price(self):
        """Return price and lots of rule 59."""
        bought, sold = {}, {}
        for side, lots in ((self.bids, bought), (self.asks, sold)):
            for order in side.orders():
                lots[order.price] = lots.get(order.price, 0) + order.open
        buyers, sellers, choices = sum(bought.values()), 0, []
        for price in sorted(bought.keys() | sold.keys()):
            sellers += sold.get(price, 0)
            most, surplus = min(buyers, sellers), abs(buyers - sellers)
            choices.append((-most, surplus, abs(price - self.published), price))
            buyers -= bought.get(price, 0)
        most, _, _, price = min(choices)
        return price, -most

    # -- the state, as the record writes it

    def _load(self, state):
        self.spec, self.seq, self.at = state["spec"], state["seq"], state["at_ns"]
        self.rules = self.rules_next = state["rules"]
        if self.rules not in RULES_KNOWN or self.spec["kind"] != "spot":
            raise CouldNotCheck(f"rules version {self.rules} is not known here")
        unknown = set(state) - STATE_PARTS
        if unknown or state["state"] not in STATES:
            raise CouldNotCheck(f"a state with {sorted(unknown)} is not known here")
        self.state, self.trades, self.cuts = state["state"], state["trades"], state["cuts"]
        self.uncut = state["first_uncut_ns"]
        seconds, self.fallback, self.published, *rest = state["reference"]
        self.published_at, self.low, self.high = rest
        self.seconds = deque(list(second) for second in seconds)
        self.peers = {name: [greeted, tuple(at)] for name, greeted, at, _ in state["peers"]}
        self.prices = dict(zip(("last", "mark"), state.get("prices", (0, 0))))
        self.numbers, self.mark_number = state.get("waiting_ever", 0), state.get("mark_number", 0)
        *self.breaker, self.breaker_due, self.is_post_only_next = state.get(
            "breaker", [0, 120, 10, NEVER, False]
        )
        self._load_orders(state)
        self.actions = [self.orders[order_id] for order_id in state.get("actions", ())]
        self.work = deque(
            (deque(left), rest[0] if rest else "") for _, _, left, _, *rest in state["mass_cancels"]
        )
        self.switches = dict(state.get("switches", ()))
        self.last_tombstone, self.tombstones = state["last_tombstone"], {}
        for number, _, account, order_id, client, up_to, _, expires, *_ in state["tombstones"]:
            stone = (number, account, order_id, client, tuple(up_to), expires)
            self.tombstones.setdefault(account, []).append(stone)

    def _load_orders(self, state):
        self.bids, self.asks = Side(-1), Side(1)
        self.orders, self.accounts, self.waiting, self.expiries = {}, {}, {}, []
        for terms, open_lots, filled, quote, *rest in state["orders"]:
            extras, *others = rest or [None]
            order = Order(terms, extras)
            order.open, order.filled, order.quote = open_lots, filled, amount_of(quote)
            if others:
                order.other, order.number, order.best, order.is_set_off = others
            self._know(order)
            if order.number:
                self.waiting[order.number] = order
            else:
                self.near(order).add(order)
        self.waiting = dict(sorted(self.waiting.items()))

    def dump(self):
        """Return the state as the next day begins with it."""
        stones = sorted(stone for mine in self.tombstones.values() for stone in mine)
        is_quiet = not self.breaker[0] and self.breaker_due == NEVER
        breaker = None if is_quiet else [*self.breaker, self.breaker_due, self.is_post_only_next]
        actions = [o.id for o in self.actions if self.orders.get(o.id) is o]
        reference = [[list(second) for second in self.seconds], self.fallback, self.published]
        extras = {
            "prices": list(self.prices.values()) if any(self.prices.values()) else None,
            "waiting_ever": self.numbers,
            "actions": actions,
            "breaker": breaker,
            "switches": [list(row) for row in self.switches.items()],
            "mark_number": self.mark_number,
        }
        return {
            "spec": self.spec,
            "seq": self.seq,
            "at_ns": self.at,
            "rules": self.rules,
            "state": self.state,
            "trades": self.trades,
            "cuts": self.cuts,
            "first_uncut_ns": self.uncut,
            "reference": [*reference, self.published_at, self.low, self.high],
            "peers": [[name, *peer, [0, 0]] for name, peer in self.peers.items()],
            "orders": [order_row(order) for order in self.orders.values()],
            "tombstones": [[n, 0, a, o, c, u, "", e, [], False] for n, a, o, c, u, e in stones],
            "last_tombstone": self.last_tombstone,
            "mass_cancels": [
                ["", 0, list(left), [], *([code, False] if code else [])]
                for left, code in self.work
            ],
            **{name: part for name, part in extras.items() if part},
        }

    # -- for people

    def price(self, ticks):
        return units(ticks * self.spec["tick_units"], self.spec["price_decimals"])

    def size(self, lots):
        return units(lots * self.spec["lot_units"], self.spec["size_decimals"])


STATE_PARTS = {
    *("spec", "seq", "at_ns", "rules", "state", "trades", "cuts", "first_uncut_ns", "reference"),
    *("peers", "orders", "tombstones", "last_tombstone", "mass_cancels", "prices", "actions"),
    *("waiting_ever", "breaker", "switches", "mark_number"),
}


def order_row(order):
    """Return an order as the record writes it."""
    row = [order.terms(), order.open, order.filled, wide(order.quote)]
    if order.extras is None:
        return row
    return [*row, order.extras.row(), order.other, order.number, order.best, order.is_set_off]


def reaches(order, trigger, price):
    """Say whether a price sets off a fixed trigger (rule 40)."""
    return price >= trigger if order.rises() else price <= trigger


def are_one(one, other):
    """Say whether two orders have one owner (rule 13)."""
    return one.account == other.account or (one.group != 0 and one.group == other.group)


def is_pair(first, second):
    """Say whether two orders are one that cancels the other (rule 49)."""
    waits, rests = (first, second) if first.extras.trigger else (second, first)
    return (
        (first.account, first.side, first.lots) == (second.account, second.side, second.lots)
        and first.id != second.id
        and first.client != second.client
        and bool(waits.extras.trigger)
        and not rests.extras.trigger
        and (rests.kind, rests.tif) == ("L", "GTC")
    )


def wrong_extras(order):
    """Return what is wrong with an order's extras (rules 38, 43 and 48)."""
    extras, trail = order.extras, order.extras.trail
    is_patient = order.kind == "L" and order.tif == "GTC"
    means_nothing = (
        extras.reduce_only
        or (extras.expires > 0 and not is_patient)
        or (not extras.trigger and (extras.trigger_ticks > 0 or trail > 0))
        or (extras.trigger and order.post_only)
        or (trail > 0 and (extras.trigger == "profit" or extras.trigger_ticks > 0))
        or (trail > 0 and not 1_000 <= trail <= 500_000)
    )
    if means_nothing:
        return "bad_terms"
    return "bad_price" if extras.trigger and not trail and extras.trigger_ticks <= 0 else ""


def units(amount, decimals):
    """Write a whole number of units of 10^-decimals."""
    digits = str(amount).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


# ── What became of an order ─────────────────────────────────────────────────────────────────────


class Story:
    """One order, as the replay saw it."""

    def __init__(self, order_id):
        self.order_id = order_id
        self.order = None  # Once it is known.
        self.price = self.side = self.kind = None
        self.lots = 0  # As it came.
        self.lines = []
        self.before = []  # Trades of its side while it rested.
        self.fills = {}  # Trade → (price, lots).
        self.totals = [(0, 0, 0)]  # (batch, filled lots, quote) after each of its fills.
        self.is_over = False

    def totals_in(self, batch):
        """Return all (filled, quote) that were true at some time in this batch."""
        known = [(filled, quote) for at, filled, quote in self.totals if at == batch]
        earlier = [(filled, quote) for at, filled, quote in self.totals if at < batch]
        return {*known, *earlier[-1:]}


class Tellers:
    """Listens to a replay for the orders that somebody asks about."""

    def __init__(self, order_ids=()):
        self.stories = {order_id: Story(order_id) for order_id in order_ids}
        self.resting = {}
        self.batch = 0

    def starts(self, book):
        """Look which of the orders stand in the book that a record begins with."""
        for order_id, story in self.stories.items():
            order = book.orders.get(order_id)
            if order is not None and story.order is None:
                self._meet(story, order)
                story.totals = [(0, order.filled, order.quote)]
                story.lines.append("stood in the book when this record begins")
                if not order.number:
                    self._queue(book, order, story)

    def came(self, book, order):
        story = self.stories.get(order.id)
        if story is not None and story.order is None:
            self._meet(story, order)
            what = describe(book, order)
            story.lines.append(f"came {when(book.at)} as command {book.seq}, {what}")

    def _meet(self, story, order):
        story.order, story.side, story.price = order, order.side, order.price
        story.kind, story.lots = order.kind, order.lots

    def rested(self, book, order):
        story = self.stories.get(order.id)
        if story is not None:
            story.lines.append(f"came to rest {when(book.at)} with {book.size(order.open)}")
            self._queue(book, order, story)

    def _queue(self, book, order, story):
        """Tell an order's place: who stands at better prices, and who came before at its own."""
        self.resting[order.id] = story
        near = book.near(order)
        own = near.sign * order.price
        better = [o for key in near.keys if key < own for o in near.levels[key].values()]
        older = []
        for one in near.levels[own].values():
            if one is order:
                break
            older.append(one)
        story.lines.append(
            f"its place: {counted(book, better)} at better prices, and {counted(book, older)}"
            " at its own price, stood before it"
        )

    def traded(self, book, maker, taker, price, lots):
        what = f"trade {book.trades}: {book.size(lots)} at {book.price(price)}"
        for order, other, how in ((maker, taker, "resting"), (taker, maker, "arriving")):
            story = self.stories.get(order.id)
            if story is not None:
                story.lines.append(f"{what} with order {other.id}, {when(book.at)} ({how})")
                story.fills[book.trades] = (price, lots)
                story.totals.append((self.batch, order.filled, order.quote))
                if order.open == 0:
                    self._over(story, "filled")
        for order_id, story in self.resting.items():
            if maker.side == story.side and order_id != maker.id:
                why = "a better price" if maker.price != story.price else "the same price, earlier"
                story.before.append(f"{what} went to order {maker.id}: {why}")

    def ended(self, book, order, ended, code):
        story = self.stories.get(order.id)
        if story is not None:
            why = f", {code}" if code else ""
            story.lines.append(f"ended {when(book.at)}: {ended}{why}")
            self._over(story)

    def note(self, book, order_id, text):
        story = self.stories.get(order_id)
        if story is not None:
            story.lines.append(f"{text} ({when(book.at)})")

    def _over(self, story, how=""):
        self.resting.pop(story.order_id, None)
        story.is_over = True
        if how:
            story.lines.append(how)


def describe(book, order):
    """Say an order's terms in a line."""
    side = "buy" if order.side == "B" else "sell"
    lots = book.size(order.lots) if order.lots else "as much as its budget pays"
    price = f"at {book.price(order.price)}" if order.kind == "L" else "at the market"
    words = [f"to {side} {lots} {price}, {order.tif}"]
    if order.post_only:
        words.append("post-only")
    if order.extras and order.extras.trigger:
        words.append(f"{order.extras.trigger} order")
    return ", ".join(words)


def counted(book, orders):
    """Say how many orders, and how much, these are."""
    if not orders:
        return "nobody"
    lots = book.size(sum(order.open for order in orders))
    return f"{len(orders)} order{'s' if len(orders) > 1 else ''} ({lots})"


def when(at_ns):
    """Write a header time."""
    moment = datetime.datetime.fromtimestamp(at_ns // SECOND, datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ns % SECOND // 1_000:06d}Z"


# ── The record ──────────────────────────────────────────────────────────────────────────────────


def canonical(value):
    """Return the one way to write a value."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return text.encode("ascii")


def sha(raw):
    return hashlib.sha256(raw).hexdigest()


class Segment:
    """A file of lines of one market."""

    def __init__(self, path):
        self.path = path
        first = next(self.lines(), None)
        if first is None:
            raise CouldNotCheck(f"{path}: it is empty")
        fields = read_line(first, path, 1)
        self.market = fields["market"]
        self.first = fields["batch"] + (1 if fields["kind"] == "state" else 0)

    def lines(self):
        """Yield the lines without their line breaks."""
        opened = gzip.open if self.path.suffix == ".gz" else open
        try:
            with opened(self.path, "rb") as file:
                for line in file:
                    yield line.rstrip(b"\n")
        except (OSError, EOFError) as error:
            raise CouldNotCheck(f"{self.path}: it cannot be read ({error})") from None


def read_line(raw, path, number):
    """Read a line; what is not written in the one way could be read in two."""
    try:
        fields = json.loads(raw)
    except ValueError:
        raise Wrong(f"{path}, line {number}: it is no JSON") from None
    if not isinstance(fields, dict) or canonical(fields) != raw:
        raise Wrong(f"{path}, line {number}: it is not written as the exchange writes its lines")
    if fields.get("kind") not in ("state", "batch"):
        raise CouldNotCheck(f"{path}, line {number}: a line of an unknown kind")
    if fields["kind"] == "state" and fields.get("format") != FORMAT:
        raise CouldNotCheck(f"{path}: format {fields.get('format')!r} is not known here")
    return fields


class Findings:
    """What was found wrong, what could not be checked, and what was."""

    def __init__(self):
        self.wrong, self.open, self.lines = [], [], []
        self.compared = 0  # Saved heads and receipts that were found in the record.

    def say(self, line):
        self.lines.append(line)

    def show(self):
        for line in self.lines:
            put(line)
        for line in self.wrong:
            put(f"WRONG: {line}")
        for line in self.open:
            put(f"NOT CHECKED: {line}")
        if self.wrong:
            put("Result: the record does NOT hold.")
            return 1
        put("Result: could not check everything." if self.open else "Result: all of it holds.")
        return 2 if self.open else 0


def put(line):
    sys.stdout.write(line + "\n")


class Market:
    """The check of one market's record, from its first line to its last."""

    def __init__(self, market, heads, receipts, tellers, findings):
        self.market, self.findings, self.tellers = market, findings, tellers
        self.heads = heads  # Batch → saved heads.
        self.receipts = receipts
        self.book = None
        self.hash = None  # Of the line before.
        self.batch = None
        self.at = self.commands = self.batches = self.trades = self.refused = 0
        self.is_replayed = True  # Until something does not follow.
        self.agreed = None  # The last batch whose saved head agrees.
        self.first_batch = None
        self.first_seq = self.last_seq = 0
        self.seen = {}  # Receipt hash → batch.

    # -- lines

    def check(self, segments):
        for segment in sorted(segments, key=lambda one: one.first):
            self._check_gap(segment)
            for number, raw in enumerate(segment.lines(), 1):
                self._line(raw, segment.path, number)
        self._summary()

    def _check_gap(self, segment):
        if self.batch is not None and segment.first > self.batch + 1:
            raise CouldNotCheck(
                f"{self.market}: batches {self.batch + 1} to {segment.first - 1} are in no file"
                f" given: fetch the segments before {segment.path.name}"
            )

    def _line(self, raw, path, number):
        fields = read_line(raw, path, number)
        try:
            self._follows(fields, f"{path.name}, line {number}")
            self.hash = sha(raw)
            (self._begin_day if fields["kind"] == "state" else self._batch)(fields)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            what = f"{path.name}, line {number}: it says what is not known here ({error!r})"
            raise CouldNotCheck(what) from None

    def _follows(self, fields, where):
        """Check that a line follows the one before it, by hash and by number."""
        if fields["market"] != self.market:
            self.wrong(f"{where} is of {fields['market']}")
        if self.hash is None:
            return
        expected = self.batch + (1 if fields["kind"] == "batch" else 0)
        found = fields["batch"]
        if found > expected:
            self.wrong(f"{where}: batches {expected} to {found - 1} were dropped from the record")
        elif found < expected:
            self.wrong(f"{where}: batch {found} stands behind batch {self.batch}: reordered")
        elif fields["prev"] != self.hash:
            self.wrong(
                f"{where}: batch {found} was chained to another line than the one before it:"
                f" what stands for batch {self.batch} was altered after it was written"
            )

    def _begin_day(self, fields):
        state = fields["state"]
        if sha(canonical(state)) != fields["stateHash"]:
            self.wrong(f"the state of {fields['day']} is not the one it was hashed as")
        if state["spec"]["symbol"] != self.market:
            self.wrong(f"the state of {fields['day']} is of {state['spec']['symbol']}")
        if self.book is None:
            if fields["batch"] == 0 and (state["orders"] or state["trades"] or state["seq"]):
                self.wrong("a market that has not begun has orders or trades already")
        elif self.is_replayed and shape(self.book.dump()) != shape(state):
            part = first_difference(shape(self.book.dump()), shape(state))
            self.wrong(
                f"the day {fields['day']} begins with another book than the day before it left"
                f" ({part}): what happened in between is not in the record"
            )
        self.book = Book(state, self.tellers)
        self.is_replayed = True
        self.batch = fields["batch"]
        if self.first_batch is None:
            self.first_batch, self.first_seq = self.batch, state["seq"] + 1
        self.tellers.starts(self.book)

    # -- one batch

    def _batch(self, fields):
        if self.book is None:
            raise CouldNotCheck(
                f"{self.market}: the first file does not begin with a day's state: fetch the"
                " segments from the start of that UTC day on"
            )
        before = self.batch
        self.batch, self.batches = fields["batch"], self.batches + 1
        self.tellers.batch = self.batch
        self._header(fields, before)
        if self.is_replayed:
            self._replay(fields)
        self.at, self.last_seq = fields["at_ns"], fields["last_seq"]
        self.refused += len(fields["refused"])
        self._compare_heads(fields)
        self._compare_receipts(fields)

    def _header(self, fields, before):
        number = self.batch
        given = sum(len(run[-1]) for run in fields["inputs"])
        counted_there = fields["last_seq"] - fields["first_seq"] + 1
        self.commands += given
        if given != counted_there:
            what = "dropped from" if given < counted_there else "added to"
            self.wrong(
                f"batch {number} took commands {fields['first_seq']} to {fields['last_seq']}, and"
                f" {given} are published: a command was {what} it"
            )
        if before == number - 1 and self.is_replayed:
            if fields["first_seq"] != self.book.seq + 1:
                self.wrong(f"batch {number} does not count on from command {self.book.seq}")
            if fields["at_ns"] < self.book.at:
                self.wrong(f"the time of batch {number} goes back")
            if fields["rules"] != self.book.rules:
                self.wrong(f"batch {number} is by rules {fields['rules']}, not {self.book.rules}")

    def _replay(self, fields):
        book = self.book
        book.begin(fields["at_ns"])
        for run in fields["inputs"]:
            book.take(run)
        events = json.loads(canonical(book.events))
        book.end()
        self.trades += sum(1 for event in events if event[0] == "trade.v1")
        if events != fields["outputs"]:
            self.is_replayed = False
            self.wrong(
                f"batch {self.batch} ({when(fields['at_ns'])}): "
                + explain(book, events, fields["outputs"])
            )

    # -- what was saved

    def _compare_heads(self, fields):
        for head in self.heads.pop(self.batch, ()):
            self.findings.compared += 1
            inside = head.inside == fields["journalHash"]
            outside = head.outside in (None, self.hash)
            if inside and outside:
                self.agreed = self.batch
                continue
            since = "" if self.agreed is None else f" (that of batch {self.agreed} still agrees)"
            which = "inside hash" if outside else "head"
            self.wrong(
                f"the {which} of batch {self.batch} that you saved is not the one these segments"
                f" give: either history was rewritten after you saved it, at or before batch"
                f" {self.batch}{since}, or the exchange never gave you this head"
            )

    def _compare_receipts(self, fields):
        for receipt in self.receipts:
            if receipt.hash == fields["journalHash"]:
                self.findings.compared += 1
                self.seen[receipt.hash] = self.batch
                self._compare_terms(receipt, fields)

    def _compare_terms(self, receipt, fields):
        """Compare an answer with the order as the replay has it behind this batch."""
        name = f"the receipt of order {receipt.order_id}"
        if not fields["first_seq"] - 1 <= receipt.seq <= fields["last_seq"]:
            self.wrong(f"{name} names command {receipt.seq}, which batch {self.batch} did not take")
        story = self.tellers.stories.get(receipt.order_id)
        if story is None or not self.is_replayed:
            return
        if story.order is None:
            self.wrong(f"{name} is of batch {self.batch}, and no such order was taken by then")
            return
        for what, said, is_true in receipt.claims(self.book, story, self.batch):
            if not is_true:
                self.wrong(f"{name} says {what} {said}; the record does not")

    # -- the end

    def _summary(self):
        for receipt in self.receipts:
            if receipt.hash not in self.seen and self.book is not None:
                self._missing(receipt)
        later = sorted(self.heads)
        if later:
            self.findings.say(
                f"{self.market}: {len(later)} saved heads are of batches that no segment given"
                f" holds ({later[0]} to {later[-1]})"
            )
        first = (self.first_batch or 0) + 1
        self.findings.say(
            f"{self.market}: batches {first} to {self.batch}, {self.commands} commands and"
            f" {self.trades} trades, up to {when(self.at)}"
        )
        if self.refused:
            self.findings.say(
                f"{self.market}: {self.refused} frames were refused before the book"
                " (unreadable or repeated); that they deserved it is not checked here"
            )

    def _missing(self, receipt):
        name = f"the receipt of order {receipt.order_id}"
        if self.first_seq <= receipt.seq < self.last_seq:
            self.wrong(
                f"{name} names batch hash {receipt.hash[:16]}… for command {receipt.seq}, and no"
                " batch of the record has it: history was rewritten, or it is no receipt of ours"
            )
        else:
            self.findings.open.append(f"{name}: its batch is in no segment given")

    def wrong(self, what):
        self.findings.wrong.append(f"{self.market}: {what}")


def shape(state):
    """Return a state with pseudonyms by the order they are met in: two days can be compared."""
    met = {}

    def name(*key):
        return met.setdefault(key, len(met))

    def account(number):
        return [number % PARTITIONS, name("account", number)]

    def client(owner, text):
        return ["", len(text) > 36, name("client", owner, text) if text else None]

    state = json.loads(canonical(state))
    for terms, _, _, _, *rest in state["orders"]:
        terms[3], terms[4] = account(terms[3]), client(terms[3], terms[4])
        if rest:
            rest[0][1] = name("group", rest[0][1]) if rest[0][1] else None
    for row in state["tombstones"]:
        row[2], row[4] = account(row[2]), client(row[2], row[4])
    for row in state.get("switches", ()):
        row[0] = account(row[0])
    return state


def first_difference(mine, theirs):
    """Name the first part of two states that differs."""
    for part in sorted(mine.keys() | theirs.keys()):
        if mine.get(part) != theirs.get(part):
            return f"its {part} differ"
    return "nothing differs"


def explain(book, mine, theirs):
    """Say what of a batch's outputs does not follow."""
    place = 0
    while place < min(len(mine), len(theirs)) and mine[place] == theirs[place]:
        place += 1
    ours = mine[place] if place < len(mine) else None
    published = theirs[place] if place < len(theirs) else None
    kinds = [event[0] if event else None for event in (published, ours)]
    said = f"published is {told(book, published)}; by the rules it is {told(book, ours)}"
    if kinds == ["trade.v1", "trade.v1"]:
        return f"a trade that does not follow: {said}"
    if kinds[0] == "trade.v1":
        return f"a trade that does not follow from the commands: {said}"
    if kinds[1] == "trade.v1":
        return (
            f"a trade is missing, or a command before it was dropped, altered or reordered: {said}"
        )
    return f"a command was dropped, altered or reordered, or what came of it was: {said}"


def told(book, event):
    """Say an event in a few words."""
    if event is None:
        return "nothing more"
    tag, *fields = event
    if tag != "trade.v1":
        return f"{tag.partition('.')[0]} {json.dumps(fields)}"
    _, number, price, lots, _, maker, taker, *_ = fields
    return (
        f"trade {number} of {book.size(lots)} at {book.price(price)}"
        f" between orders {maker} and {taker}"
    )


# ── What people saved ───────────────────────────────────────────────────────────────────────────


class Head:
    """A head as the API gave it once."""

    def __init__(self, row):
        is_inside = "engine" in row
        self.market = row["engine"].partition(":")[2] if is_inside else row["market"]
        self.batch = int(row["batch"])
        self.inside = row["hash"] if is_inside else row["inside"]
        self.outside = None if is_inside else row["outside"]


class Receipt:
    """The answer to an order, with the receipt in it."""

    def __init__(self, row):
        self.engine, self.seq, self.hash = row["engine"], int(row["engineSeq"]), row["journalHash"]
        self.order_id = int(row["orderId"])
        self.symbol = row.get("symbol", "")
        self.row = row

    @property
    def is_of_a_book(self):
        return self.engine.startswith("book:")

    def claims(self, book, story, batch):
        """Yield what the answer says, and whether the record says it, too."""
        row, spec = self.row, book.spec
        if "side" in row:
            yield "side", row["side"], row["side"] == ("BUY" if story.side == "B" else "SELL")
        if "price" in row:
            yield "price", row["price"], same(row["price"], book.price(story.price))
        if "origQty" in row and story.lots:
            sizes = (book.size(story.lots), book.size(story.order.lots))
            yield "origQty", row["origQty"], any(same(row["origQty"], size) for size in sizes)
        if "executedQty" in row:
            quote = row.get("cummulativeQuoteQty")
            totals = [
                (book.size(filled), units(spent, spec["quote_decimals"]))
                for filled, spent in story.totals_in(batch)
            ]
            is_true = any(
                same(row["executedQty"], filled) and (quote is None or same(quote, spent))
                for filled, spent in totals
            )
            yield "executedQty", f"{row['executedQty']} (for {quote})", is_true
        for fill in row.get("fills", ()):
            price, lots = story.fills.get(int(fill["tradeId"]), (0, 0))
            is_true = same(fill["price"], book.price(price)) and same(fill["qty"], book.size(lots))
            said = f"{fill['tradeId']}: {fill['qty']} at {fill['price']}"
            yield "fill", said, is_true


def same(one, other):
    """Say whether two decimal strings are one number."""
    return decimal.Decimal(one) == decimal.Decimal(other)


def documents(path):
    """Yield the JSON documents of a file, however they are laid out."""
    try:
        text = pathlib.Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CouldNotCheck(f"{path}: it cannot be read ({error})") from None
    decoder, place = json.JSONDecoder(), 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        try:
            document, place = decoder.raw_decode(text, place)
        except ValueError:
            raise CouldNotCheck(f"{path}: there is something else than JSON in it") from None
        yield document


def objects(document):
    """Yield all objects in a document, the outer ones first."""
    if isinstance(document, dict):
        yield document
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from objects(part)


def read_heads(paths):
    """Return the saved heads of books, by market and batch."""
    heads = {}
    for path in paths:
        for document in documents(path):
            for row in objects(document):
                is_outside = {"market", "batch", "outside", "inside"} <= row.keys()
                is_inside = {"engine", "batch", "hash"} <= row.keys()
                if is_outside or (is_inside and row["engine"].startswith("book:")):
                    head = Head(row)
                    heads.setdefault(head.market, {}).setdefault(head.batch, []).append(head)
    for of_market in heads.values():
        of_market.pop(0, None)
    return heads


def read_receipts(paths):
    """Return the saved answers that carry a receipt."""
    wanted = {"engine", "engineSeq", "journalHash", "orderId"}
    return [
        Receipt(row)
        for path in paths
        for document in documents(path)
        for row in objects(document)
        if wanted <= row.keys()
    ]


def read_segments(paths):
    """Return the segments by market."""
    files = []
    for name in paths:
        path = pathlib.Path(name)
        if path.is_dir():
            files += [one for one in path.rglob("*") if one.name.endswith((".jsonl", ".jsonl.gz"))]
        else:
            files.append(path)
    segments = {}
    for path in sorted(set(files)):
        segment = Segment(path)
        segments.setdefault(segment.market, []).append(segment)
    if not segments:
        raise CouldNotCheck("no segment was given")
    return segments


# ── The command ─────────────────────────────────────────────────────────────────────────────────


def check(options, findings):
    """Check all that was given; returns the tellers of the orders that were asked about."""
    heads, receipts = read_heads(options.heads), read_receipts(options.receipts)
    given = sum(len(rows) for batches in heads.values() for rows in batches.values())
    segments = read_segments(options.segments)
    told_of = {receipt.order_id for receipt in receipts} | set(options.order)
    for receipt in receipts:
        if not receipt.is_of_a_book:
            findings.open.append(
                f"the receipt of order {receipt.order_id} is of {receipt.engine}, whose record is"
                " not public: ask for the order again (GET), and save that answer"
            )
    everyone = {}
    for market, files in sorted(segments.items()):
        tellers = Tellers(told_of)
        everyone[market] = tellers
        mine = [r for r in receipts if r.engine == f"book:{market}"]
        Market(market, heads.pop(market, {}), mine, tellers, findings).check(files)
    for receipt in receipts:
        if receipt.is_of_a_book and receipt.engine.partition(":")[2] not in segments:
            findings.open.append(f"the receipt of order {receipt.order_id}: no segment of its book")
    if (given or receipts) and not findings.compared:
        findings.open.append("none of the saved heads and receipts is of these segments")
    if not given:
        findings.say("No saved heads were given: whether history was rewritten was not checked.")
    return everyone


def tell_stories(everyone, options, findings):
    """Print what became of each order that was asked about."""
    known = set()
    for market, tellers in everyone.items():
        for order_id, story in sorted(tellers.stories.items()):
            if story.order is None:
                continue
            known.add(order_id)
            put(f"Order {order_id} in {market}:")
            for line in shortened(story.lines):
                put(f"  {line}")
            if story.before:
                put(f"  {len(story.before)} trades of its side came before it while it rested:")
                for line in shortened(story.before):
                    put(f"    {line}")
            if not story.is_over and order_id in tellers.resting:
                put("  it rests at the end of this record")
    findings.open.extend(
        f"order {order_id}: no segment given knows it"
        for order_id in sorted(set(options.order) - known)
    )


def shortened(lines):
    """Leave out the middle of a long list."""
    if len(lines) <= SHOWN_MAX:
        return lines
    half = SHOWN_MAX // 2
    return [*lines[:half], f"… and {len(lines) - 2 * half} more …", *lines[-half:]]


def main(words=None):
    """Check, say what was found, and return the exit code."""
    parser = argparse.ArgumentParser(
        description="Check the published record of a Fairbook market.",
        epilog="Exit codes: 0 all right, 1 something is wrong, 2 could not check.",
    )
    parser.add_argument("segments", nargs="+", help="segment files, or folders of them")
    parser.add_argument("--heads", action="append", default=[], help="heads as you saved them")
    parser.add_argument("--receipts", action="append", default=[], help="answers to your orders")
    parser.add_argument("--order", action="append", default=[], type=int, help="tell of this order")
    options = parser.parse_args(words)
    findings, everyone = Findings(), {}
    try:
        everyone = check(options, findings)
    except CouldNotCheck as error:
        findings.open.append(str(error))
    except Wrong as error:
        findings.wrong.append(str(error))
    tell_stories(everyone, options, findings)
    return findings.show()


if __name__ == "__main__":
    sys.exit(main())
