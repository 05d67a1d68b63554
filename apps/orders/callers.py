"""Who asks? An API key with its signature, or a log-in with its cookie and its CSRF header.

A key signs as the dialect does (`X-MBX-APIKEY`, query and body), or as `/api/v1` does
(`X-Fairbook-Key`, method, path and time besides). One set of rules for all ways in: `identify` for
event loops, `identify_now` for threads.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware

from apps.common import addresses
from apps.markets.contracts import MarketInfo
from apps.orders.contracts import Caller
from apps.orders.dialect import params as dialect_params
from apps.orders.dialect import refusals, signing
from apps.orders.dialect.params import Params
from apps.users import networks, signatures
from apps.users.contracts import KeyGrant, SessionGrant, Standing
from apps.users.memory import KEY, SESSION, Admit, AdmitNow, EdgeMemory

KEY_HEADER = "HTTP_X_MBX_APIKEY"
SESSION_DEADLINE_NS = 5_000_000_000


class _Csrf(CsrfViewMiddleware):
    def _reject(self, _request: HttpRequest, reason: str) -> Any:
        return reason


def _not_asked(_request: HttpRequest) -> Any:
    return None


_csrf = _Csrf(_not_asked)


def raw_parts(request: HttpRequest) -> tuple[bytes, bytes]:
    """Return the query and the body as they were sent."""
    try:
        return str(request.META.get("QUERY_STRING", "")).encode(), request.body
    except RequestDataTooBig:
        raise refusals.too_many_parameters() from None


def address_of(request: HttpRequest) -> str:
    """Return whom the connection's address counts for. Forwarded-for headers say nothing here."""
    return addresses.counted_as(str(request.META.get("REMOTE_ADDR") or ""))


def check_csrf(request: HttpRequest) -> None:
    """Refuse a changing request of a log-in that another site may have made."""
    _csrf.process_request(request)
    try:
        is_ours = _csrf.process_view(request, _not_asked, (), {}) is None
    except (BadRequest, MultiPartParserError, SuspiciousOperation):
        is_ours = False  # It looked for a token in a body that is no form.
    if not is_ours:
        raise refusals.DialectRefusal(
            -2015, "CSRF token missing or incorrect: send the X-CSRFToken header.", status=403
        )


class _Claim:
    """What a request says of its sender, before anybody believes it."""

    def __init__(self, request: HttpRequest, allowed: frozenset[str]) -> None:
        self.request, self.allowed = request, allowed
        self.query, self.body = raw_parts(request)
        self.params = self.times = dialect_params.parse(self.query, self.body)
        self.key: str | None = key_of(request)
        self.session: str | None = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if self.key is None and self.session is None:
            raise refusals.bad_key_format()
        if self.key is None:
            return
        signing.check_key_format(self.key)
        if signatures.KEY_HEADER in request.META:
            self.times = _times_in_headers(request)
        self.times.needed("timestamp")
        self.signature = self.times.needed("signature")

    def by_key(self, grant: KeyGrant | None, memory: EdgeMemory) -> Caller:
        """Believe a signature, or refuse it."""
        now_ns, address = time.time_ns(), str(self.request.META.get("REMOTE_ADDR") or "")
        grant = used_from(grant, address)
        signed = self._signed()
        grant = signing.believed(grant, signed, signature=self.signature)
        if not grant.standing.may_read:
            raise refusals.bad_key()
        deadline_ns = signing.check_time(self.times, now_ns=now_ns)
        self.params.check_known(self.allowed)
        memory.uses.note(grant.public_id, address)
        return Caller(
            standing=grant.standing,
            params=self.params,
            deadline_ns=deadline_ns,
            key=grant.public_id,
            signed=signed,
            markets=grant.markets,
        )

    def _signed(self) -> bytes:
        """Return what the key must have signed."""
        if self.times is self.params:
            return signing.signed_bytes(self.query, self.body)
        return signatures.v1_bytes(
            method=str(self.request.method),
            path=self.request.path,
            query=self.query,
            timestamp=self.times.needed("timestamp"),
            window=self.times.raw("recvWindow") or "",
            body=self.body,
        )

    def by_session(self, grant: SessionGrant | None) -> Caller:
        """Believe a cookie, or refuse it."""
        if grant is None or not grant.standing.may_read:
            raise refusals.bad_key()
        if self.request.method not in ("GET", "HEAD"):
            check_csrf(self.request)
        self.params.check_known(self.allowed)
        deadline_ns = time.time_ns() + SESSION_DEADLINE_NS
        return Caller(standing=grant.standing, params=self.params, deadline_ns=deadline_ns)


