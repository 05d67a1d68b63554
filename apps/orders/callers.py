"""Who asks? An API key with its signature, or a log-in with its cookie and its CSRF header.

One set of rules for both ways in: `identify` for event loops, `identify_now` for threads.
"""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest, RequestDataTooBig, SuspiciousOperation
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParserError
from django.middleware.csrf import CsrfViewMiddleware

from apps.orders.contracts import Caller
from apps.orders.dialect import params as dialect_params
from apps.orders.dialect import refusals, signing
from apps.orders.dialect.params import Params
from apps.risk.engine import codes
from apps.users.contracts import KeyGrant, SessionGrant, Standing
from apps.users.memory import EdgeMemory

KEY_HEADER = "HTTP_X_MBX_APIKEY"
SESSION_DEADLINE_NS = 5_000_000_000
UNKNOWN_SECRET = b"\x00" * 64  # An unknown key costs the same as a wrong signature.
# Refusals that say "we do not know you": they count against the address.
STRANGER_NUMBERS = frozenset({-1022, -2014, -2015})


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
    """Return the address that the connection came from. Forwarded-for headers say nothing here."""
    return str(request.META.get("REMOTE_ADDR") or "unknown")


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
        self.params = dialect_params.parse(self.query, self.body)
        self.key: str | None = request.META.get(KEY_HEADER)
        self.session: str | None = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if self.key is None and self.session is None:
            raise refusals.bad_key_format()
        if self.key is not None:
            signing.check_key_format(self.key)
            self.params.needed("timestamp")
            self.params.needed("signature")

    def by_key(self, grant: KeyGrant | None) -> Caller:
        """Believe a signature, or refuse it."""
        key, now_ns = str(self.key), time.time_ns()
        signed = signing.signed_bytes(self.query, self.body)
        secret = UNKNOWN_SECRET if grant is None else grant.secret
        try:
            signing.check_signature(secret, signed, signature=self.params.needed("signature"))
        except refusals.DialectRefusal:
            if grant is None:
                raise refusals.bad_key() from None
            raise
        if grant is None or not grant.standing.may_read:
            raise refusals.bad_key()
        deadline_ns = signing.check_time(self.params, now_ns=now_ns)
        self.params.check_known(self.allowed)
        return Caller(
            standing=grant.standing,
            params=self.params,
            deadline_ns=deadline_ns,
            key=key,
            signed=signed,
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


async def identify(request: HttpRequest, memory: EdgeMemory, allowed: frozenset[str]) -> Caller:
    """Say who asks, or refuse. `allowed` are the endpoint's parameters."""
    claim = _Claim(request, allowed)
    if claim.key is not None:
        return claim.by_key(await memory.key(claim.key))
    return claim.by_session(await memory.session(str(claim.session)))


def identify_now(request: HttpRequest, memory: EdgeMemory, allowed: frozenset[str]) -> Caller:
    """Do the same from a thread."""
    claim = _Claim(request, allowed)
    if claim.key is not None:
        return claim.by_key(memory.key_now(claim.key))
    return claim.by_session(memory.session_now(str(claim.session)))


async def identify_key(request: HttpRequest, memory: EdgeMemory) -> Standing:
    """Say whose API key a request names; for the endpoints that need no signature."""
    key = request.META.get(KEY_HEADER, "")
    signing.check_key_format(key)
    grant = await memory.key(key)
    if grant is None or not grant.standing.may_read:
        raise refusals.bad_key()
    return grant.standing


def public_params(request: HttpRequest, allowed: frozenset[str]) -> Params:
    """Read the parameters of an endpoint that is open to all."""
    found = dialect_params.parse(*raw_parts(request))
    found.check_known(allowed)
    return found


def check_may_trade(caller: Caller) -> None:
    """Refuse new orders of who may only look, and of accounts that may not trade."""
    check_may_cancel(caller)
    if not caller.standing.may_trade:
        raise refusals.of_engine(codes.ACCOUNT_FROZEN)


def check_may_cancel(caller: Caller) -> None:
    """Refuse cancels of who may only look. A frozen account still cancels."""
    if not caller.standing.may_cancel:
        raise refusals.bad_key()
