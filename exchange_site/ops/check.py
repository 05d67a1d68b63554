"""Every check: what `make check` runs. Nothing stops early, so one run says all.

Exit codes: 0 all clean · 1 something is not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from apps.common.config import ROOT

BIN = Path(sys.executable).parent
MANAGE = [sys.executable, "manage.py"]

# What a careful operator would set; only to look at production settings, never to run.
PRODUCTION = {
    "FAIRBOOK_ENV": "production",
    "FAIRBOOK_SECRET_KEY": "only-for-checking-" + "0123456789abcdef" * 4 + "-ghijkl",
    "FAIRBOOK_KEY_ENCRYPTION_KEY": "0f" * 32,
    "FAIRBOOK_ALLOWED_HOSTS": "exchange.example",
    "FAIRBOOK_PUBLIC_URL": "https://exchange.example",
    "FAIRBOOK_SMTP_HOST": "mail.example",
    "FAIRBOOK_BOTS": "0",
    "DATABASE_URL": "postgresql://app:word@db.example/fairbook",
    "JOURNAL_URL": "redis://:word@journal.example/0",
    "REDIS_URL": "redis://:word@cache.example/0",
}
SOURCES = ("apps", "matching_worker", "exchange_site")
Check = tuple[str, list[str], dict[str, str]]  # Name, command, what its environment adds.
CHECKS: list[Check] = [
    ("ruff check", [str(BIN / "ruff"), "check", "--quiet", "."], {}),
    ("ruff format", [str(BIN / "ruff"), "format", "--check", "--quiet", "."], {}),
    ("import contracts", [str(BIN / "lint-imports"), "--no-logo"], {}),
    ("house tests", [sys.executable, "-m", "pytest", "-q", "tests/house"], {}),
    ("manage.py check", [*MANAGE, "check"], {}),
    (
        "check --deploy (production)",
        [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
        PRODUCTION,
    ),
    ("makemigrations --check", [*MANAGE, "makemigrations", "--check", "--dry-run"], {}),
    (
        "bandit",
        [str(BIN / "bandit"), "-q", "-c", "pyproject.toml", "-r", *SOURCES],
        {},
    ),
    ("mypy", [str(BIN / "mypy"), "--no-error-summary"], {}),
]


def main() -> int:
    """Run all checks, two at a time, and print what each has to say, in their order."""
    failed = []
    with ThreadPoolExecutor(max_workers=2) as pool:
        for (name, _, _), (done, took_s) in zip(CHECKS, pool.map(_run, CHECKS), strict=True):
            verdict = "ok" if done.returncode == 0 else "FAILED"
            print(f"{name.ljust(30)} {verdict.ljust(7)} {took_s:5.1f} s", flush=True)
            if done.returncode != 0:
                failed.append(name)
                print(f"{done.stdout}{done.stderr}".rstrip(), flush=True)
    print("all checks are clean" if not failed else f"not clean: {', '.join(failed)}")
    return 1 if failed else 0


def _run(check: Check) -> tuple[subprocess.CompletedProcess[str], float]:
    """Run one check with a directory of its own; return its end, and how long it took."""
    _, command, extra = check
    plain = {k: v for k, v in os.environ.items() if not k.startswith("FAIRBOOK_")}
    with tempfile.TemporaryDirectory(prefix="fairbook-check-") as folder:
        environ = plain | {"FAIRBOOK_ENV": "test", "FAIRBOOK_VAR": folder} | extra
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False
        )
        return done, time.monotonic() - started


if __name__ == "__main__":
    sys.exit(main())
