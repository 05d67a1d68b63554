"""Why a book said no. Stable words: they stand in journals, and programs decide by them.

Each constant's comment is its meaning. `docs/matching-rules.md` shows every one at work.
"""

# An order was refused (`ended="refused"`): it never traded and never rested.
TOO_LATE = "too_late"  # Its deadline had passed by header time. Cancels are refused so, too.
MARKET_NOT_OPEN = "market_not_open"  # The market is in pre-open, cancel-only or halted.
PRICE_OUT_OF_BAND = "price_out_of_band"  # Too far from the last published reference price.
WOULD_TAKE = "would_take"  # A post-only order would have traded at once.
BOOK_FULL = "book_full"  # The book holds as many orders as it may.
TOO_MANY_ORDERS = "too_many_orders"  # The account rests as many orders here as it may.
ORDER_EXISTS = "order_exists"  # An order of this number, or of this account and client id, rests.

# The re-check of fields, should an edge or a partition have let them through.
WRONG_PARTITION = "wrong_partition"  # The account or the order belongs to another partition.
BAD_CLIENT_ID = "bad_client_id"  # Not 1 to 36 characters.
BAD_TERMS = "bad_terms"  # A combination that means nothing: a post-only market order, say.
BAD_PRICE = "bad_price"  # A limit order without a price, or a market order with one.
BAD_BUDGET = "bad_budget"  # A market buy without a budget, or anything else with one.
LOTS_OUT_OF_RANGE = "lots_out_of_range"  # Fewer than the market's least, or more than its most.
NOTIONAL_TOO_SMALL = "notional_too_small"  # Price times size, or the budget, is under the least.

BAD_PAIR = "bad_pair"  # Two orders that are no one-cancels-the-other pair.
NO_MARK = "no_mark"  # It asks for the mark price, and there is none.
WOULD_TRIGGER = "would_trigger"  # The price has reached its trigger already.

# An amend was refused (`TOO_LATE`, `UNKNOWN_ORDER`, `LOTS_OUT_OF_RANGE`, `NOTIONAL_TOO_SMALL` too).
BAD_VERSION = "bad_version"  # Not one more than the version that stands here.
FILLED_MEANWHILE = "filled_meanwhile"  # The order's fills are others than its asker knew of.
NOT_SMALLER = "not_smaller"  # Only less than the present size keeps an order's place.

# An order was canceled before it could rest (`ended="canceled"`).
TOMBSTONED = "tombstoned"  # A cancel that names it had come before it.

# What was left of an order expired (`ended="expired"`).
NO_LIQUIDITY = "no_liquidity"  # Nothing more to trade with (IOC and market orders).
NOT_FILLABLE = "not_fillable"  # A fill-or-kill order could not be filled whole; it took nothing.
FILL_LIMIT = "fill_limit"  # The order made as many fills as one command may.
SELF_TRADE = "self_trade"  # The next order to trade with is the same account's.
BUDGET_SPENT = "budget_spent"  # What is left of the budget does not pay for one more lot.

GOOD_TILL_PASSED = "good_till_passed"  # The time that it was good till.

# A resting or waiting order was canceled by something else than a cancel (`ended="canceled"`).
OTHER_LEG = "other_leg"  # The other order of its pair traded, was set off, or ended.
CANCEL_AFTER = "cancel_after"  # Its owner's dead man's switch was not set again in time.
FROZEN = "frozen"  # Its account was frozen.
DELISTED = "delisted"  # Its market was delisted. Refuses words on the state after that, too.

# A cancel was refused.
UNKNOWN_ORDER = "unknown_order"  # It does not rest, and can no longer arrive.
UNDECIDED = "undecided"  # The partition was silent for too long, or too many cancels wait.

# A configuration command was refused.
ALREADY_DEFINED = "already_defined"  # A book is one market for ever.
BAD_LINK = "bad_link"  # A peer that is no risk partition, or a greeting in another's name.
