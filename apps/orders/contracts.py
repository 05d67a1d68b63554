"""What the doors of trading pass on: who asks, what for, until when."""

from __future__ import annotations

import msgspec

from apps.orders.dialect.params import Params
from apps.users.contracts import Standing


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """A request whose sender is known."""

    standing: Standing
    params: Params
    deadline_ns: int  # After it, engines refuse what this request asks.
    key: str = ""  # The API key; "" for a log-in.
    signed: bytes = b""  # What the key signed.
    markets: frozenset[str] = frozenset()  # Where the key may trade and cancel; none named: all.

    @property
    def account(self) -> int:
        """The account that asks."""
        return self.standing.account

    @property
    def partition(self) -> str:
        """The worker that owns the account's balances."""
        return f"risk:{self.standing.partition}"
