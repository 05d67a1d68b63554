"""Applications and papers as JSON."""

from __future__ import annotations

from rest_framework import serializers

from apps.kyc.models import State
from apps.kyc.requirements import PAPERS, QUESTIONS


class BeginIn(serializers.Serializer):
    """Which tier is wanted."""

    tier = serializers.IntegerField(min_value=1, max_value=4)


class AnswersIn(serializers.Serializer):
    """Answers by the names of their questions; any part of them at a time."""

    answers = serializers.DictField(
        child=serializers.CharField(max_length=2_000, trim_whitespace=False, allow_blank=True),
        help_text=f"Names: {', '.join(question.name for question in QUESTIONS)}.",
    )

    def validate_answers(self, given: dict[str, str]) -> dict[str, str]:
        """Refuse more answers than there are questions."""
        if len(given) > len(QUESTIONS):
            raise serializers.ValidationError("More answers than questions.")
        return given


class UploadIn(serializers.Serializer):
    """One paper."""

    kind = serializers.ChoiceField(choices=[paper.kind for paper in PAPERS])
    file = serializers.FileField(max_length=200, allow_empty_file=True)


class DocumentOut(serializers.Serializer):
    """What is known of a paper; its pages are not shown again."""

    public_id = serializers.UUIDField()
    kind = serializers.CharField()
    media_type = serializers.CharField()
    size = serializers.IntegerField()
    pages = serializers.IntegerField(source="pages_count")
    uploaded_at = serializers.DateTimeField()


class QuestionOut(serializers.Serializer):
    """One thing that is asked."""

    name = serializers.CharField()
    tier = serializers.IntegerField()
    text = serializers.CharField()
    kind = serializers.CharField()
    longest = serializers.IntegerField()
    hint = serializers.CharField()
    choices = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))


class PaperOut(serializers.Serializer):
    """One document that is asked for."""

    kind = serializers.CharField()
    tier = serializers.IntegerField()
    text = serializers.CharField()
    hint = serializers.CharField()


class ApplicationOut(serializers.Serializer):
    """An application as its owner sees it."""

    public_id = serializers.UUIDField()
    tier = serializers.IntegerField()
    state = serializers.ChoiceField(choices=State.choices)
    created_at = serializers.DateTimeField()
    submitted_at = serializers.DateTimeField(allow_null=True)
    due_at = serializers.DateTimeField(allow_null=True)
    decided_at = serializers.DateTimeField(allow_null=True)
    reason_code = serializers.CharField()
    words = serializers.CharField()


class FullApplicationOut(ApplicationOut):
    """One application with what it asks, and what of it is there.

    Answers are told back only while they can be changed.
    """

    is_yours = serializers.BooleanField(help_text="Whether it waits for you.")
    questions = QuestionOut(many=True)
    papers = PaperOut(many=True)
    given = serializers.ListField(child=serializers.CharField())
    answers = serializers.DictField(child=serializers.CharField())
    documents = DocumentOut(many=True)
