"""An ASGI application behind a real server, in the loop of the test that asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from tests.helpers.ports import free_ports


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    """Serve, and give the address: "127.0.0.1:PORT"."""
    (port,) = free_ports(1)
    config = uvicorn.Config(
        application,
        port=port,
        ws="websockets-sansio",
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    for _ in range(1_000):
        if server.started or serving.done():
            break
        await asyncio.sleep(0.01)
    if serving.done():
        await serving  # It says why it could not start.
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving
