"""Serve one edge by the server that FAIRBOOK_ASGI names: `python -m … serve HOST PORT`."""

from __future__ import annotations

import sys
from importlib import import_module

from apps.common.config import config

APPLICATION = "exchange_site.asgi:application"  # By name: nothing of `ops` imports Django.
DAPHNE = "exchange_site.daphne_edge"
SWITCH_S = 0.0005
"""How long a thread (a page, a read of PostgreSQL) may keep the event loop from going on."""


def _uvicorn(host: str, port: int) -> None:
    import uvicorn

    uvicorn.run(
        APPLICATION,
        host=host,
        port=port,
        loop="uvloop",
        http="httptools",
        ws="websockets",
        lifespan="on",
        log_config=None,  # Django's logging configuration stands: JSON, one handler.
        access_log=False,
        server_header=False,
        proxy_headers=False,  # A forwarded-for header is what anybody may write.
        date_header=True,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=3,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_max_size=64 * 1024,
        ws_per_message_deflate=False,  # Costs each client memory and CPU; messages are small.
    )


def _daphne(host: str, port: int) -> None:
    import_module(DAPHNE).serve(host, port)


def main() -> None:
    """Serve until SIGTERM."""
    host, port = sys.argv[1], int(sys.argv[2])
    sys.setswitchinterval(SWITCH_S)
    _daphne(host, port) if config.get("FAIRBOOK_ASGI") == "daphne" else _uvicorn(host, port)


if __name__ == "__main__":
    main()
