"""What runs, and how it is: the rows of `manage.py services`.

python -m exchange_site.ops.status --json        (the same, without Django's start-up time)
rows()                                           for pages and tests
stop(name) start(name) restart(name)             return when done; stopped stays down
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

from exchange_site.ops import places, servers
from exchange_site.ops.processes import SERVERS, Process, all_processes
from exchange_site.ops.supervision import NoSupervisor, Supervisor

SCHEMA = "fairbook.services/1"


class UnknownService(LookupError):
    """There is no service of this name. The message lists those there are."""


def rows(*names: str) -> list[dict[str, Any]]:
    """Return one row per process (of these names, when any is given), as the contract has it."""
    try:
        states = Supervisor().states()
    except NoSupervisor:
        states = {}
    processes = [p for p in all_processes() if not names or p.name in names]
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = list(pool.map(lambda p: _ask(p, states.get(p.name)), processes))
    return [
        _row(process, states.get(process.name), answer)
        for process, answer in zip(processes, answers, strict=True)
    ]


def document() -> dict[str, Any]:
    """Return what `services --json` prints."""
    return {"schema": SCHEMA, "services": rows()}


def record_of(name: str) -> dict[str, Any]:
    """Return what the launcher wrote at the last start: pid, restarts, since."""
    try:
        record: dict[str, Any] = json.loads((places.run_dir() / f"{name}.json").read_text())
    except (OSError, ValueError):
        return {}
    return record


def _row(process: Process, state: dict[str, Any] | None, answer: dict[str, Any]) -> dict[str, Any]:
    record = record_of(process.name)
    running = state is not None and state["statename"] in {"RUNNING", "STARTING"}
    since = record.get("since")
    return {
        "name": process.name,
        "kind": process.kind,
        "shard": process.shard,
        "role": answer.get("role", "standby") if process.role == "member" else "single",
        "epoch": answer.get("epoch"),
        "pid": state["pid"] if state is not None and running else None,
        "state": "failed"
        if answer.get("halted")
        else _word_for(state, ready=bool(answer.get("is_ready"))),
        "restarts": record.get("restarts", 0),
        "restart_policy": process.restart_policy,
        "since": datetime.fromtimestamp(since, UTC).isoformat() if since and running else None,
        "log": str(process.log),
        "data_dirs": process.data_dirs,
        "health_url": process.health_url,
        "metrics_url": process.metrics_url,
        "detail": answer.get("detail", ""),
    }


def _word_for(state: dict[str, Any] | None, *, ready: bool) -> str:
    match state and state["statename"]:
        case "RUNNING":
            return "ready" if ready else "starting"
        case "STARTING" | "BACKOFF":
            return "starting"
        case "FATAL" | "UNKNOWN" | "EXITED":
            return "failed"
        case _:
            return "stopped"


def _ask(process: Process, state: dict[str, Any] | None) -> dict[str, Any]:
    """Return the process's own health answer, with `is_ready` and a `detail` for people."""
    if state is None or state["statename"] != "RUNNING":
        return {}
    if process.phase == SERVERS:
        (server,) = (s for s in servers.all_servers() if s.name == process.name)
        reason = server.check()
        return {"is_ready": not reason, "detail": reason}
    try:
        status, answer = _fetch(str(process.health_url))
    except (OSError, ValueError, http.client.HTTPException) as error:
        return {"is_ready": False, "detail": f"no answer ({error})"}
    failing = [f"{k}: {v}" for k, v in answer.get("checks", {}).items() if v != "ok"]
    detail = ", ".join(failing) or ("" if status == 200 else f"answers {status}")
    return {**answer, "is_ready": status == 200, "detail": detail}


def _fetch(url: str) -> tuple[int, dict[str, Any]]:
    """Return status and JSON of a health address; 503 is an answer like any other."""
    try:
        with urllib.request.urlopen(url, timeout=3) as response:  # noqa: S310 - our own # nosec B310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


# -- one service


def _known(name: str) -> Process:
    processes = {process.name: process for process in all_processes()}
    if name not in processes:
        raise UnknownService(f"no service {name!r}; there are: {' '.join(processes)}")
    return processes[name]


def stop(name: str) -> None:
    """Stop a service; it stays down until somebody starts it."""
    Supervisor().stop(_known(name).name)


def start(name: str, *, seconds: float = 30) -> None:
    """Start a service and wait until it is ready; TimeoutError says what it lacks."""
    process = _known(name)
    Supervisor().start(process.name)
    ends_at = time.monotonic() + seconds
    while True:
        state = Supervisor().states()[process.name]
        answer = _ask(process, state)
        if answer.get("is_ready"):
            return
        if time.monotonic() > ends_at:
            raise TimeoutError(f"{name} is not ready after {seconds:.0f} s: {answer.get('detail')}")
        time.sleep(0.1)


def restart(name: str) -> None:
    """Stop a service and start it again."""
    stop(name)
    start(name)


def table() -> str:
    """Return the rows for people."""
    lines = []
    for row in rows():
        words = [row["name"].ljust(20), row["state"].ljust(9), row["role"].ljust(8)]
        words += [str(row["pid"] or "-").rjust(8), f"restarts {row['restarts']}", row["detail"]]
        lines.append(" ".join(words).rstrip())
    return "\n".join(lines)


if __name__ == "__main__":
    if "--json" in sys.argv:
        print(json.dumps(document()))
    else:
        print(table())
