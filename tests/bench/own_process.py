"""A process, a data directory and ports of its own for a measurement."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.figures import Figures
from tests.helpers.environment import clean_environ
from tests.helpers.ports import free_ports

ROOT = Path(__file__).parents[2]


def measured_alone(module: str, *, quick: bool = False, seconds: float = 600) -> Figures:
    """Run `python -m <module> --measure` and return the figures that it prints last."""
    with tempfile.TemporaryDirectory(prefix="fairbook-bench-") as folder:
        postgres, journal, cache = free_ports(3)
        environ = clean_environ(os.environ) | {
            "FAIRBOOK_ENV": "demo",
            "FAIRBOOK_VAR": folder,
            "FAIRBOOK_DB_ROLE": "owner",
            "FAIRBOOK_POSTGRES_PORT": str(postgres),
            "FAIRBOOK_JOURNAL_PORT": str(journal),
            "FAIRBOOK_CACHE_PORT": str(cache),
            "DJANGO_SETTINGS_MODULE": "exchange_site.settings",
        }
        done = subprocess.run(
            [sys.executable, "-m", module, "--measure", *(["--quick"] if quick else [])],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    if done.returncode != 0:
        raise RuntimeError((done.stderr or done.stdout)[-2_000:])
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures
