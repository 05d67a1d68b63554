"""The supervisor: its configuration, made from the table of processes, and the way to talk to it.

supervisord restarts what dies (also after exit 0), except after exit 78, by which a process says
"leave me stopped". Run as a module it is supervisord itself, with a shorter nap between two looks,
so that a killed process is back within a fraction of a second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import xmlrpc.client  # Of our own supervisor only. # nosec B411
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from apps.common.config import ROOT, config
from apps.common.service import EXIT_LEAVE_STOPPED
from exchange_site.ops import environs, places
from exchange_site.ops.processes import Process

_NAP_S = 0.2
_LAUNCH = Path(__file__).with_name("launch.py")
_BOOK = "book-"


class NoSupervisor(Exception):
    """No supervisor answers for this data directory: nothing is up."""


def write_configuration(processes: Iterable[Process]) -> Path:
    """Render supervisord's configuration and return its path."""
    lines = [
        "[unix_http_server]",
        f"file={_literal(places.supervisor_socket())}",
        "chmod=0700",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        "[supervisord]",
        f"logfile={_literal(places.log_dir() / 'supervisord.log')}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        "loglevel=info",
        f"pidfile={_literal(pid_file())}",
        "nodaemon=true",
        "silent=true",
        "minfds=1024",
        "umask=077",
        f"directory={_literal(ROOT)}",
        f"childlogdir={_literal(places.log_dir())}",
        *(["user=root"] if os.geteuid() == 0 else []),
    ]
    for process in processes:
        lines += _program(process)
    path = places.run_dir() / "supervisord.conf"
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text("\n".join(lines) + "\n")
    draft.replace(path)  # A running supervisor may read it at any moment.
    return path


def adopt(processes: Iterable[Process]) -> None:
    """Make the books that a running supervisor knows those of the table; touch nothing else.

    A book that left the table is stopped and forgotten, a new one is known and not started yet.
    Broken off anywhere, it goes on when it is called again.
    """
    write_configuration(processes)
    supervisor = Supervisor()
    added, removed = supervisor.compare()
    gone = [name for name in removed if name.startswith(_BOOK)]
    supervisor.stop(*gone)
    supervisor.forget(*gone)
    supervisor.know(*(name for name in added if name.startswith(_BOOK)))


def _program(process: Process) -> list[str]:
    # -S leaves site-packages out of the launcher: nothing but the standard library is loaded.
    launcher = [sys.executable, "-S", "-E", str(_LAUNCH), str(places.run_dir()), process.name]
    launcher.append(str(process.nice))
    environ = {
        "PYTHONUNBUFFERED": "1",
        environs.ROLE: process.acts_as,
        environs.NEEDS: " ".join(process.needs),  # By name: the launcher looks them up.
        **process.environ,
    }
    return [
        f"[program:{process.name}]",
        f"command={' '.join(_word(word) for word in [*launcher, *process.command])}",
        f"environment={','.join(f'{name}={_word(text)}' for name, text in environ.items())}",
        "autostart=false",
        f"autorestart={'unexpected' if process.restart_policy == 'always' else 'false'}",
        f"exitcodes={EXIT_LEAVE_STOPPED}",
        "startsecs=0",
        "startretries=1000",
        f"stopsignal={process.stop_signal}",
        f"stopwaitsecs={process.stop_seconds}",
        "stopasgroup=false",
        "killasgroup=false",
        "redirect_stderr=true",
        f"stdout_logfile={_literal(process.log)}",
        "stdout_logfile_maxbytes=10MB",
        "stdout_logfile_backups=2",
    ]


def _literal(value: object) -> str:
    return str(value).replace("%", "%%")


def _word(text: str) -> str:
    escaped = _literal(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def pid_file() -> Path:
    """Return where supervisord writes its pid."""
    return places.run_dir() / "supervisord.pid"


def start_supervisor(configuration: Path) -> subprocess.Popen[bytes]:
    """Start supervisord away from this terminal, and wait until it answers."""
    places.supervisor_socket().unlink(missing_ok=True)
    log = (places.log_dir() / "supervisord.out").open("ab")
    child = subprocess.Popen(
        [sys.executable, "-m", "exchange_site.ops.supervision", "-c", str(configuration)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        env=os.environ | {"FAIRBOOK_BUILD": build_id()},
    )
    ends_at = time.monotonic() + 15
    while time.monotonic() < ends_at and child.poll() is None:
        try:
            Supervisor().pid()
        except NoSupervisor:
            time.sleep(0.05)
        else:
            return child
    said = (places.log_dir() / "supervisord.out").read_text(errors="replace")[-2000:]
    raise NoSupervisor(f"supervisord did not start: {said.strip()}")


def build_id() -> str:
    """Return the commit that runs, or what FAIRBOOK_BUILD says."""
    if config.is_set("FAIRBOOK_BUILD"):
        return config.text("FAIRBOOK_BUILD")
    done = subprocess.run(  # git, wherever it is. # nosec B607
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "dev"


class Supervisor:
    """The running supervisor of this data directory, by XML-RPC over its unix socket."""

    def __init__(self) -> None:
        """Connect lazily; every call raises NoSupervisor when nothing listens."""
        from supervisor.xmlrpc import SupervisorTransport

        transport = SupervisorTransport(None, None, f"unix://{places.supervisor_socket()}")
        self._proxy: Any = xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport)

    def _call(self, name: str, *args: Any) -> Any:
        try:
            return getattr(self._proxy.supervisor, name)(*args)
        except (OSError, xmlrpc.client.ProtocolError) as error:
            raise NoSupervisor(f"the exchange is not up ({error}); `make up` starts it") from None

    def pid(self) -> int:
        """Return the pid of supervisord."""
        return int(self._call("getPID"))

    def states(self) -> dict[str, dict[str, Any]]:
        """Return supervisord's own view by name: statename, pid, start, exitstatus…"""
        return {row["name"]: row for row in self._call("getAllProcessInfo")}

    def start(self, *names: str) -> None:
        """Start these, unless they run."""
        states = self.states()
        for name in names:
            if states[name]["statename"] not in {"RUNNING", "STARTING", "BACKOFF"}:
                self._call("startProcess", name, False)

    def stop(self, *names: str) -> None:
        """Stop these at the same time, and wait until all are down; they stay down."""
        states = self.states()
        for name in names:
            if states[name]["statename"] in {"RUNNING", "STARTING", "BACKOFF"}:
                try:
                    self._call("stopProcess", name, False)
                except xmlrpc.client.Fault:
                    continue  # It ended by itself in between.
        while any(
            row["statename"] in {"RUNNING", "STARTING", "BACKOFF", "STOPPING"}
            for name, row in self.states().items()
            if name in names
        ):
            time.sleep(0.05)

    def compare(self) -> tuple[list[str], list[str]]:
        """Read the configuration again; return the names that are new in it, and those gone."""
        ((added, _changed, removed),) = self._call("reloadConfig")
        return added, removed

    def know(self, *names: str) -> None:
        """Take up programs of the configuration, without starting them."""
        for name in names:
            self._call("addProcessGroup", name)

    def forget(self, *names: str) -> None:
        """Let go of stopped programs."""
        for name in names:
            self._call("removeProcessGroup", name)

    def shutdown(self) -> None:
        """End supervisord itself (its processes were stopped before)."""
        self._call("shutdown")


def _main() -> None:
    from supervisor import poller, supervisord

    ask = poller.Poller.poll
    poller.Poller.poll = lambda self, timeout: ask(self, min(timeout, _NAP_S))
    supervisord.main()


if __name__ == "__main__":
    _main()
