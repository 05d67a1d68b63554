"""Keeping heads: each once, and never another one for the same batch."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from apps.proofs.contracts import OutsideHead
from apps.proofs.models import Head


class HeadDiffers(Exception):
    """A head was published for this batch already, and it is another one. Somebody must look."""


@transaction.atomic(durable=True)
def keep_heads(heads: Sequence[OutsideHead]) -> None:
    """Keep heads for ever. One that is kept already must be the same."""
    for head in heads:
        kept, _ = Head.objects.get_or_create(
            market=head.market,
            batch=head.batch,
            defaults={
                "seq": head.seq,
                "at_ns": head.at_ns,
                "outside": head.outside,
                "inside": head.inside,
            },
        )
        if (kept.outside, kept.inside) != (head.outside, head.inside):
            raise HeadDiffers(
                f"{head.market}: batch {head.batch} was published as {kept.outside}"
                f" and is {head.outside} now"
            )
