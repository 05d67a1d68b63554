"""Why a partition refuses: stable words that edges translate and clients may rely on."""

# ── Orders ──────────────────────────────────────────────────────────────────────────────────────

UNKNOWN_ACCOUNT = "unknown_account"
"""No account of this number was opened in this partition."""

WRONG_PARTITION = "wrong_partition"
"""The account's number belongs to another partition."""

ACCOUNT_FROZEN = "account_frozen"
"""The account may not place orders, withdraw, or pay a transfer."""

UNKNOWN_MARKET = "unknown_market"
"""No market of this symbol was added to this partition."""

MARKET_NOT_OPEN = "market_not_open"
"""The book's last word was that it does not trade."""

TOO_LATE = "too_late"
"""The batch's time is past the order's deadline."""

BAD_PRICE = "bad_price"
"""A limit order without a price, or a market order with one."""

BAD_SIZE = "bad_size"
"""Fewer lots than the market's least, or more than its most."""

BAD_NOTIONAL = "bad_notional"
"""Price times size (or the budget) is below the market's least."""

BAD_TERMS = "bad_terms"
"""The terms contradict each other: a post-only that cannot rest, a budget where none belongs."""

TOO_MANY_ORDERS = "too_many_orders"
"""The account has as many open orders in this market as the market allows."""

INSUFFICIENT_FUNDS = "insufficient_funds"
"""What is available does not cover the hold (or the withdrawal, the transfer, the correction)."""

NO_REFERENCE = "no_reference"
"""A market buy by quantity before the book sent a first reference price (the dialect's -2010)."""

CLIENT_ID_REUSED = "client_id_reused"
"""The client id names another order of other terms (the dialect's -2010)."""

CLIENT_ID_REPEATED = "client_id_repeated"
"""The same signed request came again and names no client id of its own (the dialect's -1021)."""

TOO_MANY_CLIENT_IDS = "too_many_client_ids"
"""As many client ids are remembered as may be; new ones are taken again once old ones age."""

UNDECIDED = "undecided"
"""An equal request has no first report yet and too many wait for it (the dialect's -1007)."""

BAD_PAIR = "bad_pair"
"""Two orders that are no pair of which one cancels the other."""

UNKNOWN_ORDER = "unknown_order"
"""The account has no such order open (the dialect's -2011)."""

AMEND_PENDING = "amend_pending"
"""Another amend of this order is on its way to the book; its answer comes first."""

NOT_SMALLER = "not_smaller"
"""An amend only makes an order smaller; a market buy by amount has no size to make smaller."""

# ── Value and configuration ─────────────────────────────────────────────────────────────────────

REPEATED = "repeated"
"""This reference (or market) was taken before; nothing moved again."""

BAD_AMOUNT = "bad_amount"
"""No whole number, not positive where it must be, or beyond what a balance can hold."""

BAD_SPEC = "bad_spec"
"""The market's numbers contradict each other."""

BAD_FEES = "bad_fees"
"""A fee rate beyond the bound."""

NO_LINK = "no_link"
"""There is no link to the book or partition that this needs."""

SAME_ACCOUNT = "same_account"
"""Payer and payee are one account."""

UNKNOWN_WITHDRAWAL = "unknown_withdrawal"
"""No withdrawal of this account and reference is held."""

TOO_MANY_ACCOUNTS = "too_many_accounts"
"""The partition is full; new accounts belong into another one."""

TOO_MANY_ASSETS = "too_many_assets"
"""The partition knows as many assets as it may."""

TOO_MANY_MARKETS = "too_many_markets"
"""The partition knows as many markets as it may."""

TOO_MANY_LINKS = "too_many_links"
"""The partition has as many links as it may."""

TOO_MANY_WITHDRAWALS = "too_many_withdrawals"
"""As many withdrawals are held as may be."""

TOO_MANY_REFERENCES = "too_many_references"
"""As many references are remembered as may be, and all are young."""
