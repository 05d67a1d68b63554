"""Serve one edge by the server that FAIRBOOK_ASGI names: `python -m … serve HOST PORT`."""

from __future__ import annotations

import sys

from apps.common.config import config

APPLICATION = "exchange_site.asgi:application"


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
    from daphne.cli import CommandLineInterface

    words = ["-b", host, "-p", str(port), "--server-name", "fairbook", "--no-server-name"]
    CommandLineInterface().run([*words, "--application-close-timeout", "3", APPLICATION])


def main() -> None:
    """Serve until SIGTERM."""
    host, port = sys.argv[1], int(sys.argv[2])
    _daphne(host, port) if config.get("FAIRBOOK_ASGI") == "daphne" else _uvicorn(host, port)


if __name__ == "__main__":
    main()
