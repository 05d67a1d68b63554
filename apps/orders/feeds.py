"""Private streams: `/ws/user` for a log-in, `/ws-api/v3` for who signs with an API key.

The dialect's third way, `/ws/<listenKey>`, is `apps.marketdata.feeds`: a listen key is a name that
only its owner knows. All three follow one group per account; what they say is the projector's text.
All three end as soon as this edge hears that what opened them has ended.
"""

from __future__ import annotations

import time
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import msgspec
import redis
from django.conf import settings

from apps.common import addresses
from apps.common.errors import Refusal
from apps.marketdata.groups import user_group
from apps.marketdata.sockets import (
    NOT_LOGGED_IN,
    OTHER_ORIGIN,
    POLICY,
    Closed,
    Socket,
    remembered,
)
from apps.orders import callers, runtime
from apps.orders.dialect import refusals, signing
from apps.orders.dialect.params import Params
from apps.orders.limits import Spend
from apps.users import sessions
from apps.users.contracts import SessionGrant
from apps.users.memory import ACCOUNT, KEY, SESSION

SUBSCRIPTION = 0  # One account per socket: one subscription.
SUBSCRIBE, UNSUBSCRIBE = "userDataStream.subscribe.signature", "userDataStream.unsubscribe"


def header_of(scope: dict[str, Any], name: bytes) -> str:
    """Return a header of the handshake, or nothing."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def cookie_of(scope: dict[str, Any], name: str) -> str:
    """Return a cookie of the handshake, or nothing."""
    try:
        found = SimpleCookie(header_of(scope, b"cookie")).get(name)
    except CookieError:
        return ""
    return found.value if found else ""


async def charge_address(scope: dict[str, Any]) -> None:
    """Count something against the address of a connection."""
    spend = Spend(f"ip:{addresses.of_scope(scope)}", 1)
    await (await runtime.edge()).gate.admit(spend)


def check_origin(scope: dict[str, Any]) -> None:
    """Refuse pages of other sites: a browser sends the cookie along for them too."""
    origin = urlsplit(header_of(scope, b"origin"))
    if not origin.netloc or origin.netloc != header_of(scope, b"host"):
        raise Closed(OTHER_ORIGIN, "this page may not open a private stream")


class UserSocket(Socket):
    """The private stream of a log-in: its session cookie says whose."""

    account = 0

    async def _grant(self) -> SessionGrant | None:
        session = cookie_of(self.scope, settings.SESSION_COOKIE_NAME)
        if not session:
            return None
        memory = remembered()
        grant = await memory.session(session, admit=partial(charge_address, self.scope))
        if grant is None or not grant.standing.may_read:
            return None
        self.ends_at = grant.expires_at
        account = str(grant.standing.account)
        self.heed(memory.watchers, (SESSION, sessions.name_of(session)), (ACCOUNT, account))
        return grant

    async def begin(self) -> None:
        """Join the account's group, then say that it is joined: reads come after this."""
        check_origin(self.scope)
        try:
            grant = await self._grant()
            if grant is None:
                raise Closed(NOT_LOGGED_IN, "log in first")
            group = user_group(grant.standing.account)
            await self.follow(group, "user")
        except (Refusal, redis.RedisError, OSError):
            raise Closed(POLICY, "not now: try again") from None
        self.account = grant.standing.account
        self.say({"e": "joined", "E": time.time_ns() // 1_000_000, "account": self.account})

    async def watch(self) -> None:
        """Close when the log-in has ended. While nobody can say, it goes on."""
        try:
            grant = await self._grant()
        except (Refusal, redis.RedisError, OSError):
            return
        if grant is None or grant.standing.account != self.account:
            raise Closed(NOT_LOGGED_IN, "logged out")

    async def hear(self, text: str) -> None:
        """There is nothing to ask of this stream."""
        self.say({"error": {"code": 2, "msg": "Invalid request: unknown method"}, "id": None})


class ApiSocket(Socket):
    """The dialect's WebSocket API, as far as private streams need it."""

    key: str | None = None

    def frame(self, name: str, text: str) -> str:
        """Wrap events with the number of their subscription."""
        return f'{{"subscriptionId":{name},"event":{text}}}'

    async def hear(self, text: str) -> None:
        """Answer one request, with a status as over HTTP."""
        request_id: Any = None
        try:
            request = _parsed(text)
            request_id = request.get("id")
            result = await self._answer(request.get("method"), request.get("params") or {})
            self.say({"id": request_id, "status": 200, "result": result})
        except refusals.DialectRefusal as refused:
            refusal = await self._counted(refused)
            status = refusal.http_status
            self.say({"id": request_id, "status": status, "error": refusal.as_json()})
        except (Refusal, redis.RedisError, OSError):
            error = refusals.not_now("Private streams are not available now; try again.")
            self.say({"id": request_id, "status": error.http_status, "error": error.as_json()})

    async def _counted(self, refusal: refusals.DialectRefusal) -> refusals.DialectRefusal:
        """Count a request that failed against its address; too many are answered as such."""
        try:
            await charge_address(self.scope)
        except refusals.DialectRefusal as too_fast:
            return too_fast
        return refusal

    async def _answer(self, method: Any, params: Any) -> dict[str, Any]:
        if not isinstance(params, dict):
            raise refusals.bad_value("params")
        if method == SUBSCRIBE:
            await self._subscribe(params)
            return {"subscriptionId": SUBSCRIPTION}
        if method == UNSUBSCRIBE:
            for group in list(self.groups):
                await self.unfollow(group, str(SUBSCRIPTION))
            self.key = None
            return {}
        if method == "time":
            return {"serverTime": time.time_ns() // 1_000_000}
        if method == "ping":
            return {}
        raise refusals.DialectRefusal(-1020, "This operation is not supported.")

    async def _subscribe(self, params: dict[str, Any]) -> None:
        values = {str(name): _word(name, value) for name, value in params.items()}
        fields = Params(values)
        key, signature = fields.needed("apiKey"), fields.needed("signature")
        signing.check_key_format(key)
        memory = remembered()
        found = await memory.key(key, admit=partial(charge_address, self.scope))
        signed = "&".join(
            f"{name}={value}" for name, value in sorted(values.items()) if name != "signature"
        )
        address = addresses.peer(self.scope)
        known = callers.used_from(found, address)
        grant = signing.believed(known, signed.encode(), signature=signature)
        if not grant.standing.may_read:
            raise refusals.bad_key()
        signing.check_time(fields, now_ns=time.time_ns())
        if self.key not in (None, key):
            raise refusals.DialectRefusal(-1020, "One socket follows one account.")
        account = grant.standing.account
        await self.follow(user_group(account), str(SUBSCRIPTION))
        self.key, self.ends_at = key, grant.expires_at
        memory.uses.note(key, address)
        self.heed(memory.watchers, (KEY, key), (ACCOUNT, str(account)))

    async def watch(self) -> None:
        """Close when the key was revoked."""
        if self.key is None:
            return
        try:
            found = await remembered().key(self.key)
        except (Refusal, redis.RedisError, OSError):
            return
        grant = callers.used_from(found, addresses.peer(self.scope))
        if grant is None or not grant.standing.may_read:
            raise Closed(NOT_LOGGED_IN, "the API key is no longer valid")
        self.ends_at = grant.expires_at


def _parsed(text: str) -> dict[str, Any]:
    try:
        request = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise refusals.DialectRefusal(-1100, "Invalid JSON.") from None
    if not isinstance(request, dict):
        raise refusals.bad_value("request")
    if isinstance(request.get("id"), float | list | dict) or len(str(request.get("id"))) > 40:
        request["id"] = None
    return request


def _word(name: Any, value: Any) -> str:
    """Write a parameter as the client signed it: words and whole numbers have one spelling."""
    if isinstance(value, bool) or not isinstance(value, str | int) or len(str(value)) > 200:
        raise refusals.bad_value(str(name)[:40])
    return str(value)
