"""Bring the exchange up: `make up` stays in front, `make up DETACH=1` returns when all is ready.

Exit codes: 0 up (and, in front, down again in order) · 1 failed, with the reason · 2 could not run.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from apps.common.config import ROOT, BadSetting, config
from exchange_site.ops import leftovers, places, postgres, servers, status, supervision
from exchange_site.ops.down import take_down
from exchange_site.ops.processes import DOORS, SERVERS, SERVICES, WORKERS, Process, all_processes
from exchange_site.ops.supervision import NoSupervisor, Supervisor

PATIENCE_SECONDS = 60
DEATHS_TOO_MANY = 4  # of one process, before anything was ready


class CannotStart(Exception):
    """The exchange does not come up. The message is for the person who typed `make up`."""


class Steps:
    """Says what is being done, and how long it took."""

    def __init__(self) -> None:
        """Count from when the person pressed return, if the Makefile told us."""
        began = os.environ.get("FAIRBOOK_STARTED")
        self.began_at = float(began) if began else time.time()

    @property
    def seconds(self) -> float:
        return time.time() - self.began_at

    @contextlib.contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Print one line when the step is done."""
        started = time.monotonic()
        yield
        print(f"  {text.ljust(46)} {time.monotonic() - started:6.1f} s", flush=True)


def _lock() -> IO[str]:
    """Hold this data directory: two starts at once would clean each other up."""
    handle = (places.run_dir() / "up.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        raise CannotStart(
            f"another `make up` (process {handle.read().strip() or '?'}) holds {places.var()}: "
            "stop it with Ctrl-C there or with `make down`"
        ) from None
    handle.truncate(0)
    handle.write(str(os.getpid()))
    handle.flush()
    return handle


def _is_up_already() -> bool:
    """Whether a detached exchange of this directory runs and is whole.

    One whose front process was killed is a leftover, however well it runs.
    """
    if leftovers.running_supervisor() is None or not _detached_mark().exists():
        return False
    rows = status.rows()
    return bool(rows) and all(row["state"] == "ready" for row in rows)


def _detached_mark() -> Path:
    return places.run_dir() / "detached"


def bring_up(steps: Steps) -> None:
    """Start everything in its order and wait until all of it is ready."""
    var = places.var()
    var.mkdir(parents=True, exist_ok=True, mode=0o700)
    os.environ["FAIRBOOK_RUN_VAR"] = str(var)  # Marks what we start, see leftovers.py.
    if stopped := leftovers.clean_up():
        print(f"  cleaned up after an earlier run: {', '.join(stopped)}")
    processes = all_processes()
    if taken := leftovers.taken_ports(processes):
        raise CannotStart(
            "\n".join(taken) + "\nStop what holds it, or choose other ports (.env.example has all)."
        )
    config.generate_secrets()
    for record in places.run_dir().glob("*.json"):
        record.unlink()
    for process in processes:
        for folder in process.data_dirs:
            if process.phase != SERVERS:
                os.makedirs(folder, mode=0o700, exist_ok=True)
    with steps.step("servers: journal, cache, postgres"):
        _start_servers(processes)
    _start_the_rest(steps, processes)
    _wait_until_ready(steps, all_processes())


def _start_servers(processes: list[Process]) -> None:
    every = servers.all_servers()
    for server in every:
        if server.embedded:
            server.prepare()
    supervision.start_supervisor(supervision.write_configuration(processes))
    Supervisor().start(*(p.name for p in processes if p.phase == SERVERS))
    servers.wait_until_answering(every)
    postgres.ensure_roles()


