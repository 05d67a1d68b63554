"""An account's balances, fees, history and stream keys."""

from __future__ import annotations

import secrets
import time
from typing import Any

import redis
from django.http import HttpRequest, HttpResponse
from rest_framework.request import Request
from rest_framework.response import Response

from apps.marketdata import listen_keys
from apps.markets import selectors as markets
from apps.markets.contracts import Catalogue, MarketInfo
from apps.orders import callers, selectors
from apps.orders.contracts import Caller
from apps.orders.dialect import endpoints, refusals, render, tickets
from apps.orders.dialect.params import LISTEN_KEY, Params
from apps.orders.doors import answer, charge, door, identify, identify_key
from apps.orders.readmodels import AccountModel, Balance, SyncReadModels
from apps.orders.runtime import Edge
from apps.orders.views.base import DialectView, cache
from apps.orders.views.market import READ
from apps.users.contracts import Standing

ACCOUNT_WEIGHT = 20
DAY_MS = 24 * 60 * 60 * 1_000


def rates_of(account: AccountModel | None, market: MarketInfo | None) -> tuple[int, int]:
    """Return an account's (maker, taker) rates in millionths; without its own, the market's."""
    maker, taker = (market.spec.maker_ppm, market.spec.taker_ppm) if market else (0, 0)
    if account is not None and account.maker_ppm is not None and account.taker_ppm is not None:
        maker, taker = account.maker_ppm, account.taker_ppm
    return maker, taker


# ── Asynchronous: no database on the way ────────────────────────────────────────────────────────


async def read_account(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Return an account's balances, fees and permissions."""
    caller = await identify(request, edge, endpoints.ACCOUNT)
    omit_zero = caller.params.flag("omitZeroBalances", default=False)
    used = await charge(request, edge, caller, weight=ACCOUNT_WEIGHT)
    await selectors.catch_up(edge, caller.account)
    balances = await edge.models.balances(caller.account)
    account = await edge.models.account(caller.account)
    catalogue = markets.known()
    rows = balance_rows(catalogue, balances, omit_zero=omit_zero)
    return answer(account_body(caller.standing, catalogue, account, rows), used)


def balance_rows(
    catalogue: Catalogue, balances: dict[str, Balance], *, omit_zero: bool
) -> list[dict[str, str]]:
    """Write every listed asset, or those that the account has anything of."""
    nothing = Balance(0, 0)
    found = ((asset, balances.get(asset.code, nothing)) for asset in catalogue.assets.values())
    return [
        render.balance_row(asset, free=balance.free, locked=balance.held)
        for asset, balance in found
        if balance.total or not omit_zero
    ]


def account_body(
    standing: Standing,
    catalogue: Catalogue,
    account: AccountModel | None,
    balances: list[dict[str, str]],
) -> dict[str, Any]:
    """Write an account as the dialect does."""
    maker, taker = rates_of(account, catalogue.markets[0] if catalogue.markets else None)
    is_open = account is not None and not account.frozen
    return {
        "makerCommission": maker // 100,
        "takerCommission": taker // 100,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": render.rate(maker),
            "taker": render.rate(taker),
            "buyer": render.rate(0),
            "seller": render.rate(0),
        },
        "canTrade": standing.may_trade and is_open,
        "canWithdraw": False,
        "canDeposit": False,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": time.time_ns() // 1_000_000,
        "accountType": "SPOT",
        "balances": balances,
        "permissions": ["SPOT"],
        "uid": standing.account,
    }


