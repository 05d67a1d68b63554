"""What the dialect's views of Django REST framework share: parameters, limits, refusals."""

from __future__ import annotations

from functools import cache as once
from functools import partial
from typing import Any

import redis
import structlog
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView, set_rollback

from apps.common.api import as_refusal
from apps.common.errors import Refusal
from apps.common.middleware import name_refusal
from apps.common.redis_clients import cache_client
from apps.marketdata.selectors import MarketDataNotReady, UnknownSymbol
from apps.markets import selectors as markets
from apps.markets.contracts import Catalogue
from apps.orders import callers
from apps.orders.contracts import Caller
from apps.orders.dialect import refusals
from apps.orders.dialect.params import Params
from apps.orders.doors import in_dialect
from apps.orders.gate import ThreadGate
from apps.orders.limits import Spend, Used
from apps.orders.readmodels import ReadModelsNotReady
from apps.users import memory as users_memory
from apps.users.memory import EdgeMemory

log = structlog.get_logger("fairbook.edge")


@once
def cache() -> redis.Redis:
    """Return this process's client of the cache, for threads."""
    return cache_client(socket_timeout=1, socket_connect_timeout=0.5, max_connections=64)


@once
def gate() -> ThreadGate:
    """Return this process's gate, for threads."""
    return ThreadGate(cache())


def memory() -> EdgeMemory:
    """Return what this process remembers of keys and log-ins."""
    return users_memory.for_threads()


class _AlwaysJson(BaseContentNegotiation):
    """The dialect speaks JSON whatever the client says it likes."""

    def select_parser(self, _request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, _request: Any, renderers: Any, _suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class DialectView(APIView):
    """A door of the dialect. Subclasses say what they read and what they cost."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    content_negotiation_class = _AlwaysJson
    allowed: frozenset[str] = frozenset()
    weight = 1
    used: Used | None = None
    is_counted = False

    def get_exception_handler(self) -> Any:
        """Say every refusal in the dialect's words."""
        return refuse

    @property
    def catalogue(self) -> Catalogue:
        """What is traded here."""
        return markets.catalogue()

    def params(self, request: Request, *, weight: int | None = None) -> Params:
        """Count a public request against its address, broken or not, and read it."""
        plain = request._request  # noqa: SLF001 - raw bytes.
        self._charge(f"ip:{callers.address_of(plain)}", weight)
        return callers.public_params(plain, self.allowed)

    def caller(self, request: Request, *, weight: int | None = None) -> Caller:
        """Say who asks, and count it against their account."""
        plain = request._request  # noqa: SLF001 - signatures are over the raw bytes.
        charge_address = partial(self._charge, f"ip:{callers.address_of(plain)}", 1)
        try:
            found = callers.identify_now(plain, memory(), self.allowed, admit=charge_address)
        except refusals.DialectRefusal:
            if not self.is_counted:  # By now it is, if its key or cookie had to be looked up.
                charge_address()
            raise
        self._charge(f"a:{found.account}", weight)
        return found

    def _charge(self, who: str, weight: int | None) -> None:
        self.is_counted = True
        self.used = gate().admit(Spend(who, self.weight if weight is None else weight))

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Say what the request cost."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.used is not None:
            for name, value in self.used.headers().items():
                final[name] = value
        return final


def refuse(error: Exception, _context: dict[str, Any]) -> Response | None:
    """Answer a refusal as {code, msg}. A fault goes on to the log."""
    refusal = _refusal_of(error)
    if refusal is None:
        return None
    set_rollback()
    spoken = in_dialect(refusal)
    response = Response(spoken.as_json(), status=spoken.http_status)
    name_refusal(response, spoken.number)
    for name, value in spoken.headers.items():
        response[name] = value
    if spoken.retry_after_s is not None:
        response["Retry-After"] = str(spoken.retry_after_s)
    return response


def _refusal_of(error: Exception) -> Refusal | None:
    if isinstance(error, UnknownSymbol):
        return refusals.bad_symbol()
    if isinstance(error, MarketDataNotReady | ReadModelsNotReady):
        return refusals.catching_up()
    return as_refusal(error)
