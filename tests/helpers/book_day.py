"""Living through a random day: the limits it meets, one batch at a time, and what it leaves."""

import random
from hashlib import sha256

import msgspec

from apps.journals.machine import Outputs
from matching_worker.engine import BookMachine
from matching_worker.engine.limits import Limits
from matching_worker.engine.ways import PURE, Way, compiled
from tests.helpers.obvious_book import ObviousBook
from tests.helpers.random_day import GENESIS, RandomDay

# Small enough for a random day to meet each of them.
TIGHT = {
    "orders_per_book": 25,
    "orders_per_account": 6,
    "fills_per_taker": 4,
    "mass_cancel_steps": 3,
    "mass_cancels": 2,
    "mass_cancel_orders": 12,
    "tombstones": 9,
    "tombstones_per_account": 3,
    "waiting_per_book": 12,
    "waiting_per_account": 3,
    "trailing_per_book": 3,
    "actions": 2,
    "expiries": 1,
    "switches": 3,
    "auction_orders": 12,
    "reference_window_s": 30,
}
COMMANDS = 400
encode = msgspec.msgpack.Encoder(order="sorted").encode


RULES = 2
COMPILED = compiled()
WAYS = [PURE, *([COMPILED] if COMPILED else [])]  # A machine without a C compiler has one.


def numbers(seed):
    """Return the limits of a day: every second one is tight, and half of those by their dice."""
    if seed % 4 != 3:
        return TIGHT if seed % 2 else {}
    dice = random.Random(seed)
    odd = {name: dice.choice((1, 2, 3, 4, 6, 9)) for name in sorted(TIGHT)}
    return odd | {
        "fills_per_taker": dice.choice((1, 1, 2, 3)),
        "orders_per_book": dice.choice((12, 20, 40)),
        "reference_window_s": dice.choice((2, 30)),
    }


def fast_market(limits, way: Way = PURE):
    """Return the book itself, taking whole frames in this way."""
    book = BookMachine(Limits(**limits), way)
    book.set_rules(RULES)
    book.configure(GENESIS)
    return book


def obvious_market(limits):
    """Return its obvious twin."""
    book = ObviousBook(**limits)
    book.configure(GENESIS)
    return book


def live(market, batch):
    """Take one batch as the runtime would, and return all that came of it."""
    out = Outputs()
    market.begin(batch.at_ns, out)
    for origin, run in batch.runs:
        market.apply(origin, run, batch.at_ns, out)
    market.end(batch.at_ns, (0, 0), out)
    return out


def due(market, batch):
    """Return when a market's next timer is due; what is overdue is due at once."""
    due_ns = market.due_ns()
    return None if due_ns is None else max(due_ns, batch.at_ns)


def said(out):
    return out.events, out.links, list(out.replies.items())


def fingerprint(seed):
    """Return a hash over all that one random day said, and the state it left."""
    book, digest = fast_market(TIGHT), sha256()
    for batch in RandomDay(seed).batches(COMMANDS):
        digest.update(encode(said(live(book, batch))))
    return sha256(digest.digest() + encode(book.dump())).hexdigest()
