"""Health, logs and stopping, as every process has them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from apps.common import logs
from apps.common.service import Service
from tests.helpers.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]


def _get(port, path):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=2) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


@pytest.fixture
def service():
    """Return a service on a free port; its signals and logs are pytest's."""
    running = Service("book-X-a", "book", port=0, handle_signals=False, configure_logs=False)
    yield running
    running.close()


def test_a_process_is_ready_when_every_check_holds(service):
    assert _get(service.port, "/health/ready")[0] == 503

    service.check("journal", True)
    service.check("standby", False, "catching up")
    status, body = _get(service.port, "/health/ready")
    assert status == 503
    assert json.loads(body)["checks"] == {"journal": "ok", "standby": "catching up"}

    service.check("standby", True)
    service.info(role="owner", epoch=3)
    status, body = _get(service.port, "/health/ready")
    assert (status, json.loads(body)["role"]) == (200, "owner")


def test_a_process_that_stops_lives_and_is_not_ready(service):
    service.check("journal", True)
    service.stop()
    assert _get(service.port, "/health/ready")[0] == 503
    assert _get(service.port, "/health/live")[0] == 200


def test_metrics_are_served_beside_health(service):
    status, body = _get(service.port, "/metrics")
    assert status == 200
    assert b"process_cpu_seconds_total" in body


def test_sigterm_ends_the_loop_and_the_process(tmp_path):
    program = (
        "from apps.common.service import Service\n"
        "s = Service(kind='book'); s.check('journal', True)\n"
        "s.stopping.wait(20); s.close(); raise SystemExit(0)\n"
    )
    (port,) = free_ports(1)
    environ = os.environ | {"FAIRBOOK_SERVICE": "book-X-a", "FAIRBOOK_SERVICE_PORT": str(port)}
    child = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, env=environ, stderr=subprocess.PIPE
    )
    ends_at = time.monotonic() + 10
    while time.monotonic() < ends_at:
        try:
            if _get(port, "/health/ready")[0] == 200:
                break
        except OSError:
            time.sleep(0.05)
    child.send_signal(signal.SIGTERM)
    _, said = child.communicate(timeout=10)
    assert child.returncode == 0
    assert json.loads(said.splitlines()[0])["event"] == "service.check.changed"


def test_logs_hold_no_secret():
    event = {
        "event": "users.key.made",
        "api_secret": "hush",
        "password": "hush",
        "url": "redis://:hush@127.0.0.1/0",
        "account": 1024,
    }
    shown = json.dumps(logs.redact(None, "info", event))
    assert "hush" not in shown
    assert "1024" in shown
