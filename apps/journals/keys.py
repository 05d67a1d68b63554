"""The names of a worker's keys on the journal server. All that it writes shares its hash tag."""

LOG_FIELD_HEADER, LOG_FIELD_OUTPUTS = b"h", b"o"
FRAME_FIELD, LINK_HASH_FIELD, RECEIPT_FIELD = b"f", b"h", b"j"


def worker_of_partition(partition: int) -> str:
    """Name the risk engine of a partition."""
    return f"risk:{partition}"


def worker_of_market(market: str) -> str:
    """Name the book of a market."""
    return f"book:{market}"


def commands(worker: str) -> str:
    """What edges, the relay and operators ask of the worker."""
    return f"{{{worker}}}:commands"


def cancels(worker: str) -> str:
    """Cancels, written by edges to a book: taken before its other commands."""
    return f"{{{worker}}}:cancels"


def log(worker: str) -> str:
    """One entry per batch: its header and its outputs."""
    return f"{{{worker}}}:log"


def link(writer: str, reader: str) -> str:
    """Numbered frames from one worker to another, under the writer's hash tag."""
    return f"{{{writer}}}:to:{reader}"


def replies(worker: str, source: bytes) -> str:
    """Answers of one worker to one edge, capped by age."""
    return f"reply:{{{worker}}}:{source.hex()}"


def cursor(worker: str) -> str:
    """Hash: batch, its hash, and the last id taken of each input."""
    return f"{{{worker}}}:cursor"


def epoch(worker: str) -> str:
    """The fencing number: who holds it may write."""
    return f"{{{worker}}}:epoch"


def trimmed(worker: str) -> str:
    """Hash: stream → last id that was trimmed away (it lives in the archive)."""
    return f"{{{worker}}}:trimmed"


def genesis(worker: str) -> str:
    """The configuration frame a worker starts from; its SHA-256 is the first hash of the chain."""
    return f"{{{worker}}}:genesis"


def heartbeat(worker: str) -> str:
    """On the cache server: the owner's sign of life."""
    return f"heartbeat:{worker}"


WORKERS = "workers"
"""On the journal server: the set of all workers that have a genesis."""


def is_link(stream: str) -> bool:
    """Tell whether a stream is a link (else it is a worker's own commands, cancels or log)."""
    return "}:to:" in stream


def writer_of(stream: str) -> str:
    """Name the worker whose hash tag a stream carries: a link's writer, else its reader."""
    return stream[stream.index("{") + 1 : stream.index("}")]
