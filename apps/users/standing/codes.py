"""Why an account may not do something: stable words, and what each of them forbids."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

READ, TRADE, CANCEL, DEPOSIT, WITHDRAW = "read", "trade", "cancel", "deposit", "withdraw"

CLOSED: Final = "closed"
NOT_VERIFIED: Final = "not_verified"
FACTOR_REQUIRED: Final = "factor_required"
FROZEN: Final = "frozen"
WITHDRAWALS_LOCKED: Final = "withdrawals_locked"
COUNTRY_UNKNOWN: Final = "country_unknown"
COUNTRY_NOT_SERVED: Final = "country_not_served"
COUNTRY_NO_TRADING: Final = "country_no_trading"
COUNTRY_NO_DEPOSITS: Final = "country_no_deposits"
COUNTRY_NO_WITHDRAWALS: Final = "country_no_withdrawals"
STANDING_UNKNOWN: Final = "standing_unknown"
STANDING_STALE: Final = "standing_stale"

_NOTHING_NEW = frozenset({TRADE, DEPOSIT, WITHDRAW})

FORBIDS: Final[dict[str, frozenset[str]]] = {
    CLOSED: frozenset({READ, TRADE, CANCEL, DEPOSIT, WITHDRAW}),
    NOT_VERIFIED: _NOTHING_NEW,
    FACTOR_REQUIRED: frozenset({TRADE, WITHDRAW}),
    FROZEN: frozenset({TRADE, WITHDRAW}),
    WITHDRAWALS_LOCKED: frozenset({WITHDRAW}),
    COUNTRY_UNKNOWN: _NOTHING_NEW,
    COUNTRY_NOT_SERVED: _NOTHING_NEW,
    COUNTRY_NO_TRADING: frozenset({TRADE}),
    COUNTRY_NO_DEPOSITS: frozenset({DEPOSIT}),
    COUNTRY_NO_WITHDRAWALS: frozenset({WITHDRAW}),
    STANDING_UNKNOWN: _NOTHING_NEW,
    STANDING_STALE: _NOTHING_NEW,
}
"""Nobody is kept from canceling by any of them but by the end of the account itself."""

NOT_FOR_CERTAIN: Final = frozenset({STANDING_UNKNOWN, STANDING_STALE})
"""These say nothing of the account: it may be right to ask again."""


def forbidden(reasons: Iterable[str]) -> frozenset[str]:
    """Return the acts that these reasons forbid together."""
    return frozenset[str]().union(*(FORBIDS[reason] for reason in reasons))
