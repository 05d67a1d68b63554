"""Requests under `/api/v1` that a key signed, for doors that run in threads.

What is signed is `signatures.v1_bytes`: method, path, query, time, window and body. A request may
come up to 1 s before its time by our clock, and its window after it: 5 s, or what it says, at most
60 s. The doors read only, so that an exact repeat has no second effect.
"""

from __future__ import annotations

import re
import time
from typing import Any

from apps.common.errors import Refusal
from apps.users import memory, networks, signatures
from apps.users.contracts import KeyGrant

FUTURE_MAX_MS, WINDOW_MS, WINDOW_MAX_MS = 1_000, 5_000, 60_000
_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}\Z", re.ASCII)
_MS = re.compile(r"[0-9]{1,15}\Z", re.ASCII)


class KeyRefused(Refusal):
    """No live key by this name, not from this address, or its signature is not right."""

    code = "key_refused"
    http_status = 401


class OutsideWindow(Refusal):
    """The request is too old, or from the future."""

    code = "outside_window"
    http_status = 401


def names_key(meta: dict[str, Any]) -> bool:
    """Say whether a request says that a key signed it."""
    return signatures.KEY_HEADER in meta


def key_of(*, method: str, path: str, meta: dict[str, Any], body: bytes) -> KeyGrant:
    """Return the key that signed a request, or refuse it. Runs in a thread."""
    name = str(meta.get(signatures.KEY_HEADER, ""))
    timestamp = str(meta.get(signatures.TIME_HEADER, ""))
    window = str(meta.get(signatures.WINDOW_HEADER, ""))
    if not _KEY.match(name):
        raise KeyRefused("This is no API key of a live account, or its signature is not right.")
    signed = signatures.v1_bytes(
        method=method,
        path=path,
        query=str(meta.get("QUERY_STRING", "")).encode(),
        timestamp=timestamp,
        window=window,
        body=body,
    )
    known, address = memory.for_threads(), str(meta.get("REMOTE_ADDR") or "")
    found = known.key_now(name)
    grant = found if found is not None and networks.allow(found.networks, address) else None
    is_good = signatures.is_signed(grant, signed, str(meta.get(signatures.SIGNATURE_HEADER, "")))
    if grant is None or not is_good or not grant.standing.may_read:
        raise KeyRefused("This is no API key of a live account, or its signature is not right.")
    _check_time(timestamp, window, now_ms=time.time_ns() // 1_000_000)
    known.uses.note(name, address)
    return grant


def _check_time(timestamp: str, window: str, *, now_ms: int) -> None:
    if not _MS.match(timestamp) or (window and not _MS.match(window)):
        raise OutsideWindow("Say when you signed, in Unix milliseconds.")
    window_ms = int(window) if window else WINDOW_MS
    if window_ms > WINDOW_MAX_MS:
        raise OutsideWindow("A window is at most 60000 ms.", limit=WINDOW_MAX_MS)
    age_ms = now_ms - int(timestamp)
    if age_ms > window_ms or age_ms <= -FUTURE_MAX_MS:
        raise OutsideWindow("The request is too old, or from the future: look at your clock.")
