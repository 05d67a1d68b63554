"""Settlement: how many fills a second a partition's log is booked at, and how late it is at 1,000.

A fill is a trade: two entries with six legs each, two rows of history, and its orders' rows. Runs
in a process and on servers of its own, with every fsync on: `python -m tests.bench.bench_settle`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from typing import Any

from tests.bench.figures import Figures, percentile
from tests.bench.own_process import measured_alone

FILLS = 12_000
FILLS_PER_FRAME = 20
RATE = 1_000  # Fills a second while the lag is measured,
LAG_SECONDS = 8  # for so long.
NUDGE_S = 0.05  # The publisher's nudges, at the pace that a busy market gives them.


def run() -> Figures:
    """Measure in a process of its own, and return its figures."""
    return measured_alone("tests.bench.bench_settle")


def measure() -> Figures:
    """Start servers, make a log, and settle it: as a backlog first, then as it grows."""
    from apps.common.config import config
    from apps.common.redis_clients import journal_client
    from exchange_site.ops.servers import BareServers

    config.generate_secrets()
    servers = BareServers()
    servers.start()
    try:
        _migrate()
        journal = journal_client()
        backlog, live = _logs(journal)
        figures = _throughput(journal, backlog)
        figures |= _lag(journal, live)
        return figures
    finally:
        from django.db import connection

        connection.close_pool()
        servers.stop()


def _migrate() -> None:
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _logs(journal: Any) -> tuple[list[tuple[bytes, dict]], list[tuple[bytes, dict]]]:
    """Make one partition's log of many fills; return its two parts, and leave the stream empty."""
    from apps.journals import keys
    from tests.helpers.journal_world import JournalWorld

    world = JournalWorld(journal)
    people = [world.account(n, USDT=10_000_000, BTC=10_000) for n in range(1, 65)]
    world.run()
    split = 0
    for frame in range((FILLS + RATE * LAG_SECONDS) // FILLS_PER_FRAME):
        world.tell(
            "risk:0",
            *(
                world.order(people[(frame + 2 * n + (side == "S")) % 64], side, lots=100, at=10_000)
                for n in range(FILLS_PER_FRAME)
                for side in "BS"
            ),
        )
        world.run(seconds=FILLS_PER_FRAME / RATE)
        if frame * FILLS_PER_FRAME == FILLS:
            split = world.replicas["risk:0"].batch
    entries = journal.xrange(keys.log("risk:0"))
    journal.delete(keys.log("risk:0"))
    return entries[:split], entries[split:]


def _append(journal: Any, entries: list[tuple[bytes, dict]]) -> None:
    from apps.journals import keys

    with journal.pipeline(transaction=False) as pipe:
        for entry, fields in entries:
            pipe.xadd(keys.log("risk:0"), fields, id=entry)
        pipe.execute()


def _throughput(journal: Any, backlog: list[tuple[bytes, dict]]) -> Figures:
    from apps.ledger import services
    from apps.ledger.models import SettledFill

    _append(journal, backlog)
    started = time.perf_counter()
    while (settled := services.settle(partition=0)).is_behind:
        pass
    took = time.perf_counter() - started
    assert not settled.stopped, settled.stopped
    trades = SettledFill.objects.filter(is_maker=False).count()
    return {"settle.fills_per_s": round(trades / took, 1)}


def _lag(journal: Any, live: list[tuple[bytes, dict]]) -> Figures:
    """Let the log grow at the rate, nudge settlement, and time each batch until it is committed."""
    from apps.ledger import services
    from apps.ledger.models import Cursor

    written: dict[int, float] = {}
    pause = LAG_SECONDS / len(live)

    def grow() -> None:
        started = time.perf_counter()
        for place, (entry, fields) in enumerate(live):
            time.sleep(max(0.0, started + place * pause - time.perf_counter()))
            _append(journal, [(entry, fields)])
            written[int(entry.split(b"-")[0])] = time.perf_counter()

    writer = threading.Thread(target=grow)
    writer.start()
    late_ms: list[float] = []
    done = int(live[0][0].split(b"-")[0]) - 1
    last = int(live[-1][0].split(b"-")[0])
    while done < last:
        settled = services.settle(partition=0)
        assert not settled.stopped, settled.stopped
        now, booked = time.perf_counter(), Cursor.objects.get().batch
        late_ms += [(now - written.get(batch, now)) * 1e3 for batch in range(done + 1, booked + 1)]
        done = booked
        time.sleep(NUDGE_S)
    writer.join()
    return {"settle.lag_p99_ms": round(percentile(late_ms, 0.99), 1)}


if __name__ == "__main__":
    print(json.dumps(measure() if "--measure" in sys.argv else run()))
