"""The obvious twin of the book: slow, plain, and written from the rules, not from the engine.

It keeps one list of resting orders and sorts it for every order that comes; it tries a fill-or-kill
on a copy of itself; it keeps every trade since genesis. It imports messages and nothing of the
engine, so a mistake has to be made twice to stay hidden. Its parts: what comes in
(`obvious_entry`), trades (`obvious_match`), triggers (`obvious_waiting`), phases and auctions
(`obvious_phases`), and what ends without a trade (`obvious_cancels`).
"""

from types import SimpleNamespace

from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input
from matching_worker.contracts import from_book, to_book
from matching_worker.contracts.market import BreakerSet, MarketStateSet, MarkSet, ReferenceSet
from tests.helpers.obvious_cancels import ObviousCancels, owner
from tests.helpers.obvious_entry import ObviousEntry
from tests.helpers.obvious_match import ObviousMatch
from tests.helpers.obvious_phases import ObviousPhases
from tests.helpers.obvious_waiting import ObviousWaiting

SECOND = 10**9

NUMBERS = {  # As the rules say them.
    "orders_per_book": 1_000_000,
    "orders_per_account": 10_000,
    "fills_per_taker": 1_000,
    "mass_cancel_steps": 1_000,
    "mass_cancels": 1_000,
    "mass_cancel_orders": 1_000_000,
    "tombstones": 100_000,
    "tombstones_per_account": 200,
    "undecided_ns": 5 * SECOND,
    "reference_window_s": 300,
    "reference_pace_ns": SECOND,
    "waiting_per_account": 200,
    "waiting_per_book": 100_000,
    "trailing_per_book": 1_000,
    "expiries": 1_000,
    "actions": 100,
    "switches": 10_000,
    "auction_orders": 5_000,
}


class ObviousBook(ObviousEntry, ObviousMatch, ObviousWaiting, ObviousPhases, ObviousCancels):
    """One market, by the book of rules (`docs/matching-rules.md`)."""

    def __init__(self, **tighter):
        self.limits = SimpleNamespace(**(NUMBERS | tighter))
        self.seq = 0
        self.at = 0
        self.state = "pre_open"
        self.resting = []  # In the order they came to rest.
        self.waiting = []  # For their trigger: in the order they were placed.
        self.queue = []  # Those of them that were set off and have not acted.
        self.placed = 0
        self.tombs = []  # In the order they were set.
        self.tombs_ever = 0
        self.jobs = []
        self.switches = {}  # Account → when all it rests here ends.
        self.trades = []  # (second, price) of every trade ever.
        self.fresh = []  # Prices of the trades of the present command, but for an auction's.
        self.mark = None  # (number, ticks).
        self.partitions = {}  # Name → [last passed, last asked], in the order they were linked.
        self.greeted = set()
        self.cuts = 0
        self.uncut_since = None
        self.breaker = BreakerSet(0)
        self.phase_until = None
        self.steps = self.actions_left = 0

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
        self.steps, self.actions_left = self.limits.mass_cancel_steps, self.limits.actions
        for tomb in [t for t in self.tombs if t["owes"] and t["expires"] <= at]:
            self.answer(tomb, "undecided", out)
        self.fire_switches()
        self.work(out)
        self.end_good_till(out)
        self.next_phase(out)
        self.act(out)
        if self.uncut_since is not None and at >= self.uncut_since + self.spec.cut_s * SECOND:
            self.cuts += 1
            self.uncut_since = None
            for peer in self.partitions:
                out.send(peer, from_book.CutMark(self.cuts))
            out.events.append(from_book.CutTaken(self.cuts, len(self.trades)))

    def apply(self, origin, commands, at, out):
        for command in commands:
            self.seq += 1
            self.fresh = []
            if origin.kind is Input.LINK:
                self.hear(command, origin.peer, out)
            elif origin.kind is Input.CANCELS:
                self.cancel(command, origin.source, out)
            else:
                self.operate(command, out)
            self.look("last", self.fresh)
            self.break_circuit(out)
            self.act(out)
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
        dues += self.switches.values()
        dues += [r["extras"].expires_ns for r in self.all() if r["extras"].expires_ns]
        if self.jobs or (self.queue and self.state == "trading"):
            dues.append(self.at)
        if self.phase_until is not None:
            dues.append(self.phase_until)
        if self.uncut_since is not None:
            dues.append(self.uncut_since + self.spec.cut_s * SECOND)
        if self.reference() != self.published:
            dues.append(self.published_at + self.limits.reference_pace_ns)
        elif recent := self.recent_trades():
            dues.append((recent[0][0] + self.limits.reference_window_s) * SECOND)
        return min(dues, default=None)

    def all(self):
        """Return all that rests or waits, in the order of placing."""
        return sorted(self.resting + self.waiting, key=lambda r: r["placed"])

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
            self.set_state(command, out)
        elif isinstance(command, ReferenceSet):
            self.word = command.ticks
        elif isinstance(command, BreakerSet):
            self.breaker = command
        elif isinstance(command, MarkSet):
            if self.mark is None or command.number > self.mark[0]:
                self.mark = (command.number, command.ticks)
                self.look("mark", [command.ticks])
        elif isinstance(command, LinkAdd):
            self.partitions.setdefault(command.peer, [(0, 0), (0, 0)])
        elif isinstance(command, to_book.MarketDefine):
            out.events.append(from_book.CommandRefused(self.seq, "already_defined"))

    def hear(self, message, peer, out):
        if isinstance(message, to_book.HeldOrder):
            self.place(to_book.ExtraOrder(message, to_book.OrderExtras()), peer, out)
        elif isinstance(message, to_book.ExtraOrder):
            self.place(message, peer, out)
        elif isinstance(message, to_book.HeldPair):
            self.place_pair(message, peer, out)
        elif isinstance(message, to_book.AmendHeld):
            self.amend(message, peer, out)
        elif isinstance(message, to_book.CancelAccount):
            self.cancel_account(message, peer, out)
        elif f"risk:{message.partition}" == peer:
            self.greeted.add(peer)
            out.send(peer, from_book.Reference(self.published, self.state))
        else:
            out.events.append(from_book.CommandRefused(self.seq, "bad_link"))

    def check(self):
        """Claim rule 5: what could trade has traded."""
        assert self.state not in ("trading", "post_only") or not self.auction_price()[1]
