"""What staff type: reasons and words."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.kyc import reasons
from apps.kyc.services.reveals import ANSWERS


class ReasonForm(forms.Form):
    """A reason of a list."""

    def __init__(self, *args: Any, known: tuple[tuple[str, str], ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"] = forms.ChoiceField(choices=known)


class WordsForm(ReasonForm):
    """A reason of a list, with words that the person reads."""

    words = forms.CharField(
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("The person reads this."),
    )
    field_order = ("reason", "words")


class RevealForm(forms.Form):
    """What somebody needs to see, and why."""

    what = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, label=_("Show"))
    reason_code = forms.ChoiceField(choices=reasons.REVEAL, label=_("Reason"))
    reason = forms.CharField(max_length=300, min_length=3, label=_("In words"))

    def __init__(self, *args: Any, papers: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what: Any = self.fields["what"]
        what.choices = [(ANSWERS, _("What the person said")), *papers]


class DowngradeForm(ReasonForm):
    """To which tier, and why."""

    tier = forms.TypedChoiceField(
        choices=[(tier, format_lazy(_("Tier {number}"), number=tier)) for tier in range(4)],
        coerce=int,
        label=_("Down to"),
    )
    field_order = ("tier", "reason")
