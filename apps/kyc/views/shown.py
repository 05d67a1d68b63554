"""Rows as the serializers want them."""

from __future__ import annotations

from typing import Any

from apps.kyc import selectors
from apps.kyc.models import Application
from apps.kyc.requirements import Paper, Question, needs_of
from apps.kyc.serializers.applications import FullApplicationOut
from apps.kyc.services import answers
from apps.kyc.services.applications import YOURS


def question(each: Question) -> dict[str, Any]:
    """Write a question."""
    return {
        "name": each.name,
        "tier": each.tier,
        "text": each.label,
        "kind": each.kind,
        "longest": each.longest,
        "hint": each.hint,
        "choices": [list(choice) for choice in each.choices],
    }


def paper(each: Paper) -> dict[str, Any]:
    """Write a paper that is asked for."""
    return {"kind": each.kind, "tier": each.tier, "text": each.label, "hint": each.hint}


def application(row: Application) -> Any:
    """Write one application whole; answers only while they can be changed."""
    needs = needs_of(frozenset(row.covers))
    is_yours = row.state in YOURS
    given = sorted(row.answers.values_list("question", flat=True))
    plain = FullApplicationOut(
        {
            **{name: getattr(row, name) for name in _COPIED},
            "is_yours": is_yours,
            "questions": [question(each) for each in needs.questions],
            "papers": [paper(each) for each in needs.papers],
            "given": given,
            "answers": answers.own(row) if is_yours else {},
            "documents": selectors.papers_of(row),
        }
    )
    return plain.data


_COPIED = (
    "public_id",
    "tier",
    "state",
    "created_at",
    "submitted_at",
    "due_at",
    "decided_at",
    "reason_code",
    "words",
)
