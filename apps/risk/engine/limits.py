"""Every limit of a partition's state, in one place: nothing that a caller can fill is unbounded.

| Container | Bound | When it is full |
| --- | --- | --- |
| accounts | ACCOUNTS_MAX | `too_many_accounts` |
| assets (and balances per account) | ASSETS_MAX | `too_many_assets` |
| markets | MARKETS_MAX | `too_many_markets` |
| links | LINKS_MAX | `too_many_links` |
| open orders | ORDERS_MAX, and the market's own bound per account | `too_many_orders` |
| client ids of an account | CLIENT_IDS_PER_ACCOUNT_MAX | `too_many_client_ids` |
| client ids of all | CLIENT_IDS_MAX | the oldest ended go, else `too_many_client_ids` |
| answers waiting for one first report (or for both of a pair) | WAITING_MAX | `undecided` |
| amends on their way | one per open order | `amend_pending` |
| legs of pairs | two orders each, counted among the open ones | `too_many_orders` |
| pending withdrawals | WITHDRAWALS_MAX | `too_many_withdrawals` |
| references of value commands | REFERENCES_MAX | the oldest go, else `too_many_references` |
| asks how far we have read | one per link | the farther replaces the nearer |
| balances touched since a checkpoint | all balances | – |
| an amount | AMOUNT_MAX, what the ledger's columns hold | `bad_amount` |
"""

from apps.common.kernel.invariants import ensure

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS

ACCOUNTS_MAX = 1_000_000
ASSETS_MAX = 512
MARKETS_MAX = 512
LINKS_MAX = 2_048
ORDERS_MAX = 2_000_000
WITHDRAWALS_MAX = 1_000_000
AMOUNT_MAX = 10**38 - 1

CLIENT_IDS_PER_ACCOUNT_MAX = 10_000
CLIENT_IDS_MAX = 5_000_000
CLIENT_ID_KEPT_NS = 24 * HOUR_NS
CLIENT_ID_DERIVED_KEPT_NS = 120 * SECOND_NS  # A signed request lives for 61 s at most.
CLIENT_ID_YOUNGEST_NS = 60 * SECOND_NS  # A full partition never forgets an id younger than this.
WAITING_MAX = 64

REFERENCES_MAX = 2_000_000
REFERENCE_KEPT_NS = 7 * 24 * HOUR_NS
REFERENCE_YOUNGEST_NS = 24 * HOUR_NS

AGED_PER_BATCH_MAX = 4_096  # Forgetting is spread out, so that no batch is long.
CHECKPOINT_NS = 10 * SECOND_NS

TRAIL_PPM_MIN, TRAIL_PPM_MAX = 1_000, 500_000  # How far back a trailing trigger may stand.
FEE_PPM_MAX = 100_000  # 10 %: a fee never takes more than what was received.

ensure(CLIENT_IDS_PER_ACCOUNT_MAX * 100 <= CLIENT_IDS_MAX, "no small group can fill a partition")
ensure(ORDERS_MAX <= CLIENT_IDS_MAX, "an order always finds room for its client id")
ensure(CLIENT_ID_YOUNGEST_NS < CLIENT_ID_KEPT_NS, "pressure only shortens how long an id is kept")
ensure(REFERENCE_YOUNGEST_NS < REFERENCE_KEPT_NS, "pressure only shortens the window of references")
ensure(FEE_PPM_MAX <= 1_000_000, "a fee is never more than what was received")
