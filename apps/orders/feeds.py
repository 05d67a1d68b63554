"""Private streams: `/ws/user` for a log-in, `/ws-api/v3` for who signs with an API key.

The dialect's third way, `/ws/<listenKey>`, is `apps.marketdata.feeds`: a listen key is a name that
only its owner knows. All three follow one group per account; what they say is the projector's text.
"""

from __future__ import annotations

import time
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import urlsplit

import msgspec
import redis
from django.conf import settings

from apps.common.errors import Refusal
from apps.marketdata.groups import user_group
from apps.marketdata.sockets import NOT_LOGGED_IN, OTHER_ORIGIN, POLICY, Closed, Socket
from apps.orders import runtime
from apps.orders.dialect import refusals, signing
from apps.orders.dialect.params import Params
from apps.users.contracts import Grant

SUBSCRIPTION = 0  # One account per socket: one subscription.
SUBSCRIBE, UNSUBSCRIBE = "userDataStream.subscribe.signature", "userDataStream.unsubscribe"
NO_SECRET = b"\x00" * 64  # An unknown key costs the same as a wrong signature.


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


def check_origin(scope: dict[str, Any]) -> None:
    """Refuse pages of other sites: a browser sends the cookie along for them too."""
    origin = urlsplit(header_of(scope, b"origin"))
    if not origin.netloc or origin.netloc != header_of(scope, b"host"):
        raise Closed(OTHER_ORIGIN, "this page may not open a private stream")


class UserSocket(Socket):
    """The private stream of a log-in: its session cookie says whose."""

    account = 0

    async def _grant(self) -> Grant | None:
        session = cookie_of(self.scope, settings.SESSION_COOKIE_NAME)
        return await (await runtime.edge()).memory.session(session) if session else None

    async def begin(self) -> None:
        """Join the account's group, then say that it is joined: reads come after this."""
        check_origin(self.scope)
        try:
            grant = await self._grant()
            if grant is None or not grant.standing.may_read:
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
        except refusals.DialectRefusal as refusal:
            status = refusal.http_status
            self.say({"id": request_id, "status": status, "error": refusal.as_json()})
        except (Refusal, redis.RedisError, OSError):
            error = refusals.not_now("Private streams are not available now; try again.")
            self.say({"id": request_id, "status": error.http_status, "error": error.as_json()})

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
        grant = await (await runtime.edge()).memory.key(key)
        signed = "&".join(
            f"{name}={value}" for name, value in sorted(values.items()) if name != "signature"
        )
        secret = NO_SECRET if grant is None else grant.secret
        try:
            signing.check_signature(secret, signed.encode(), signature=signature)
        except refusals.DialectRefusal:
            if grant is None:
                raise refusals.bad_key() from None
            raise
        if grant is None or not grant.standing.may_read:
            raise refusals.bad_key()
        signing.check_time(fields, now_ns=time.time_ns())
        if self.key not in (None, key):
            raise refusals.DialectRefusal(-1020, "One socket follows one account.")
        await self.follow(user_group(grant.standing.account), str(SUBSCRIPTION))
        self.key = key

    async def watch(self) -> None:
        """Close when the key was revoked."""
        if self.key is None:
            return
        try:
            grant = await (await runtime.edge()).memory.key(self.key)
        except (Refusal, redis.RedisError, OSError):
            return
        if grant is None or not grant.standing.may_read:
            raise Closed(NOT_LOGGED_IN, "the API key is no longer valid")


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