async def open_stream(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Make a listen key for the private stream; it lives for an hour, and longer if renewed."""
    caller = await _stream_owner(request, edge, frozenset())
    name = secrets.token_hex(32)
    kind, maker = callers.way_in(request)
    making = listen_keys.make(edge.cache, name, account=caller.account, kind=kind, maker=maker)
    await _cached(making)
    return answer({"listenKey": name})


async def renew_stream(request: HttpRequest, edge: Edge) -> HttpResponse:
    """Let a listen key live for another hour."""
    caller = await _stream_owner(request, edge, endpoints.LISTEN_KEY)
    await _cached(listen_keys.renew(edge.cache, await _own_stream(request, edge, caller)))
    return answer({})


async def close_stream(request: HttpRequest, edge: Edge) -> HttpResponse:
    """End a listen key."""
    caller = await _stream_owner(request, edge, endpoints.LISTEN_KEY)
    await _cached(listen_keys.end(edge.cache, await _own_stream(request, edge, caller)))
    return answer({})


async def _stream_owner(request: HttpRequest, edge: Edge, allowed: frozenset[str]) -> Caller:
    """Say whose stream it is: by API key without a signature, or by log-in."""
    by_key = callers.KEY_HEADER in request.META
    caller = await (identify_key if by_key else identify)(request, edge, allowed)
    await charge(request, edge, caller, weight=2)
    return caller


async def _own_stream(request: HttpRequest, edge: Edge, caller: Caller) -> str:
    """Return the listen key that is named, if it is the caller's and what made it still opens."""
    caller.params.needed("listenKey")
    name = caller.params.matching("listenKey", LISTEN_KEY) or ""
    found = await _cached(listen_keys.find(edge.cache, name))
    if found is None or found.account != caller.account:
        raise refusals.bad_listen_key()
    address = str(request.META.get("REMOTE_ADDR") or "")
    if await listen_keys.grant_of(name, found, edge.memory, address=address) is None:
        raise refusals.bad_listen_key()
    return name


async def _cached(call: Any) -> Any:
    """Ask the cache for something that lives only there."""
    try:
        return await call
    except (redis.RedisError, OSError):
        raise refusals.not_now("Streams are not available at the moment.") from None


account_view = door(GET=read_account)
stream_view = door(POST=open_stream, PUT=renew_stream, DELETE=close_stream)


# ── In threads: the history ─────────────────────────────────────────────────────────────────────


def _window(params: Params, *, from_name: str) -> selectors.Window:
    start_ms, end_ms = params.moment("startTime"), params.moment("endTime")
    if start_ms is not None and end_ms is not None and not 0 <= end_ms - start_ms <= DAY_MS:
        raise refusals.DialectRefusal(-1127, "More than 24 hours between startTime and endTime.")
    return selectors.Window(
        from_id=params.whole(from_name),
        start_ms=start_ms,
        end_ms=end_ms,
        limit=params.limit(default=500, most=1_000),
    )


class AllOrders(DialectView):
    """Orders of any age and state."""

    allowed = endpoints.ALL_ORDERS
    weight = 20

    @READ
    def get(self, request: Request) -> Response:
        """List an account's orders in a market, by number."""
        caller = self.caller(request)
        market = tickets.market_of(caller.params, self.catalogue)
        window = _window(caller.params, from_name="orderId")
        found = selectors.all_orders(cache(), caller.account, market, window)
        return Response([render.order_row(market, order) for order in found])


class MyTrades(DialectView):
    """Fills of any age."""

    allowed = endpoints.MY_TRADES
    weight = 20

    @READ
    def get(self, request: Request) -> Response:
        """List an account's fills in a market, by trade."""
        caller = self.caller(request)
        market = tickets.market_of(caller.params, self.catalogue)
        window = _window(caller.params, from_name="fromId")
        found = selectors.my_trades(
            cache(), caller.account, market, window, order_id=caller.params.whole("orderId")
        )
        return Response([render.trade_row(market, fill) for fill in found])


class TradeFee(DialectView):
    """What an account pays."""

    allowed = endpoints.TRADE_FEE

    @READ
    def get(self, request: Request) -> Response:
        """List an account's rates by market."""
        caller = self.caller(request)
        one = tickets.optional_market(caller.params, self.catalogue)
        account = SyncReadModels(cache()).account(caller.account)
        rows = []
        for market in (one,) if one else self.catalogue.markets:
            maker, taker = rates_of(account, market)
            rows.append(
                {
                    "symbol": market.pair,
                    "makerCommission": render.rate(maker),
                    "takerCommission": render.rate(taker),
                }
            )
        return Response(rows)


class Coins(DialectView):
    """The assets, and how they come in and go out."""

    allowed = endpoints.SIGNED_ONLY
    weight = 10

    @READ
    def get(self, request: Request) -> Response:
        """List the assets with the account's balances."""
        caller = self.caller(request)
        catalogue = self.catalogue
        balances = SyncReadModels(cache()).balances(caller.account)
        names = {asset.code: asset.name for asset in catalogue.assets.values()}
        rows = balance_rows(catalogue, balances, omit_zero=False)
        return Response([_coin(row, names[row["asset"]]) for row in rows])


def _coin(row: dict[str, str], name: str) -> dict[str, Any]:
    """Write an asset. Deposits and withdrawals open with custody."""
    nothing = "0"
    return {
        "coin": row["asset"],
        "name": name,
        "free": row["free"],
        "locked": row["locked"],
        "freeze": nothing,
        "withdrawing": nothing,
        "ipoing": nothing,
        "ipoable": nothing,
        "storage": nothing,
        "isLegalMoney": False,
        "trading": True,
        "depositAllEnable": False,
        "withdrawAllEnable": False,
        "networkList": [],
    }


class SystemStatus(DialectView):
    """Whether the exchange is up."""

    @READ
    def get(self, request: Request) -> Response:
        """Say so."""
        self.params(request)
        return Response({"status": 0, "msg": "normal"})


class NoPairs(DialectView):
    """Margin pairs: there are none."""

    allowed = endpoints.TRADE_FEE

    @READ
    def get(self, request: Request) -> Response:
        """List none."""
        self.params(request)
        return Response([])
