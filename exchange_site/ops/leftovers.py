"""What a killed run leaves behind, and who sits on a port.

A process is ours only if a pid file of this data directory names it *and* its command line does
what that file says: pids are given out again, and killing a stranger is worse than any leftover.
"""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

import psutil

from exchange_site.ops import places, servers, supervision
from exchange_site.ops.processes import Process

SETTLES_S = 65
"""Linux keeps the port of a closed connection for 60 s."""


def _process(pid: int, *marks: str) -> psutil.Process | None:
    """Return the living process of this pid if each mark is in its command line."""
    try:
        process = psutil.Process(pid)
        line = " ".join(process.cmdline())
    except psutil.Error:
        return None
    alive = process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return process if alive and line and all(mark in line for mark in marks) else None


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None


def running_supervisor() -> psutil.Process | None:
    """Return supervisord of this data directory, if it lives."""
    pid = _pid_in(supervision.pid_file())
    conf = str(places.run_dir() / "supervisord.conf")
    return _process(pid, "exchange_site.ops.supervision", conf) if pid else None


def _orphans() -> Iterator[tuple[str, psutil.Process]]:
    """Yield processes that this data directory's records name and that still do what they say."""
    for path in places.run_dir().glob("*.json"):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads(path.read_text())
            found = _process(int(record["pid"]))
            # The launcher keeps its pid and its start time when it becomes the service.
            if found and abs(found.create_time() - record["since"]) < 30 and _is_ours(found):
                yield record["name"], found
    for server in servers.all_servers():
        if server.kind == "postgres":
            pid = _pid_in(server.data_dir / "postmaster.pid")
            if pid and (found := _process(pid, "postgres", str(server.data_dir))):
                yield server.name, found


def _is_ours(process: psutil.Process) -> bool:
    """Whether a process works for this data directory: by command line, place, or environment."""
    var = places.var()
    with contextlib.suppress(psutil.Error):
        # Valkey writes its title over its command line and environment, but sits in its directory.
        if str(var) in " ".join(process.cmdline()) or Path(process.cwd()).is_relative_to(var):
            return True
        return process.environ().get("FAIRBOOK_RUN_VAR") == str(var)
    return False


def clean_up() -> list[str]:
    """Stop what an earlier run left behind, servers last. Returns the names of what was stopped."""
    found: dict[int, tuple[str, psutil.Process]] = {}
    if (supervisor := running_supervisor()) is not None:
        found[supervisor.pid] = ("supervisord", supervisor)
        supervisor.kill()  # First, or it would start again what is stopped below.
        supervisor.wait(5)
    for name, process in _orphans():
        found[process.pid] = (name, process)
    everyone = [process for _, process in found.values()]
    is_server = {s.name for s in servers.all_servers()}
    for last in (False, True):
        group = [p for name, p in found.values() if (name in is_server) is last]
        _end(group)
    _end(everyone)
    supervision.pid_file().unlink(missing_ok=True)
    return sorted(name for name, _ in found.values())


def _end(processes: list[psutil.Process]) -> None:
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.terminate() if "postgres" not in process.name() else process.send_signal(2)
    _, alive = psutil.wait_procs(processes, timeout=8)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(alive, timeout=5)


# -- ports


def taken_ports(processes: Iterable[Process], *, say: Callable[[str], None] = print) -> list[str]:
    """Return one sentence for each port that somebody else holds.

    A connection that somebody made from such a port and closed holds it for a minute more: that
    passes, and is waited for.
    """
    taken = {port: p.name for p in processes for port in (p.public_port, p.port) if port}
    until, is_said = time.monotonic() + SETTLES_S, False
    while True:
        taken = {port: name for port, name in taken.items() if not _is_free(port)}
        if not taken or not _only_settle(taken) or time.monotonic() > until:
            break
        if not is_said:
            say(f"  waiting for closed connections on {', '.join(map(str, taken))}")
            is_said = True
        time.sleep(0.25)
    return [
        f"port {port}, wanted by {name}, is taken by {_holder(port)}"
        for port, name in taken.items()
        if not _is_free(port)
    ]


def _only_settle(ports: Collection[int]) -> bool:
    """Say whether all these ports are held by connections that are over, and by nothing else."""
    held = [c for c in psutil.net_connections("inet") if c.laddr and c.laddr.port in ports]
    return {c.laddr.port for c in held} == set(ports) and all(
        c.status == psutil.CONN_TIME_WAIT for c in held
    )


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _holder(port: int) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("inet"):
            if connection.laddr and connection.laddr.port == port and connection.pid:
                process = psutil.Process(connection.pid)
                line = " ".join(process.cmdline())[:100]
                return f"{process.username()}'s process {process.pid} ({line})"
        if _only_settle({port}):
            return "a closed connection, for a minute"
    return "another user's process"