def key_of(request: HttpRequest) -> str | None:
    """Return the API key that a request names, if any."""
    named = request.META.get(signatures.KEY_HEADER)
    return named if named is not None else request.META.get(KEY_HEADER)


def _times_in_headers(request: HttpRequest) -> Params:
    """Read when a request was signed, and the signature, from the headers of `/api/v1`."""
    sent = {
        "timestamp": request.META.get(signatures.TIME_HEADER),
        "recvWindow": request.META.get(signatures.WINDOW_HEADER),
        "signature": request.META.get(signatures.SIGNATURE_HEADER),
    }
    return Params({name: str(value) for name, value in sent.items() if value is not None})


def used_from(grant: KeyGrant | None, address: str) -> KeyGrant | None:
    """Return a key that may be used from a connection's address; from another it looks unknown."""
    return grant if grant is not None and networks.allow(grant.networks, address) else None


def way_in(request: HttpRequest) -> tuple[str, str]:
    """Name the way by which a request came in: its kind, and the key or the cookie."""
    key = key_of(request)
    if key is not None:
        return KEY, key
    return SESSION, str(request.COOKIES.get(settings.SESSION_COOKIE_NAME))


async def identify(
    request: HttpRequest, memory: EdgeMemory, allowed: frozenset[str], *, admit: Admit
) -> Caller:
    """Say who asks, or refuse. `allowed` are the endpoint's parameters.

    `admit` counts a name that nobody knows, before PostgreSQL is asked about it.
    """
    claim = _Claim(request, allowed)
    if claim.key is not None:
        return claim.by_key(await memory.key(claim.key, admit=admit), memory)
    return claim.by_session(await memory.session(str(claim.session), admit=admit))


def identify_now(
    request: HttpRequest,
    memory: EdgeMemory,
    allowed: frozenset[str],
    *,
    admit: AdmitNow | None = None,
) -> Caller:
    """Do the same from a thread. Without `admit`, the request was counted before."""
    claim = _Claim(request, allowed)
    if claim.key is not None:
        return claim.by_key(memory.key_now(claim.key, admit=admit), memory)
    return claim.by_session(memory.session_now(str(claim.session), admit=admit))


async def identify_key(request: HttpRequest, memory: EdgeMemory, *, admit: Admit) -> Standing:
    """Say whose API key a request names; for the endpoints that need no signature."""
    key = request.META.get(KEY_HEADER, "")
    signing.check_key_format(key)
    address = str(request.META.get("REMOTE_ADDR") or "")
    grant = used_from(await memory.key(key, admit=admit), address)
    if grant is None or not grant.standing.may_read:
        raise refusals.bad_key()
    memory.uses.note(key, address)
    return grant.standing


def public_params(request: HttpRequest, allowed: frozenset[str]) -> Params:
    """Read the parameters of an endpoint that is open to all."""
    found = dialect_params.parse(*raw_parts(request))
    found.check_known(allowed)
    return found


def check_may_trade(caller: Caller, market: MarketInfo | None = None) -> None:
    """Refuse new orders of who may only look, or not there, and of accounts that may not trade."""
    if not caller.standing.may_cancel:
        raise refusals.bad_key()
    if not caller.standing.may_trade:
        raise refusals.may_not_trade(caller.standing.reasons)
    _check_market(caller, market, number=-2010)


def check_may_cancel(caller: Caller, market: MarketInfo | None = None) -> None:
    """Refuse cancels of who may only look, or not there. A frozen account still cancels."""
    if not caller.standing.may_cancel:
        raise refusals.bad_key()
    _check_market(caller, market, number=-2011)


def _check_market(caller: Caller, market: MarketInfo | None, *, number: int) -> None:
    if caller.markets and market is not None and market.spec.symbol not in caller.markets:
        raise refusals.market_not_allowed(number)
