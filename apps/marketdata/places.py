"""Whether a place in a log that somebody remembers is still a place in that log."""

from typing import Any

import redis

from apps.journals import keys
from apps.journals.wire import decode_sealed


def last_batch(journal: "redis.Redis", worker: str) -> int:
    """Return the number of the newest batch in a worker's log, 0 if there is none."""
    last: Any = journal.xrevrange(keys.log(worker), count=1)
    return int(last[0][0].partition(b"-")[0]) if last else 0


def is_in_log(journal: "redis.Redis", worker: str, batch: int, hash_: bytes) -> bool:
    """Whether the log has come this far, on this very way.

    A batch that was trimmed meanwhile is believed: a log that was begun anew has not come so far.
    """
    if last_batch(journal, worker) < batch:
        return False
    entry: Any = journal.xrange(keys.log(worker), f"{batch}-0", f"{batch}-0")
    if not entry:
        return True
    return decode_sealed(entry[0][1][keys.LOG_FIELD_HEADER]).hash() == hash_
