"""JSON of the proofs, in and out."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.proofs.contracts import OutsideHead, Segment


class PageIn(serializers.Serializer):
    """Which part of a market's history is wanted."""

    market = serializers.RegexField(r"^[A-Z0-9]{1,12}-[A-Z0-9]{1,12}$", required=False)
    to = serializers.IntegerField(min_value=0, max_value=2**43, required=False)
    after = serializers.IntegerField(min_value=0, max_value=2**62, default=0)

    def get_fields(self) -> dict[str, Any]:
        """Add `from`, which is no name in Python."""
        moment = serializers.IntegerField(min_value=0, max_value=2**43, required=False)
        return {**super().get_fields(), "from": moment}


def head_out(head: OutsideHead) -> dict[str, Any]:
    """Write a head. Save it as it is: the verifier reads it back."""
    return {
        "market": head.market,
        "batch": head.batch,
        "seq": head.seq,
        "at_ns": str(head.at_ns),
        "outside": head.outside,
        "inside": head.inside,
    }


def segment_out(segment: Segment, *, url: str) -> dict[str, Any]:
    """Write a segment, and where it is."""
    return {
        "name": segment.name,
        "day": segment.day,
        "from": segment.from_ms,
        "to": segment.to_ms,
        "first_batch": segment.first,
        "last_batch": segment.last,
        "bytes": segment.bytes,
        "url": url,
    }
