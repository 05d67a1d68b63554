"""The edge's front: what is refused before any view is asked, and with which headers."""

from __future__ import annotations

import asyncio
import json
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
    read = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await asyncio.sleep(0)
        if read.is_set() and not endless:
            await asyncio.Event().wait()  # The other end listens, and says no more.
        read.set()
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


@pytest.fixture
def behind_tls(settings):
    """Be set as production is: a front ends TLS and says so."""
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    settings.SECURE_REDIRECT_EXEMPT = [r"^health/"]
    return settings


CLEAR = [(b"host", b"here"), (b"x-forwarded-proto", b"http")]
BY_TLS = [(b"host", b"here"), (b"x-forwarded-proto", b"https")]
PROGRAMS = [
    (asgi.FastHandler, "/api/v3/ping", {"code": -1000}),
    (asgi.FastHandler, "/api/v1/cancelAllAfter", {"code": "https_required"}),
    (asgi.Handler, "/api/v3/exchangeInfo", {"code": -1000}),
    (asgi.Handler, "/sapi/v1/system/status", {"code": -1000}),
    (asgi.Handler, "/api/v1/session", {"code": "https_required"}),
    (asgi.Handler, "/api/schema/", {"code": "https_required"}),
    (asgi.Handler, "/api/nowhere", {"code": "https_required"}),
]


@pytest.mark.parametrize(("make", "path", "said"), PROGRAMS)
@pytest.mark.parametrize("headers", [CLEAR, CLEAR[:1]], ids=["said", "unsaid"])
async def test_a_program_that_comes_in_the_clear_is_refused_and_not_redirected(
    behind_tls, make, path, said, headers
):
    start, body = await asked(make(), path, headers=headers)

    assert start["status"] == 403
    assert b"Location" not in dict(start["headers"])
    assert set(dict(start["headers"])) >= HEADERS
    assert json.loads(body["body"]).items() >= said.items()


async def test_a_page_that_is_asked_for_in_the_clear_is_redirected(behind_tls):
    start, *_ = await asked(asgi.Handler(), "/login/", headers=CLEAR)

    assert start["status"] == 301
    assert dict(start["headers"])[b"Location"] == b"https://here/login/"


async def test_health_is_told_on_the_machine_without_tls(behind_tls):
    start, *_ = await asked(asgi.FastHandler(), "/health/live", headers=CLEAR[:1])

    assert start["status"] == 200


async def test_what_comes_by_tls_is_answered(behind_tls):
    start, *_ = await asked(asgi.FastHandler(), NOWHERE, headers=BY_TLS)

    assert start["status"] == 404


@pytest.mark.parametrize(
    ("scheme", "headers", "code"),
    [
        ("ws", CLEAR[:1], 4426),
        ("ws", CLEAR, 4426),
        ("wss", CLEAR, 4426),
        ("ws", [(b"x-forwarded-proto", b"\xff")], 4426),
        ("ws", BY_TLS, 4404),
        ("wss", BY_TLS[:1], 4404),
    ],
)
async def test_a_socket_in_the_clear_is_closed_before_it_is_open(behind_tls, scheme, headers, code):
    way = {"type": "websocket", "headers": headers, "scheme": scheme}

    assert await asked(asgi._router, "/nowhere", **way) == [
        {"type": "websocket.close", "code": code}
    ]


def test_an_edge_of_an_unsafe_production_does_not_start(settings):
    checks.refuse_to_serve_unsafely()
    settings.FAIRBOOK_ENV, settings.DEBUG = "production", True

    with pytest.raises(ImproperlyConfigured, match=r"E010.*E011"):
        checks.refuse_to_serve_unsafely()
