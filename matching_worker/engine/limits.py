"""Every bound of a book, in one place. Nothing a caller can do makes a container grow past one."""

import msgspec

from apps.common.kernel.invariants import ensure

SECOND_NS = 1_000_000_000


class Limits(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The bounds of one book. Part of the rules: a change of a number is a new rules version."""

    orders_per_book: int = 1_000_000
    orders_per_account: int = 10_000  # The market's own limit may be lower, never higher.
    fills_per_taker: int = 1_000  # What is then left of the taker expires.
    mass_cancel_steps: int = 1_000  # Orders that mass cancels end per batch; the rest goes on.
    mass_cancels: int = 1_000  # Mass cancels on the work list at once...
    mass_cancel_orders: int = 1_000_000  # ... and the orders that they name together.
    tombstones: int = 100_000  # Cancels that wait for a partition to pass their mark.
    tombstones_per_account: int = 200
    undecided_ns: int = 5 * SECOND_NS  # How long a cancel waits for its answer.
    waiting_per_book: int = 100_000  # Orders that wait for a price.
    waiting_per_account: int = 200
    trailing_per_book: int = 1_000  # Those of them whose trigger moves: each price looks at all.
    actions: int = 100  # Of orders set off, per batch; the rest goes on.
    expiries: int = 1_000  # Orders that end by time, per batch; the rest goes on.
    switches: int = 10_000  # Accounts with a dead man's switch.
    auction_orders: int = 5_000  # That rest in an auction: its trades are one command's.
    reference_window_s: int = 300  # Trades that the reference price is the mean of.
    reference_pace_ns: int = SECOND_NS  # A changed reference is published this often.


LIMITS = Limits()

CLIENT_ID_LENGTH_MAX = 36
CANCEL_AFTER_NS_MAX = 24 * 3_600 * SECOND_NS
WIDE_DIGITS_MAX = 40  # NUMERIC(38,0), a sign, and one to spare.

ensure(
    LIMITS.orders_per_account * 100 <= LIMITS.orders_per_book,
    "no small group of accounts can fill a book",
)
ensure(
    LIMITS.tombstones_per_account * 100 <= LIMITS.tombstones,
    "no small group of accounts can use up the tombstones",
)
ensure(
    LIMITS.mass_cancel_orders >= LIMITS.orders_per_book,
    "every order of a full book can stand on the work list",
)
