"""What the stream of events carries: every act that was recorded, and the audit chain's heads."""

from __future__ import annotations

import msgspec


class Happened(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="happened.v1"):
    """An act was recorded. The record is in the audit log under its number."""

    record: int
    kind: str  # Dotted words: "user.registered", "key.revoked".
    subject: str  # "user:7"
    actor: str  # "user:7", "staff:3" or "system"
    at_us: int  # Unix microseconds.
    data: msgspec.Raw  # A JSON object as msgpack: whole numbers, words, lists of them.


class AuditHead(msgspec.Struct, frozen=True, gc=False, array_like=True, tag="audit_head.v1"):
    """The audit chain's end at a moment, kept where PostgreSQL's administrators cannot reach."""

    number: int
    hash: bytes
