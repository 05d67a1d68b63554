"""Cancel on disconnect: a private stream that holds its account's dead man's switches.

`?cancelOnDisconnect=<seconds>` on the address of a private stream sets a switch in each market (or
in those that `symbols` names, with commas) when the account is known, and renews it while the
connection lives. Once it is gone nobody renews it, and the books cancel: that needs no edge.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

import structlog

from apps.common.errors import Refusal
from apps.marketdata.sockets import POLICY, Closed, Socket
from apps.markets import selectors as markets
from apps.markets.contracts import MarketInfo
from apps.orders import runtime, services
from apps.orders.dialect import params as dialect_params
from apps.orders.dialect import refusals, tickets
from apps.orders.dialect.params import Params
from apps.orders.feeds import SUBSCRIPTION, ApiSocket, UserSocket
from apps.users.contracts import Standing

ASKED, SYMBOLS = "cancelOnDisconnect", "symbols"
SECONDS_MIN, SECONDS_MAX = 3, 3_600
MARKETS_MAX = 20
CLOSE_REASON_MAX = 100  # Of 123 bytes.
RENEWALS = 3  # Within one delay: two may be lost.
DEADLINE_NS = 5_000_000_000

log = structlog.get_logger("fairbook.edge")


class Switch:
    """The switches of one connection."""

    def __init__(self, account: int, chosen: list[MarketInfo], seconds: int) -> None:
        self.account, self.markets, self.seconds = account, chosen, seconds
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Set all of them, or refuse; then keep them from firing."""
        await self._set()
        self._task = asyncio.create_task(self._renew(), name="cancel-on-disconnect")

    def stop(self) -> None:
        """Renew them no more."""
        if self._task is not None:
            self._task.cancel()

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(self.seconds / RENEWALS)
            try:
                await self._set()
            except Refusal as refusal:  # Who cannot renew lets it fire: that is what it is for.
                log.warning("edge.switch.not_renewed", account=self.account, why=refusal.message)

    async def _set(self) -> None:
        edge = await runtime.edge()
        setting = [
            services.set_cancel_after(
                edge,
                self.account,
                market,
                delay_ns=self.seconds * 1_000_000_000,
                deadline_ns=time.time_ns() + DEADLINE_NS,
            )
            for market in self.markets
        ]
        for failure in await asyncio.gather(*setting, return_exceptions=True):
            if isinstance(failure, BaseException):
                raise failure


def switch_of(query: bytes, standing: Standing, own: frozenset[str] = frozenset()) -> Switch:
    """Read which switches the address of a stream asks for."""
    asked = dialect_params.parse(query, b"")
    seconds = asked.whole(ASKED)
    if seconds is None or not SECONDS_MIN <= seconds <= SECONDS_MAX:
        raise refusals.bad_value(ASKED)
    if not standing.may_cancel:
        raise refusals.bad_key()
    return Switch(standing.account, _markets(asked, own), seconds)


def _markets(asked: Params, own: frozenset[str]) -> list[MarketInfo]:
    """Return the markets that are named, or all; of a key with a list, of that list (`own`)."""
    known = markets.known()
    symbols = asked.raw(SYMBOLS)
    if symbols is None:
        chosen = [
            market
            for market in known.markets
            if not market.is_delisted and (not own or market.spec.symbol in own)
        ]
    else:
        names = dict.fromkeys(symbols.split(","))
        chosen = [tickets.market_of(Params({"symbol": name}), known) for name in names]
        if own and any(market.spec.symbol not in own for market in chosen):
            raise refusals.market_not_allowed(-2011)
    if not 0 < len(chosen) <= MARKETS_MAX:
        raise refusals.bad_value(SYMBOLS)
    return chosen


class _Switched(Socket):
    """A private stream whose end may cancel its account's orders."""

    switch: Switch | None = None

    @property
    def query(self) -> bytes:
        """What stands behind the address."""
        return bytes(self.scope.get("query_string", b""))

    @property
    def asks_for_switch(self) -> bool:
        """Whether the address asks for a switch that is not held yet."""
        return self.switch is None and ASKED.encode() in self.query

    async def arm(self, standing: Standing, own: frozenset[str] = frozenset()) -> None:
        """Hold the switches that the address asks for; raises a refusal if that cannot be."""
        switch = switch_of(self.query, standing, own)
        await switch.start()
        self.switch = switch

    async def live(self) -> None:
        """Serve the connection to its end, and renew nothing after it."""
        try:
            await super().live()
        finally:
            if self.switch is not None:
                self.switch.stop()


class SwitchedUserSocket(_Switched, UserSocket):
    """The private stream of a log-in."""

    async def begin(self) -> None:
        """Join, then hold the switches; a stream that cannot is closed."""
        await super().begin()
        if not self.asks_for_switch:
            return
        try:
            grant = await self._grant()
            if grant is not None:
                await self.arm(grant.standing)
        except Refusal as refusal:
            raise Closed(POLICY, refusal.message[:CLOSE_REASON_MAX]) from None


class SwitchedApiSocket(_Switched, ApiSocket):
    """The dialect's WebSocket API: the switches are the subscription's."""

    async def _subscribe(self, params: dict[str, Any]) -> None:
        await super()._subscribe(params)
        if not self.asks_for_switch:
            return
        grant = await (await runtime.edge()).memory.key(str(self.key))
        try:
            if grant is not None:
                await self.arm(grant.standing, grant.markets)
        except Refusal:
            for group in list(self.groups):
                await self.unfollow(group, str(SUBSCRIPTION))
            self.key = None
            raise