def _start_the_rest(steps: Steps, processes: list[Process]) -> None:
    """Workers need no tables, so they start while the database is prepared."""
    supervisor = Supervisor()
    supervisor.start(*(p.name for p in processes if p.phase == WORKERS))
    with steps.step("database and demo"):
        done = subprocess.run(
            [sys.executable, "-m", "exchange_site.ops.prepare"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        (places.log_dir() / "prepare.log").write_text(done.stdout + done.stderr)
        if done.returncode != 0:
            raise CannotStart(f"preparing the database failed:\n{_end_of(done.stderr)}")
    # Now it is known which markets are listed; the table of the last run was as good as a guess.
    processes = all_processes()
    supervision.adopt(processes)
    for phase in (WORKERS, SERVICES, DOORS):
        supervisor.start(*(p.name for p in processes if p.phase == phase))


def _wait_until_ready(steps: Steps, processes: list[Process]) -> None:
    """Wait as long as one more gets ready now and then: a slow machine is no failure."""
    ends_at = time.monotonic() + PATIENCE_SECONDS
    waiting = {process.name: process for process in processes}
    while waiting:
        rows = {row["name"]: row for row in status.rows(*waiting)}
        for name in [name for name in waiting if rows[name]["state"] == "ready"]:
            print(f"  {name.ljust(46)} {steps.seconds:6.1f} s", flush=True)
            del waiting[name]
            ends_at = time.monotonic() + PATIENCE_SECONDS
        for name, process in waiting.items():
            row = rows[name]
            if row["state"] == "failed" or row["restarts"] >= DEATHS_TOO_MANY:
                raise CannotStart(f"{name} does not stay up; the end of its log:\n{_tail(process)}")
        if waiting and time.monotonic() > ends_at:
            reasons = "\n".join(f"{n}: {rows[n]['detail']}\n{_tail(p)}" for n, p in waiting.items())
            raise CannotStart(f"no progress for {PATIENCE_SECONDS} s:\n{reasons}")
        if waiting:
            time.sleep(0.3)


def _tail(process: Process) -> str:
    try:
        return _end_of(process.log.read_text(errors="replace"))
    except OSError:
        return "(no log)"


def _end_of(text: str, *, lines: int = 15) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-lines:])


# -- what a person reads


def _remember_time(seconds: float) -> str:
    """Keep the time of the first start and of the latest later one, for the bench."""
    path = places.var() / "up.json"
    try:
        known: dict[str, Any] = json.loads(path.read_text())
    except (OSError, ValueError):
        known = {}
    which = "again_s" if known.get("first_s") else "first_s"
    known = {"first_s": None, "again_s": None, **known, which: round(seconds, 1)}
    path.write_text(json.dumps(known) + "\n")
    shown = {name: f"{value} s" if value else "not yet" for name, value in known.items()}
    return f"up in {seconds:.1f} s (first start {shown['first_s']}, again {shown['again_s']})"


def _greeting() -> str:
    port = config.integer("FAIRBOOK_PORT")
    url = f"http://localhost:{port}"
    lines = ["", f"  {url}", ""]
    try:
        users = json.loads((places.var() / "demo.json").read_text())["users"]
    except (OSError, ValueError, KeyError):
        users = []
    if users:
        lines += [f"  demo logins: one click at {url}/demo/, or a password and a code"]
        lines += ["  (all of them, with API keys and their apps' secrets: var/demo.json)"]
        lines += [f"    {user['login'].ljust(12)} {user['password']}" for user in users[:5]]
        lines += [""]
    market = config.words("FAIRBOOK_MARKETS")[0].replace("-", "")
    lines += [
        "  try",
        f"    curl '{url}/api/v3/ping'",
        f"    curl '{url}/api/v3/depth?symbol={market}&limit=5'",
        "    .venv/bin/python manage.py services",
        "",
    ]
    return "\n".join(lines)


def _stay_in_front() -> int:
    """Wait for Ctrl-C (or SIGTERM, or a closed terminal), then take everything down in order."""
    asked = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: asked.set())
    print("  Ctrl-C stops everything and loses nothing.\n", flush=True)
    while not asked.wait(1.0):
        if leftovers.running_supervisor() is None:
            print("the supervisor is gone: stopping the rest", file=sys.stderr)
            take_down()
            return 1
    print("\nstopping …", flush=True)
    started = time.monotonic()
    take_down()
    print(f"stopped in {time.monotonic() - started:.1f} s; nothing is lost", flush=True)
    return 0


def run(*, detach: bool) -> int:
    """Bring up, and stay unless detached. Failures leave nothing running."""
    steps = Steps()
    with _lock():
        if _is_up_already():
            print("  up already")
        else:
            try:
                bring_up(steps)
            except BaseException:
                take_down()
                raise
            print(f"\n  {_remember_time(steps.seconds)}")
        print(_greeting(), flush=True)
        _detached_mark().touch() if detach else _detached_mark().unlink(missing_ok=True)
        return 0 if detach else _stay_in_front()


def main() -> int:
    """Read the command line and turn failures into exit codes."""
    parser = argparse.ArgumentParser(description="Bring the exchange up.")
    parser.add_argument("--detach", action="store_true", help="return when all is ready")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(detach=arguments.detach)
    except (CannotStart, servers.ServerFailed, NoSupervisor) as error:
        print(f"\nfairbook: {error}", file=sys.stderr)
        return 1
    except (BadSetting, PermissionError) as error:
        print(f"\nfairbook: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped before everything was up", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
