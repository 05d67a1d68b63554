"""The words in which staff decide: codes that stay, and what they mean."""

from __future__ import annotations

APPROVE = (
    ("papers_are_good", "The papers are good"),
    ("doubt_cleared", "The doubt was cleared"),
)
REFUSE = (
    ("does_not_match", "The papers do not match what was said"),
    ("forged", "A paper is forged or altered"),
    ("on_a_list", "The person is on a list"),
    ("funds_unclear", "The source of funds is not clear"),
    ("not_served", "We do not serve this country or business"),
    ("other_refusal", "Another reason, see words"),
)
MORE = (
    ("unreadable", "A picture cannot be read"),
    ("wrong_paper", "A paper is of another kind"),
    ("proof_too_old", "A paper is too old"),
    ("explain_funds", "The source of funds needs more words"),
    ("other_question", "Another question, see words"),
)
REVEAL = (
    ("review", "To decide this application"),
    ("second_look", "To agree as the second person"),
    ("complaint", "The person complained"),
    ("authority", "An authority asked"),
)
DOWNGRADE = (
    ("papers_not_valid", "Papers turned out not to be valid"),
    ("risk", "Risk of the account"),
    ("authority", "An authority asked"),
    ("own_wish", "The person asked for it"),
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
