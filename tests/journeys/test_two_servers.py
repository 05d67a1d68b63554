"""What the server in front of an edge may not change: limits of strangers, and a clean end."""

from __future__ import annotations

import signal
import time
from socket import create_connection
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

pytestmark = pytest.mark.stack


def socket(edge, path: str, **options):
    return connect(edge.url.replace("http", "ws", 1) + path, proxy=None, open_timeout=5, **options)


@pytest.mark.parametrize("path", ["/api/v3/order", "/login"])
def test_a_body_without_end_is_answered_before_its_end(edge, path):
    address = urlsplit(edge.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Length: 1000000000\r\n\r\n"
    with create_connection((address.hostname, address.port), timeout=5) as line:
        line.sendall(head.encode() + b"a" * 512 * 1024)
        answer = line.recv(100)

    assert answer.startswith(b"HTTP/1.1 413 ")


def test_no_header_moves_the_root_of_the_exchange(edge):
    headers = {"Daphne-Root-Path": "/api/v3", "X-Forwarded-Prefix": "/api/v3"}

    with httpx.Client(base_url=edge.url, headers=headers, trust_env=False, timeout=5) as http:
        moved, own = http.get("/api/v3/health/live"), http.get("/api/v3/ping")

    assert (moved.status_code, own.status_code) == (404, 200)


def test_a_socket_is_closed_with_the_code_and_the_reason_that_we_chose(edge):
    with socket(edge, "/ws/btcusdt@nonsense") as unknown:
        assert "unknown stream" in unknown.recv(timeout=5)
        with pytest.raises(ConnectionClosed) as closed:
            unknown.recv(timeout=5)

    assert closed.value.rcvd.code == 1008
    assert closed.value.rcvd.reason


def test_a_socket_of_another_sites_page_is_not_opened(edge):
    with (
        pytest.raises(InvalidStatus) as refused,
        socket(edge, "/stream", origin="http://evil.test"),
    ):
        pass

    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("server", ["uvicorn", "daphne"])
def test_an_edge_that_is_stopped_says_so_to_its_sockets_and_goes(stack, server):
    with stack.another_edge(FAIRBOOK_ASGI=server) as edge, socket(edge, "/stream") as open_socket:
        edge.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        with pytest.raises(ConnectionClosed) as closed:
            open_socket.recv(timeout=8)
        code = edge.process.wait(timeout=8)

    assert closed.value.rcvd.code == 1012
    assert time.monotonic() - began < 8
    assert code in (0, -signal.SIGTERM)
