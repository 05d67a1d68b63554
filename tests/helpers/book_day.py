"""Living through a random day: the limits it meets, one batch at a time, and what it leaves."""

from hashlib import sha256

import msgspec

from apps.journals.machine import Outputs
from matching_worker.engine import BookMachine
from matching_worker.engine.limits import Limits
from tests.helpers.random_day import GENESIS, RandomDay

# Small enough for a random day to meet each of them.
TIGHT = Limits(
    orders_per_book=25,
    orders_per_account=6,
    fills_per_taker=4,
    mass_cancel_steps=3,
    mass_cancels=2,
    mass_cancel_orders=12,
    tombstones=9,
    tombstones_per_account=3,
    reference_window_s=30,
)
COMMANDS = 400
encode = msgspec.msgpack.Encoder(order="sorted").encode


def opened(market):
    market.configure(GENESIS)
    return market


def live(market, batch):
    """Take one batch as the runtime would, and return all that came of it."""
    out = Outputs()
    market.begin(batch.at_ns, out)
    for origin, run in batch.runs:
        market.apply(origin, run, batch.at_ns, out)
    market.end(batch.at_ns, (0, 0), out)
    return out


def said(out):
    return out.events, out.links, list(out.replies.items())


def fingerprint(seed):
    """Return a hash over all that one random day said, and the state it left."""
    book, digest = opened(BookMachine(TIGHT)), sha256()
    for batch in RandomDay(seed).batches(COMMANDS):
        digest.update(encode(said(live(book, batch))))
    return sha256(digest.digest() + encode(book.dump())).hexdigest()
