"""The stage for all rules: stories about one market, told to the book or to its obvious twin."""

import msgspec

from apps.common.kernel.ids import numbered_in, partition_of
from apps.journals.contracts import LinkAdd
from apps.journals.machine import Input, Origin
from matching_worker.contracts import from_book, to_book
from matching_worker.contracts.market import BreakerSet, MarkSet
from matching_worker.engine.limits import Limits
from matching_worker.engine.ways import PURE
from tests.helpers.book_day import COMPILED, RULES
from tests.helpers.exchange import EDGE, SECOND, SMALL_SPEC, Exchange, Trader, answers
from tests.helpers.obvious_book import ObviousBook
from tests.helpers.random_day import Batch
from tests.helpers.witness import Witness


class Person(Trader):
    """Somebody who knows more than plain orders."""

    def amends(self, placed, *, lots, filled=0, version=None, valid_s=5):
        """Ask for a smaller size; return the answer."""
        stage, order = self.exchange, placed.terms
        asked = to_book.AmendHeld(
            order_id=order.order_id,
            version=stage.versions.get(order.order_id, 1) + 1 if version is None else version,
            account=self.account,
            lots=lots,
            expected_filled=filled,
            deadline_ns=stage.at_ns + valid_s * SECOND,
        )
        out = stage.hears(partition_of(self.account), [asked])
        (answer,) = stage.sent(out, from_book.Amended)
        if not answer.code:
            stage.versions[order.order_id] = answer.version
        return answer

    def pairs(self, first, second):
        """Let two orders arrive as one that cancels the other."""
        stage = self.exchange
        out = stage.hears(partition_of(self.account), [to_book.HeldPair(first.asked, second.asked)])
        for placed in (first, second):
            (placed.report,) = [
                report
                for report in stage.sent(out, from_book.FirstReport)
                if report.order_id == placed.terms.order_id
            ]
        return first, second

    def cancels_after(self, seconds, *, valid_s=5):
        """Set the dead man's switch; return the answer."""
        stage = self.exchange
        stage.requests += 1
        command = to_book.CancelAfter(
            request=stage.requests,
            account=self.account,
            delay_ns=int(seconds * SECOND),
            deadline_ns=stage.at_ns + valid_s * SECOND,
        )
        run = (Origin(Input.CANCELS, (1, 0), EDGE, "", (0, 0), b""), [command])
        return next(answer for answer in answers(stage.turn_of([run])))

    def is_frozen(self):
        """Let the account's partition freeze it."""
        message = to_book.CancelAccount(self.account, "frozen")
        return self.exchange.hears(partition_of(self.account), [message])


class Stage(Exchange):
    """An exchange by the newest rules, played by the book (in a way) or by its twin, witnessed."""

    def __init__(self, player="pure", spec=SMALL_SPEC, **tight):
        super().__init__(spec, Limits(**tight), COMPILED if player == "compiled" else PURE)
        if player == "twin":
            links = [LinkAdd(f"risk:{partition}") for partition in self.partitions]
            self.book = ObviousBook(**tight)
            self.book.configure([to_book.MarketDefine(spec), *links])
        else:
            self.book.set_rules(RULES)
        self.witness = Witness(spec.quote_per_tick_lot)
        self.versions = {}
        self.marks = 0

    def trader(self, name, *, partition=0):
        account = numbered_in(partition, counter=len(self.names) + 1)
        self.names[account] = name
        return Person(self, name, account)

    def send(self, trader, side, lots, at, terms):
        extras = {
            name: terms.pop(name)
            for name in ("self_trade", "group", "trigger_by", "reduce_only")
            if name in terms
        }
        if "good_till_s" in terms:
            extras["expires_ns"] = self.at_ns + int(terms.pop("good_till_s") * SECOND)
        for word in ("stop", "profit"):
            if word in terms:
                extras |= {"trigger": word, "trigger_ticks": terms.pop(word)}
        if "trail_ppm" in terms:
            extras |= {"trigger": "stop", "trail_ppm": terms.pop("trail_ppm")}
        extras |= terms.pop("extras", {})
        placed = super().send(trader, side, lots, at, terms)
        placed.asked = to_book.ExtraOrder(placed.terms, to_book.OrderExtras(**extras))
        return placed

    def arrives(self, placed):
        partition = partition_of(placed.terms.account)
        self.told[partition] = max(self.told[partition], placed.terms.command[0])
        is_plain = placed.asked.extras == to_book.OrderExtras()
        out = self.hears(partition, [placed.terms if is_plain else placed.asked])
        number = placed.terms.order_id
        (placed.report,) = [
            r for r in self.sent(out, from_book.FirstReport) if r.order_id == number
        ]
        placed.executions[:0] = placed.report.executions
        return placed

    def turn_of(self, runs):
        out = super().turn_of(runs)
        self.witness.saw(Batch(self.at_ns, runs), out)
        return out

    def asks(self):
        return dict(sorted(self.witness.depth("S").items()))

    def bids(self):
        return dict(sorted(self.witness.depth("B").items(), reverse=True))

    # -- operators

    def mark_is(self, ticks, *, number=None):
        """Set the mark."""
        self.marks = number or self.marks + 1
        return self.operated(MarkSet(self.marks, ticks))

    def breaks_at(self, ppm, *, cancel_only_s=120, post_only_s=10):
        """Set the breaker."""
        return self.operated(BreakerSet(ppm, cancel_only_s, post_only_s))

    # -- what can be seen

    def state(self):
        """Return the market's state, as the market sees it."""
        return self.events(from_book.StateChanged)[-1].state

    def last(self):
        """Return what the last batch said."""
        return self.seen[-1][0]

    def trade_at(self, *prices):
        """Let two strangers trade one lot at each of these prices."""
        for price in prices:
            seller, buyer = self.traders("seller", "buyer")
            seller.sells(1, at=price)
            bought = buyer.buys(1, at=price, tif="IOC")
            assert bought.ended == "filled", f"a story's trade at {price} did not happen"

    def story_of(self, placed):
        """Tell what an order's partition heard of it, in order, a word each."""
        number = placed.terms.order_id
        words = []
        for out, _ in self.seen:
            for messages in out.links.values():
                words += [_word(m) for m in messages if getattr(m, "order_id", 0) == number]
        return words


def _word(message):
    if isinstance(message, from_book.Execution):
        return f"{message.lots}@{message.price_ticks}{message.liquidity}"
    if isinstance(message, from_book.OrderEnd):
        return f"{message.ended}/{message.code}"
    if isinstance(message, from_book.Triggered):
        return f"triggered@{message.price_ticks}"
    if isinstance(message, from_book.Amended):
        return f"amended/{message.code}"
    return f"{message.ended or 'placed'}/{message.code}"


def changed(spec=SMALL_SPEC, **terms):
    """Return the small market with other numbers."""
    return msgspec.structs.replace(spec, **terms)
