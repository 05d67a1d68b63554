"""Start and stop of the edge, in the loop that serves (see exchange_site/asgi.py)."""

from __future__ import annotations

from apps.orders import runtime


async def startup() -> None:
    """Open the edge before its first request."""
    await runtime.edge()


async def shutdown() -> None:
    """Close it."""
    await runtime.close()
