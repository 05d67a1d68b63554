"""Daphne lets a socket's writer run ahead of its reader; our edges' Daphne does not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from websockets.sync.client import connect

from tests.helpers.environment import clean_environ
from tests.helpers.ports import free_ports
from tests.helpers.stack import ROOT

FIREHOSE = """
import asyncio, sys
from exchange_site import daphne_edge

class Quiet:
    async def ensure_started(self): print("listens", flush=True)
    async def stop(self): pass

async def firehose(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    try:
        for _ in range(20_000):
            message = {"type": "websocket.send", "text": "x" * 10_000}
            await asyncio.wait_for(send(message), 1)
        print("never waits", flush=True)
    except TimeoutError:
        print("waits", flush=True)

daphne_edge.application, daphne_edge.lifespan = firehose, Quiet()
daphne_edge.serve("127.0.0.1", int(sys.argv[1]))
"""


@pytest.mark.timeout(60)
def test_who_writes_to_a_socket_that_nobody_reads_waits(tmp_path):
    (port,) = free_ports(1)
    settings = {"FAIRBOOK_ENV": "test", "FAIRBOOK_VAR": str(tmp_path), "PYTHONPATH": str(ROOT)}
    server = subprocess.Popen(
        [sys.executable, "-c", FIREHOSE, str(port)],
        cwd=ROOT, env=clean_environ(os.environ) | settings, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout.readline() == "listens\n"
        with connect(f"ws://127.0.0.1:{port}/", proxy=None, max_queue=1, close_timeout=0.1):
            assert server.stdout.readline() == "waits\n"
    finally:
        server.terminate()
        server.wait(timeout=10)
        server.stdout.close()
