"""What beat sends, and which queue each task goes to. One place for both; no Django here.

Beat sends names, so it needs none of the code behind them. A task's name is its module and
function: `apps.ledger.tasks.settle`. Entries whose app has no `tasks.py` yet are left out.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from apps.common.config import config

TASK_ROUTES: dict[str, dict[str, str]] = {
    "apps.ledger.tasks.*": {"queue": "settlement"},
    "apps.users.tasks.*": {"queue": "default"},
    "apps.monitoring.tasks.*": {"queue": "default"},
    "apps.kyc.tasks.*": {"queue": "default"},
}


def _every(seconds: float, task: str, **kwargs: Any) -> dict[str, Any]:
    # A nudge that nobody took in time is stale: the next one is on its way.
    return {
        "task": task,
        "schedule": seconds,
        "kwargs": kwargs,
        "options": {"expires": max(seconds, 5), "ignore_result": True},
    }


def _all_entries() -> dict[str, dict[str, Any]]:
    partitions = range(config.integer("FAIRBOOK_RISK_PARTITIONS"))
    settle = {
        f"settle-{number}": _every(1, "apps.ledger.tasks.settle", partition=number)
        for number in partitions
    }
    return {
        **settle,
        "send-mails": _every(2, "apps.users.tasks.send_mails"),
        "record-failed-tries": _every(10, "apps.users.tasks.record_failed_tries"),
        "forget-what-is-over": _every(3600, "apps.users.tasks.forget_what_is_over"),
        "verify": _every(config.integer("FAIRBOOK_VERIFY_S"), "apps.monitoring.tasks.verify"),
        "kyc-checks": _every(5, "apps.kyc.tasks.check_what_waits"),
        "kyc-clock": _every(60, "apps.kyc.tasks.watch_the_clock"),
        "kyc-day": _every(3600, "apps.kyc.tasks.end_what_is_over"),
    }


def _has_code(task: str) -> bool:
    package, _, _ = task.rpartition(".tasks.")
    return find_spec(package) is not None and find_spec(f"{package}.tasks") is not None


BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    name: entry for name, entry in _all_entries().items() if _has_code(entry["task"])
}
