"""The words in which staff decide: codes that stay, and what they mean."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

Reasons = tuple[tuple[str, Any], ...]  # A code, and its words in the reader's language.

APPROVE: Reasons = (
    ("papers_are_good", _("The papers are good")),
    ("doubt_cleared", _("The doubt was cleared")),
)
REFUSE: Reasons = (
    ("does_not_match", _("The papers do not match what was said")),
    ("forged", _("A paper is forged or altered")),
    ("on_a_list", _("The person is on a list")),
    ("funds_unclear", _("The source of funds is not clear")),
    ("not_served", _("We do not serve this country or business")),
    ("other_refusal", _("Another reason, see words")),
)
MORE: Reasons = (
    ("unreadable", _("A picture cannot be read")),
    ("wrong_paper", _("A paper is of another kind")),
    ("proof_too_old", _("A paper is too old")),
    ("explain_funds", _("The source of funds needs more words")),
    ("other_question", _("Another question, see words")),
)
REVEAL: Reasons = (
    ("review", _("To decide this application")),
    ("second_look", _("To agree as the second person")),
    ("complaint", _("The person complained")),
    ("authority", _("An authority asked")),
)
DOWNGRADE: Reasons = (
    ("papers_not_valid", _("Papers turned out not to be valid")),
    ("risk", _("Risk of the account")),
    ("authority", _("An authority asked")),
    ("own_wish", _("The person asked for it")),
)
# What a person is told, for codes that no reviewer chose.
_AUTOMATIC = {
    "does_not_match": "The papers do not say what you told us.",
    "document_expired": "The ID is no longer valid.",
    "reported_lost": "The ID was reported as lost.",
    "proof_too_old": "The proof of address is older than three months.",
    "not_alive": "The selfie does not show a living person.",
    "on_a_barred_list": "We cannot offer you an account.",
    "forged": "A paper was altered.",
    "on_a_list": "We cannot offer you an account.",
    "funds_unclear": "The source of your funds is not clear to us.",
    "not_served": "We do not serve this country or business.",
    "unreadable": "A picture cannot be read.",
    "wrong_paper": "A paper is not what was asked for.",
    "explain_funds": "Please tell us more about the source of your funds.",
}


def told(code: str) -> str:
    """Return what a person is told for a code; doubts that are still looked at are not told."""
    return _AUTOMATIC.get(code, "")
