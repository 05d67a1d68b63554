"""Run a command with Debian's redis-server in place of the embedded Valkeys.

    python -m tests.helpers.with_redis python -m pytest tests/journals

What the core relies on (atomic scripts, streams, fsync before the answer) must hold on both.
Exit code 2, loudly, when there is no redis-server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import redis

from tests.helpers.ports import free_ports

WORD = "only-on-loopback"


def _start(program: str, folder: str, port: int, *flags: str) -> subprocess.Popen[bytes]:
    words = [program, "--bind", "127.0.0.1", "--port", str(port), "--requirepass", WORD]
    log = (Path(folder) / f"{port}.log").open("wb")
    return subprocess.Popen([*words, "--dir", folder, "--save", "", *flags], stdout=log)


def _wait(port: int) -> None:
    for _ in range(100):
        try:
            redis.Redis(port=port, password=WORD).ping()
        except redis.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"redis-server on port {port} does not answer")


def main() -> int:
    """Start two servers, run the command, stop them."""
    program = shutil.which("redis-server")
    if program is None:
        print("redis-server is not installed: nothing was tested against it", file=sys.stderr)
        return 2
    journal, cache = free_ports(2)
    durable = ("--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction")
    with tempfile.TemporaryDirectory(prefix="fairbook-redis-") as folder:
        running = [
            _start(program, folder, journal, "--maxmemory", "400mb", *durable),
            _start(program, folder, cache, "--appendonly", "no"),
        ]
        try:
            _wait(journal)
            _wait(cache)
            environ = os.environ | {
                "FAIRBOOK_TEST_JOURNAL_URL": f"redis://:{WORD}@127.0.0.1:{journal}/0",
                "FAIRBOOK_TEST_REDIS_URL": f"redis://:{WORD}@127.0.0.1:{cache}/0",
            }
            return subprocess.run(sys.argv[1:], env=environ, check=False).returncode
        finally:
            for server in running:
                server.terminate()
            for server in running:
                server.wait(10)


if __name__ == "__main__":
    sys.exit(main())
