"""What forms of the back office share."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

REASON_LENGTH_MAX = 300


class ReasonForm(forms.Form):
    """Why something is done. The record keeps it."""

    reason = forms.CharField(
        max_length=REASON_LENGTH_MAX,
        widget=forms.TextInput(attrs={"size": 60}),
        help_text=_("Kept in the record for ever."),
    )
