"""What a visitor of the demo may do: become a demo user, and kill a process."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.common.config import ROOT, config
from apps.common.errors import Refusal
from apps.demo.client import demo_users
from apps.demo.experiment import TARGETS

SHOWN = {
    "alice": _("Trades with 100,000 USDT, 2 BTC and 40 ETH."),
    "bob": _("The same funds, the other side of alice's trades."),
    "carol": _("Tier 1: spot only."),
    "dave": _("Not verified: sees markets and nothing else."),
    "acme": _("An institution: VIP 2, deep pockets."),
    "auditor": _("Staff. Sees every entry in the back office, changes none."),
    "operator": _("Staff. Journals and services in the back office."),
}
LONGEST_RUN_S = 120.0


class NoSuchDemoUser(Refusal):
    """The demo has no user of this name."""

    code = "no_such_demo_user"
    http_status = 404


class RunIsOn(Refusal):
    """One process is being killed already; two at once would tell nothing about either."""

    code = "run_is_on"
    http_status = 409


class NoSuchRun(Refusal):
    """There is no record of this run."""

    code = "no_such_run"
    http_status = 404


def people() -> list[dict[str, Any]]:
    """Return the users that the page offers."""
    known = demo_users()
    return [
        {"login": login, "role": known[login]["role"], "about": about}
        for login, about in SHOWN.items()
        if login in known
    ]


def credentials_of(login: str) -> tuple[str, str]:
    """Return the log-in name and password of a demo user."""
    user = demo_users().get(login)
    if user is None or login not in SHOWN:
        raise NoSuchDemoUser("The demo has no user of this name.", login=login)
    return user["login"], user["password"]


def start_run(target: str) -> str:
    """Kill the process behind `target` while orders flow; return the name of the run."""
    if target not in TARGETS:
        raise NoSuchRun("There is no such target.", target=target)
    if (running := _running()) is not None:
        raise RunIsOn("A process is being killed already. Wait for its account.", run=running)
    run = secrets.token_hex(4)
    _write(run, {"run": run, "target": target, "phase": "starting", "is_done": False})
    command = [sys.executable, "-m", "apps.demo.experiment", "--target", target]
    command += ["--run", run, "--out", str(_file(run))]
    log = (_folder() / f"demo-{run}.log").open("w")
    with log:
        subprocess.Popen(  # noqa: S603 - a list of our own words
            command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
        )
    return run


def run_record(run: str) -> dict[str, Any]:
    """Return what a run has found so far."""
    if not run.isalnum():
        raise NoSuchRun("There is no such run.")
    try:
        record = dict(json.loads(_file(run).read_text()))
    except (OSError, ValueError):
        raise NoSuchRun("There is no such run.") from None
    if not record["is_done"] and _age_s(_file(run)) > LONGEST_RUN_S:
        record |= {"phase": "failed", "is_done": True, "reason": "the run ended without a word"}
    return record


def _running() -> str | None:
    for path in _folder().glob("demo-*.json"):
        if _age_s(path) > LONGEST_RUN_S:
            path.unlink(missing_ok=True)
            continue
        try:
            record = json.loads(path.read_text())
        except (OSError, ValueError):
            continue
        if not record["is_done"]:
            return str(record["run"])
    return None


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _folder() -> Path:
    folder = config.path("FAIRBOOK_VAR") / "run"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _file(run: str) -> Path:
    return _folder() / f"demo-{run}.json"


def _write(run: str, record: dict[str, Any]) -> None:
    _file(run).write_text(json.dumps(record))
