"""The one ASGI application of the edges; uvicorn or Daphne serves it (exchange_site/ops/serve.py).

Two ways through Django for HTTP. FAST_PATHS (the trading API) take `FastHandler`: async views,
FAST_MIDDLEWARE, no signals and no thread hop. Everything else takes Django's own handler.
WebSockets: an app brings `routing.py` with `websocket_urlpatterns`.

Start and stop of an edge: an app may bring `lifespan.py` with `async def startup()` and
`async def shutdown()`. They run inside the event loop that serves requests, before the first one
(also under Daphne, which has no lifespan protocol: there the first request waits for them).
An edge is ready once all startups are done; an app adds checks by `apps.common.service.current()`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "exchange_site.settings")

import django

django.setup(set_prefix=False)

from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.exceptions import RequestAborted  # noqa: E402
from django.core.handlers.asgi import ASGIHandler, get_script_prefix  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import re_path, set_script_prefix  # noqa: E402

from apps.common import addresses, refusal_log  # noqa: E402
from apps.common.bodies import body_bytes_max  # noqa: E402
from apps.common.middleware import put_fixed_headers  # noqa: E402
from apps.common.service import Service, current  # noqa: E402
from apps.marketdata.crowd import Crowd  # noqa: E402
from apps.orders.https_only import TlsSockets  # noqa: E402
from exchange_site.checks import refuse_to_serve_unsafely  # noqa: E402
from exchange_site.urls import APPS  # noqa: E402

refuse_to_serve_unsafely()


class Upload:
    """What a request comes in by, where a body may be as long as a file."""

    most = settings.UPLOAD_MAX_SIZE

    def __init__(self, receive: Any) -> None:
        self._receive = receive

    async def __call__(self) -> Any:
        """Return the next part."""
        return await self._receive()


class Handler(ASGIHandler):
    """Django's handler, for strangers: no body is longer than ours are, and every no has headers.

    Django writes a body to disk to its end before anybody may refuse it.
    """

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request; where files are sent, its body may be longer."""
        if body_bytes_max(scope["path"]) == Upload.most:
            receive = Upload(receive)
        await super().handle(scope, receive, send)

    async def read_body(self, receive: Any) -> Any:
        """Read a body, or as much of it as says that it is too long."""
        read, most = 0, getattr(receive, "most", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)

        async def bounded() -> Any:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            return message | {"more_body": False} if read > most else message

        return await super().read_body(bounded)

    def create_request(self, scope: Any, body_file: Any) -> Any:
        """Make the request, or the refusal of one that cannot be read."""
        body_file.seek(0, os.SEEK_END)
        is_too_long = body_file.tell() > body_bytes_max(scope["path"])
        body_file.seek(0)
        request, refusal = super().create_request(scope, body_file)
        if is_too_long:
            request, refusal = None, HttpResponse(status=413)
        if isinstance(refusal, HttpResponse):
            put_fixed_headers(refusal)
        return request, refusal


class FastHandler(Handler):
    """Django's way from request to view for async views, without its per-request threads.

    It sends no request signals (they exist to tidy up connections of threads, and these views have
    none) and closes responses on the event loop.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """Build the chain of FAST_MIDDLEWARE in place of MIDDLEWARE."""
        everything = settings.MIDDLEWARE
        settings.MIDDLEWARE = settings.FAST_MIDDLEWARE
        try:
            super().load_middleware(is_async=is_async)
        finally:
            settings.MIDDLEWARE = everything

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        try:
            body_file = await self.read_body(receive)
        except RequestAborted:
            return
        try:
            set_script_prefix(get_script_prefix(scope))
            request, refusal = self.create_request(scope, body_file)
            response = await self.run_get_response(request) if request is not None else refusal
            if response is not None:
                await self.send_response(response, send)
        finally:
            body_file.close()


class Lifespan:
    """Runs the apps' startups once, in the loop that serves, and their shutdowns at the end."""

    def __init__(self) -> None:
        self._started: asyncio.Task[None] | None = None
        names = [f"apps.{app}.lifespan" for app in APPS]
        self._modules = [import_module(name) for name in names if find_spec(name)]

    async def ensure_started(self) -> None:
        """Wait until every startup is done; the first caller begins them."""
        if self._started is None:
            self._started = asyncio.get_running_loop().create_task(self._start())
        if not self._started.done() or self._started.exception():
            await asyncio.shield(self._started)

    async def _start(self) -> None:
        for module in self._modules:
            await module.startup()
        gc.collect()
        gc.freeze()  # What is loaded for good: to go through it again and again stalls requests.
        if (service := current()) is not None:
            service.check("edge", True)

    async def stop(self) -> None:
        """Run every shutdown, also when one of them fails."""
        if (service := current()) is not None:
            service.stop()
        async with contextlib.AsyncExitStack() as stack:
            for module in self._modules:
                stack.push_async_callback(module.shutdown)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Speak the ASGI lifespan protocol."""
        while True:
            kind = (await receive())["type"]
            if kind == "lifespan.startup":
                await self.ensure_started()
            else:
                await self.stop()
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return


class SameOrigin:
    """Refuses a browser's WebSocket that another site's page opened, because cookies ride along.

    Browsers always send Origin and programs rarely do, so one without it is let through.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass on, or close before accepting (the client sees 403)."""
        headers = dict(scope["headers"])
        origin, host = headers.get(b"origin", b"").decode("latin1"), headers.get(b"host", b"")
        try:
            own = urlsplit(origin).netloc == host.decode("latin1")
        except ValueError:  # No address at all: "http://[".
            own = False
        if not origin or own or origin in settings.CSRF_TRUSTED_ORIGINS:
            await self._inner(scope, receive, send)
        else:
            refusal_log.in_use.note(
                "ws.socket.refused", code="other_origin", address=addresses.of_scope(scope)
            )
            await send({"type": "websocket.close", "code": 4403})


def _websocket_routes() -> list[Any]:
    names = [f"apps.{app}.routing" for app in APPS]
    modules = [import_module(name) for name in names if find_spec(name)]
    routes = [route for module in modules for route in module.websocket_urlpatterns]
    nowhere: Any = _nowhere
    return [*routes, re_path("", nowhere)]


async def _nowhere(_scope: Any, _receive: Any, send: Any) -> None:
    """Refuse a WebSocket to an address that has none."""
    await send({"type": "websocket.close", "code": 4404})


lifespan = Lifespan()
pages = Handler()
fast = FastHandler()
_router = ProtocolTypeRouter(
    {
        "http": pages,
        "websocket": TlsSockets(SameOrigin(Crowd(URLRouter(_websocket_routes())))),
        "lifespan": lifespan,
    }
)

if os.environ.get("FAIRBOOK_SERVICE_PORT"):
    Service(kind="edge", handle_signals=False, configure_logs=False).check(
        "edge", False, "starting"
    )


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Take one connection the way its path wants."""
    if scope["type"] != "lifespan":
        await lifespan.ensure_started()
    if scope["type"] == "http" and scope["path"].startswith(settings.FAST_PATHS):
        await fast(scope, receive, send)
    else:
        await _router(scope, receive, send)
