"""Where a headless Chromium is: the system's, or the one of the npm package, unpacked privately."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
_PRINT_PATH = (
    'import("@sparticuz/chromium").then(async m => '
    "process.stdout.write(JSON.stringify(await m.default.executablePath())))"
)


def find_chromium() -> str | None:
    """Return a Chromium to pass to Playwright as `executable_path` (with FLAGS), or None.

    The npm package unpacks to fixed names inside TMPDIR, so it gets a private one beside the
    installed packages, and unpacks once; of two tests at a time the second one waits for the first.
    Its own libraries go onto LD_LIBRARY_PATH of this process.
    """
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    if not (ROOT / "node_modules" / "@sparticuz" / "chromium").is_dir():
        return None
    folder = ROOT / "node_modules" / ".chromium"
    if not os.access(ROOT / "node_modules", os.W_OK):
        folder = Path(tempfile.gettempdir()) / f"fairbook-chromium-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    node = ROOT / ".venv" / "bin" / "node"
    environ = os.environ | {"TMPDIR": str(folder), "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [str(node) if node.exists() else "node", "--input-type=module", "-e", _PRINT_PATH],
            cwd=ROOT,
            env=environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
    libraries = folder / "al2023" / "lib"
    known = os.environ.get("LD_LIBRARY_PATH", "")
    if libraries.is_dir() and str(libraries) not in known:
        os.environ["LD_LIBRARY_PATH"] = f"{libraries}:{known}".rstrip(":")
    return str(json.loads(done.stdout))
