"""The whole exchange, for tests: the same supervisor, servers and processes as `make up`.

stack.url                     http://127.0.0.1:PORT of edge-1 (edge_url(2) for edge-2)
stack.demo["alice"]           the demo user as var/demo.json has it: password, api_key, api_secret…
stack.services()              {name: row of `manage.py services --json`}
stack.kill("risk-0-a")        kill -9; returns the dead pid (signal=… sends another one)
stack.wait_ready("risk-0-a")  wait until it is ready again
stack.manage("verify", "--json")   run a management command: CompletedProcess with text
stack.give("bob", "SOL", 10**9)    credit somebody by a deposit
stack.another_edge(FAIRBOOK_ASGI="daphne")   one more edge, with settings of its own: .url and .demo
stack.environ                 the environment of its processes, to start a client of your own
"""

from __future__ import annotations

import json
import os
import shutil
import signal as signals
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import redis

from apps.common.config import Config
from tests.helpers.environment import clean_environ
from tests.helpers.ports import free_port_range

ROOT = Path(__file__).resolve().parents[2]
_PORTS = 48  # Edges, servers, then one port per process.
DEPOSIT = """
from django.db import transaction
from apps.common import outbox
from apps.risk.contracts.commands import Deposit
from apps.users import selectors
from apps.users.services import people
user = selectors.user_by_email(people.full_login({login!r}))
owner = selectors.standing_for_user(user.pk)
with transaction.atomic():
    command = Deposit(owner.account, {asset!r}, {minor}, "a test")
    outbox.send(command, worker=f"risk:{{owner.partition}}")
"""


class StackFailed(AssertionError):
    """The exchange did not come up, or a process did not come back. Carries the log's end."""


@dataclass(frozen=True)
class Edge:
    """One more edge of a running exchange."""

    url: str
    demo: dict[str, dict[str, Any]]
    process: subprocess.Popen[bytes]


class Stack:
    """One running exchange with its own ports and data directory."""

    def __init__(self, **settings: str) -> None:
        """Choose ports and a directory. Settings are environment variables to add or replace."""
        self.var = Path(tempfile.mkdtemp(prefix="fbstack-"))
        first = free_port_range(_PORTS)
        self.environ = clean_environ(os.environ) | {
            "FAIRBOOK_VAR": str(self.var),
            "FAIRBOOK_PORT": str(first),
            "FAIRBOOK_STATUS_PORT": str(first + 7),
            "FAIRBOOK_POSTGRES_PORT": str(first + 8),
            "FAIRBOOK_JOURNAL_PORT": str(first + 9),
            "FAIRBOOK_CACHE_PORT": str(first + 10),
            "FAIRBOOK_METRICS_PORT": str(first + 12),
            "FAIRBOOK_BOTS": "0",
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            **settings,
        }

    # -- up and down

    def up(self, *, seconds: float = 300) -> None:
        """Bring everything up and wait until it is ready."""
        done = self._run("-m", "exchange_site.ops.up", "--detach", seconds=seconds)
        if done.returncode != 0:
            raise StackFailed(f"up ended with {done.returncode}\n{done.stdout}\n{done.stderr}")

    def down(self, *, keep: bool = False) -> None:
        """Stop everything and remove the data (keep, or FAIRBOOK_KEEP_STACK=1, leaves it)."""
        self._run("-m", "exchange_site.ops.down", seconds=60)
        self.__dict__.pop("demo", None)
        if not keep and not os.environ.get("FAIRBOOK_KEEP_STACK"):
            shutil.rmtree(self.var, ignore_errors=True)

    # -- what is there

    @property
    def url(self) -> str:
        return self.edge_url(1)

    def edge_url(self, number: int) -> str:
        """Return the address of edge-<number>."""
        return f"http://127.0.0.1:{int(self.environ['FAIRBOOK_PORT']) + number - 1}"

    @cached_property
    def demo(self) -> dict[str, dict[str, Any]]:
        """The demo users by login, as var/demo.json has them."""
        document = json.loads((self.var / "demo.json").read_text())
        return {user["login"]: user for user in document["users"]}

    def services(self) -> dict[str, dict[str, Any]]:
        """Return the services by name."""
        done = self._run("-m", "exchange_site.ops.status", "--json", seconds=30)
        if done.returncode != 0:
            raise StackFailed(f"services ended with {done.returncode}\n{done.stderr}")
        return {row["name"]: row for row in json.loads(done.stdout)["services"]}

    def log(self, name: str, *, lines: int = 40) -> str:
        """Return the end of a process's log."""
        path = self.var / "log" / f"{name}.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def give(self, login: str, asset: str, minor: int) -> None:
        """Credit somebody, by the way that a deposit takes."""
        done = self.manage("shell", "-c", DEPOSIT.format(login=login, asset=asset, minor=minor))
        assert done.returncode == 0, done.stderr

    def manage(self, *args: str, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `manage.py` inside this exchange."""
        return self._run("manage.py", *args, seconds=seconds)

    @contextmanager
    def another_edge(self, *, seconds: float = 30, **settings: str) -> Iterator[Edge]:
        """Run one more edge beside those of the supervisor, and wait until it is ready."""
        port = free_port_range(2)
        name = f"edge-{port}"
        environ = self.environ | settings | {"FAIRBOOK_SERVICE": name}
        environ["FAIRBOOK_SERVICE_PORT"] = str(port + 1)
        log = self.var / "log" / f"{name}.log"
        command = [sys.executable, "-m", "exchange_site.ops.serve", "127.0.0.1", str(port)]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=out)
        edge = Edge(f"http://127.0.0.1:{port}", self.demo, process)
        try:
            ends_at = time.monotonic() + seconds
            while not _is_ready(edge.url):
                if process.poll() is not None or time.monotonic() > ends_at:
                    raise StackFailed(f"no edge in {seconds} s\n{self.log(name)}")
                time.sleep(0.1)
            yield edge
        finally:
            process.terminate()
            process.wait(timeout=15)

    def settings(self) -> Config:
        """Return the settings of this exchange as an operator finds them, secrets included."""
        return Config(self.environ)

    def refused(self) -> list[str]:
        """Return what the servers refused to our own processes (Valkeys: since they started)."""
        settings, log = self.settings(), self.var / "log/postgres.log"
        said = log.read_text(errors="replace").splitlines() if log.exists() else []
        found = [line for line in said if "permission denied for" in line]
        for server, url in (("journal", "JOURNAL_URL"), ("cache", "REDIS_URL")):
            if settings.is_set(url):
                continue  # Not ours: who is refused what there is its owner's to say.
            with redis.Redis.from_url(settings.text(url)) as admin:
                rows = cast("list[dict[str, Any]]", admin.acl_log())
                found += [
                    f"{server}: {row['username']} {row['reason']} {row['object']}" for row in rows
                ]
        return sorted(found)

    # -- faults

    def pid(self, name: str) -> int:
        """Return the pid of a running process, from its start record."""
        record = json.loads((self.var / "run" / f"{name}.json").read_text())
        return int(record["pid"])

    def kill(self, name: str, *, signal: int = signals.SIGKILL) -> int:
        """Send a signal (kill -9 unless said) to a process and return the pid it had."""
        pid = self.pid(name)
        os.kill(pid, signal)
        return pid

    def wait_ready(self, *names: str, seconds: float = 15) -> None:
        """Wait until these processes (all, when none is named) are ready."""
        ends_at = time.monotonic() + seconds
        while True:
            rows = self.services()
            waiting = [n for n in (names or rows) if rows[n]["state"] != "ready"]
            if not waiting:
                return
            if time.monotonic() > ends_at:
                states = {n: rows[n]["state"] for n in waiting}
                raise StackFailed(f"not ready in {seconds} s: {states}\n{self.log(waiting[0])}")
            time.sleep(0.1)

    def _run(self, *args: str, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *args],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
