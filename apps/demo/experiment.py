"""One "kill it yourself": orders flow, a process dies by `kill -9`, every order is accounted for.

    python -m apps.demo.experiment --target matching --run ab12cd --out var/run/demo-ab12cd.json

It runs as a process of its own, so that nothing it kills can take it along, and rewrites its
record at each step; the page and the tour read that record. No Django here.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.common.config import config
from apps.demo.client import ApiClient, ApiRefusal, local_url
from apps.demo.probe import Probe

PROBE_USER = "acme"
TARGETS = {"matching": "book", "risk": "risk", "cache": "cache"}
STEADY_S = 1.5
AFTER_S = 1.5
GIVE_UP_S = 30.0
VERIFY_WAIT_S = 45.0


class CannotKill(Exception):
    """There is nothing to kill: the process is not up."""


def victim(target: str) -> dict[str, Any]:
    """Return the service whose process is to die: the owner, never a standby."""
    from exchange_site.ops import status

    market = config.words("FAIRBOOK_MARKETS")[0]
    for row in status.rows():
        is_kind = row["kind"] == TARGETS[target] or row["name"] == TARGETS[target]
        is_shard = row["shard"] in (None, market, "0")
        if is_kind and is_shard and row["role"] != "standby" and row["pid"]:
            return row
    raise CannotKill(f"no owner of {target} is up")


class Experiment:
    """The steps of one run, and the record of it."""

    def __init__(
        self, target: str, run: str, *, say: Callable[[dict[str, Any]], None], verify: bool = True
    ) -> None:
        self.target, self.run, self.say, self.verify = target, run, say, verify
        self.began = time.monotonic()
        self.record: dict[str, Any] = {
            "run": run,
            "target": target,
            "phase": "starting",
            "is_done": False,
        }

    def tell(self, phase: str, **facts: Any) -> None:
        """Add to the record and show it."""
        at_s = round(time.monotonic() - self.began, 3)
        self.record |= {"phase": phase, "at_s": at_s, **facts}
        self.say(self.record)

    async def perform(self) -> dict[str, Any]:
        """Run all steps; a fault of the run itself ends it with its reason."""
        symbol = config.words("FAIRBOOK_MARKETS")[0].replace("-", "")
        try:
            async with ApiClient.of_user(PROBE_USER) as client:
                probe = Probe(client, symbol, run=self.run)
                await probe.prepare()
                await self._disturb(probe)
                await self._account_for(probe, client, symbol)
            if self.verify:
                await self._read_trust()
        except (CannotKill, ApiRefusal, ProcessLookupError, KeyError) as error:
            self.tell("failed", reason=str(error), is_done=True)
            return self.record
        self.tell("done", is_done=True)
        return self.record

    async def _disturb(self, probe: Probe) -> None:
        row = await asyncio.to_thread(victim, self.target)
        self.tell("steady")
        enough = asyncio.Event()
        placing = asyncio.create_task(probe.place_until(enough))
        try:
            await asyncio.sleep(STEADY_S)
            os.kill(row["pid"], signal.SIGKILL)
            killed_at = time.monotonic()
            killed_after_s = round(killed_at - self.began, 3)
            self.tell("killed", service=row["name"], pid=row["pid"], killed_at_s=killed_after_s)
            while (acked_at := probe.first_ack_after(killed_at)) is None:
                if time.monotonic() - killed_at > GIVE_UP_S:
                    raise CannotKill(f"no order was acknowledged for {GIVE_UP_S:.0f} s")
                await asyncio.sleep(0.02)
            self.tell("trading", recovered_s=round(acked_at - killed_at, 3))
            await asyncio.sleep(AFTER_S)
        finally:
            enough.set()
            await placing

    async def _account_for(self, probe: Probe, client: ApiClient, symbol: str) -> None:
        self.tell("comparing", placed=len(probe.sent))
        found = await probe.compare()
        await client.cancel_all(symbol)
        self.tell(
            "verifying",
            placed=found.placed,
            acked=found.acked,
            refused=found.refused,
            unknown=found.unknown,
            lost=found.lost,
            doubled=found.doubled,
            undecided=found.undecided,
            details=found.details[:5],
        )

    async def _read_trust(self) -> None:
        """Wait for the verifier to look at the books once more, after all of this."""
        since_ms = time.time_ns() // 1_000_000
        ends_at = time.monotonic() + VERIFY_WAIT_S
        async with ApiClient(local_url()) as client:
            while time.monotonic() < ends_at:
                try:
                    trust = await client.public("/api/v1/trust")
                except ApiRefusal:
                    trust = {"at_ms": None}
                if trust["at_ms"] is not None and trust["at_ms"] >= since_ms:
                    imbalance = trust["imbalance"]
                    self.tell("verified", books_tie=trust["ok"], imbalance=imbalance)
                    return
                await asyncio.sleep(0.5)
        self.tell("verified", books_tie=None)


def write_to(path: Path) -> Callable[[dict[str, Any]], None]:
    """Return a teller that keeps the record in a file, always whole."""

    def write(record: dict[str, Any]) -> None:
        draft = path.with_suffix(".tmp")
        draft.write_text(json.dumps(record))
        draft.replace(path)

    return write


def main() -> None:
    """Run one experiment as a process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=sorted(TARGETS), required=True)
    parser.add_argument("--run", required=True)
    parser.add_argument("--out", type=Path, required=True)
    words = parser.parse_args()
    if config.is_production:
        raise SystemExit("There is no demo in production.")
    asyncio.run(Experiment(words.target, words.run, say=write_to(words.out)).perform())


if __name__ == "__main__":
    main()
