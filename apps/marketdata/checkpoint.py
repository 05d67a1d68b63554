"""Where the process was: one file per market, so that a start reads minutes of log and not months.

Losing a file loses nothing: the log says it all again. A file of another history (the log's batch
of that number has another hash) is not used.
"""

import contextlib
import hashlib
import os
from pathlib import Path

import msgspec

from apps.marketdata.view import MarketView, Saved, restored

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Saved).decode
HASH_BYTES = 32


def path_of(folder: Path, worker: str) -> Path:
    """Name the file of one market."""
    return folder / f"marketdata-{worker.replace(':', '-')}.msgpack"


def save(folder: Path, worker: str, view: MarketView) -> None:
    """Put the view on disk whole or not at all. Derived data: no fsync, a hash instead."""
    body = _encode(view.save())
    folder.mkdir(parents=True, exist_ok=True)
    path = path_of(folder, worker)
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_bytes(hashlib.sha256(body).digest() + body)
    draft.replace(path)


def load(folder: Path, worker: str) -> MarketView | None:
    """Return the view that was saved last, or None if there is none that is whole."""
    with contextlib.suppress(OSError, msgspec.MsgspecError):
        raw = path_of(folder, worker).read_bytes()
        digest, body = raw[:HASH_BYTES], raw[HASH_BYTES:]
        if hashlib.sha256(body).digest() == digest:
            return restored(_decode(body))
    return None
