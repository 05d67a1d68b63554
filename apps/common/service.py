"""What every long-running process of the exchange has in common.

    service = Service(kind="book")          # the name comes from FAIRBOOK_SERVICE
    service.check("journal", False, "connecting")
    ...
    service.info(role="owner", epoch=7, shard="BTC-USDT")
    service.check("journal", True)          # ready: at least one check, and all of them ok
    while not service.stopping.is_set():    # SIGTERM and SIGINT set it
        ...
    service.close()

Code that does not hold the object (views of an edge, tasks) asks `current()` for it.

It configures JSON logs, turns SIGTERM and SIGINT into `stopping`, and serves `/health/live`,
`/health/ready` and `/metrics` on 127.0.0.1:$FAIRBOOK_SERVICE_PORT from one daemon thread
(no port in the environment, no server). `manage.py services` reads `role` and `epoch` there.
Metrics are plain `prometheus_client` objects in its default registry. No Django here.

Exit codes the supervisor understands: 0 after a stop, EXIT_LEAVE_STOPPED (78) for "do not start
me again", anything else restarts the process.
"""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any, cast

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, generate_latest

from apps.common import logs

EXIT_LEAVE_STOPPED = 78

_current: Service | None = None


def current() -> Service | None:
    """Return the service of this process, for code deep inside it that has a check to set."""
    return _current


class Service:
    """One process of the exchange: its name, its health, its way to be stopped."""

    def __init__(
        self,
        name: str | None = None,
        kind: str = "",
        *,
        port: int | None = None,
        handle_signals: bool = True,
        configure_logs: bool = True,
    ) -> None:
        """Start serving health. Frameworks that own signals or logs pass False for them."""
        global _current  # noqa: PLW0603 - a process is one service
        _current = self
        self.name = name or os.environ.get("FAIRBOOK_SERVICE") or kind or "service"
        self.kind = kind
        self.build = os.environ.get("FAIRBOOK_BUILD", "dev")
        self.stopping = threading.Event()
        self.started_at = time.time()
        self._checks: dict[str, tuple[bool, str]] = {}
        self._info: dict[str, Any] = {}
        self._on_stop: list[Callable[[], None]] = []
        self._server: ThreadingHTTPServer | None = None
        if configure_logs:
            logs.configure(service=self.name)
        self.log = structlog.get_logger("fairbook.service")
        if handle_signals:
            signal.signal(signal.SIGTERM, self._on_signal)
            signal.signal(signal.SIGINT, self._on_signal)
        wanted = port if port is not None else int(os.environ.get("FAIRBOOK_SERVICE_PORT") or 0)
        if wanted or port == 0:
            self._serve(wanted)

    # -- what the process says of itself

    def check(self, name: str, ok: bool, detail: str = "") -> None:
        """Set one readiness check. A change is logged once."""
        before = self._checks.get(name)
        self._checks[name] = (bool(ok), detail)
        if before is None or before[0] != bool(ok):
            self.log.info("service.check.changed", check=name, ok=bool(ok), detail=detail)

    def info(self, **fields: Any) -> None:
        """Add fields to the health answer: role, epoch, shard, batch, lag."""
        self._info.update(fields)

    @property
    def ready(self) -> bool:
        """Whether there is a check at all, every check holds, and nobody asked us to stop."""
        checks = list(self._checks.values())
        return bool(checks) and all(ok for ok, _ in checks) and not self.stopping.is_set()

    def health(self) -> dict[str, Any]:
        """Return what `/health/ready` answers."""
        status = "ready" if self.ready else "stopping" if self.stopping.is_set() else "starting"
        checks = {
            name: "ok" if ok else (detail or "failed")
            for name, (ok, detail) in list(self._checks.items())
        }
        return {
            "status": status,
            "checks": checks,
            "build": self.build,
            "service": self.name,
            "kind": self.kind,
            "since": self.started_at,
            **self._info,
        }

    # -- the way to be stopped

    def on_stop(self, callback: Callable[[], None]) -> None:
        """Call this when a stop is asked for (from the signal handler, so keep it short)."""
        self._on_stop.append(callback)

    def stop(self) -> None:
        """Ask the process to end, as SIGTERM does."""
        if self.stopping.is_set():
            return
        self.stopping.set()
        for callback in self._on_stop:
            callback()

    def close(self) -> None:
        """Stop serving health."""
        self.stopping.set()
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    @property
    def port(self) -> int | None:
        """The port that health and metrics are served on, or None."""
        return self._server.server_address[1] if self._server else None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self.stop()

    def _serve(self, port: int) -> None:
        self._server = _HealthServer(("127.0.0.1", port), _Handler)
        self._server.service = self
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()


class _HealthServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 16
    service: Service

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing when a client of the health port goes away in the middle."""


class _Handler(BaseHTTPRequestHandler):
    timeout = 5
    server_version = "fairbook"
    sys_version = ""

    def do_GET(self) -> None:
        service = cast(_HealthServer, self.server).service
        path = self.path.partition("?")[0]
        if path == "/health/ready":
            body = service.health()
            self._answer(200 if body["status"] == "ready" else 503, body)
        elif path == "/health/live":
            self._answer(200, service.health() | {"status": "live"})
        elif path == "/metrics":
            self._send(200, CONTENT_TYPE_LATEST, generate_latest(REGISTRY))
        else:
            self._answer(404, {"status": "unknown path"})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body, default=str).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Keep health probes out of the logs."""
