"""The edge's front: what is refused before any view is asked, and with which headers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from exchange_site import asgi, checks

HEADERS = {b"X-Content-Type-Options", b"Content-Security-Policy", b"Cache-Control"}
WAYS = [(asgi.fast, "/api/v3/ping"), (asgi.pages, "/api/v3/depth")]
NOWHERE = "/api/v3/order/nowhere"


async def asked(handler: Any, path: str, *, endless: bool = False, **scope: Any) -> list[Any]:
    """Send a request; return what came back."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        body = b"x" * 65_536 if endless else b""
        return {"type": "http.request", "body": body, "more_body": endless}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    full = {"type": "http", "scheme": "http", "method": "GET", "path": path}
    full |= {"query_string": b"", "headers": [], **scope}
    await asyncio.wait_for(handler(full, receive, send), 5)
    return sent


@pytest.mark.parametrize(("handler", "path"), WAYS)
async def test_a_body_without_end_is_not_read_to_its_end(handler, path):
    start, *_ = await asked(handler, path, endless=True)

    assert start["status"] == 413
    assert set(dict(start["headers"])) >= HEADERS


@pytest.mark.parametrize(("handler", "path"), WAYS)
async def test_an_address_that_is_no_text_is_refused_with_every_header(handler, path):
    start, *_ = await asked(handler, path, query_string=b"symbol=\xff")

    assert start["status"] == 400
    assert set(dict(start["headers"])) >= HEADERS


@pytest.mark.parametrize(
    ("path", "origin", "code"),
    [
        ("/nowhere", b"", 4404),
        ("/nowhere", b"http://here", 4404),
        ("/ws", b"http://[", 4403),
        ("/ws", b"http://there", 4403),
        ("/ws", b"null", 4403),
    ],
)
async def test_a_socket_that_may_not_be_is_closed_without_a_fault(path, origin, code):
    headers = [(b"host", b"here"), *([(b"origin", origin)] if origin else [])]
    sent = await asked(asgi._router, path, type="websocket", headers=headers)

    assert sent == [{"type": "websocket.close", "code": code}]


async def test_the_trading_api_too_tells_browsers_to_stay_with_https(settings):
    settings.SECURE_HSTS_SECONDS = 31_536_000
    handler = asgi.FastHandler()

    secure, *_ = await asked(handler, NOWHERE, scheme="https")
    plain, *_ = await asked(handler, NOWHERE)

    assert dict(secure["headers"])[b"Strict-Transport-Security"].startswith(b"max-age=31536000")
    assert b"Strict-Transport-Security" not in dict(plain["headers"])


def test_an_edge_of_an_unsafe_production_does_not_start(settings):
    checks.refuse_to_serve_unsafely()
    settings.FAIRBOOK_ENV, settings.DEBUG = "production", True

    with pytest.raises(ImproperlyConfigured, match=r"E010.*E011"):
        checks.refuse_to_serve_unsafely()
