"""The publisher's life: it reads PostgreSQL when told to, and in any case now and then."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
from django.db import Error as DatabaseError
from django.db import close_old_connections

from apps.common.kernel.invariants import ensure
from apps.common.listening import connection_that_listens
from apps.compliance.contracts import RULES_CHANNEL
from apps.users.services.announcing import STANDING_CHANNEL
from apps.users.standing.publishing import Publisher

SWEEP_S = 5.0  # Changes wake it by NOTIFY; this is for one that nobody announced.
LISTEN_S = 2.0  # So long a stop may wait.
AWAY_S = 0.5

Say = Callable[[str], None]  # What is the matter with PostgreSQL; "" for nothing.


def keep_publishing(publisher: Publisher, stopping: threading.Event, *, say: Say) -> None:
    """Publish until stopped. While PostgreSQL is away the last answers stand, and beats go on."""
    minding = threading.Thread(
        target=publisher.keep_minding, args=(stopping,), name="minding", daemon=True
    )
    minding.start()
    while not stopping.is_set():
        try:
            _listen(publisher, stopping, minding, say)
        except (psycopg.Error, DatabaseError) as away:
            close_old_connections()  # Else Django keeps asking the connection that broke.
            publisher.adopt()
            say(str(away).strip() or type(away).__name__)
            stopping.wait(AWAY_S)
    minding.join(timeout=5)


def _listen(
    publisher: Publisher, stopping: threading.Event, minding: threading.Thread, say: Say
) -> None:
    with connection_that_listens("standing") as listening:
        for channel in (STANDING_CHANNEL, RULES_CHANNEL):
            listening.execute(f"LISTEN {channel}")
        publisher.read_all()
        publisher.mind()
        swept_at = time.monotonic()
        while not stopping.is_set():
            ensure(minding.is_alive(), "a publisher that does not beat is none")
            say("")
            heard = listening.notifies(timeout=LISTEN_S, stop_after=1)
            publisher.take(int(n.payload) for n in heard if n.channel == STANDING_CHANNEL)
            publisher.look_at_rules()
            if time.monotonic() - swept_at >= SWEEP_S:
                swept_at = time.monotonic()
                publisher.sweep()
