"""What each tier asks of a person, what it may take, and by when it is decided. Data, no rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from django.utils.translation import gettext_noop as said  # Pages translate it.

TIERS = (1, 2, 3, 4)
TIER_NAMES = {
    0: said("Unverified"),
    1: said("Lite"),
    2: said("Standard"),
    3: said("Enhanced"),
    4: said("Institutional"),
}
AUTOMATIC_UP_TO = 2  # From here on a person of the staff decides, and a second one agrees.
ADULT_AGE = 18
ADDRESS_PROOF_DAYS = 90  # "Younger than three months", counted at submission.
DRAFT_DAYS = 30  # A draft, or a question that nobody answers, ends after so long.
TIER_2_YEARS = 5  # Longest life of a verification whose ID is valid for longer.
RENEW_WITHIN_DAYS = 60  # A person may renew what ends within so long.
WARN_DAYS = (30, 7, 1)  # How long before the end a person is told.

Kind = Literal["text", "words", "date", "country", "choice", "email"]


@dataclass(frozen=True, slots=True)
class Question:
    """One thing a person is asked. Its answer is sealed at rest."""

    name: str
    tier: int
    label: str
    kind: Kind = "text"
    longest: int = 120
    choices: tuple[tuple[str, str], ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """One document a person is asked for."""

    kind: str
    tier: int
    label: str
    hint: str


@dataclass(frozen=True, slots=True)
class Needs:
    """What one application has to bring."""

    questions: tuple[Question, ...] = field(default=())
    papers: tuple[Paper, ...] = field(default=())


_INCOME = (
    ("under_50k", said("Under 50,000 USD")),
    ("50k_200k", said("50,000 to 200,000 USD")),
    ("200k_1m", said("200,000 to 1 million USD")),
    ("over_1m", said("Over 1 million USD")),
)
QUESTIONS = (
    Question("legal_name", 1, said("Full legal name"), hint=said("As in your passport")),
    Question("birth_date", 1, said("Date of birth"), "date"),
    Question("country", 1, said("Country of residence"), "country"),
    Question(
        "id_kind",
        2,
        said("Kind of ID"),
        "choice",
        choices=(
            ("passport", said("Passport")),
            ("id_card", said("ID card")),
            ("driving_licence", said("Driving licence")),
        ),
    ),
    Question("id_number", 2, said("Number of the ID"), longest=40),
    Question("id_country", 2, said("Country that issued it"), "country"),
    Question("id_expires_on", 2, said("Valid until"), "date"),
    Question("address", 2, said("Street and number")),
    Question("city", 2, said("City")),
    Question("postal_code", 2, said("Postal code"), longest=20),
    Question("address_country", 2, said("Country of this address"), "country"),
    Question(
        "funds_source",
        3,
        said("Where your funds come from"),
        "choice",
        choices=(
            ("salary", said("Salary")),
            ("business", said("Business")),
            ("savings", said("Savings or investments")),
            ("sale", said("Sale of property")),
            ("inheritance", said("Inheritance or gift")),
            ("other", said("Something else")),
        ),
    ),
    Question("funds_words", 3, said("Tell us more about them"), "words", longest=2_000),
    Question("occupation", 3, said("Occupation")),
    Question("yearly_income", 3, said("Yearly income"), "choice", choices=_INCOME),
    Question("expected_volume", 3, said("Expected deposits per year"), "choice", choices=_INCOME),
    Question(
        "is_exposed",
        3,
        said("Do you, or does somebody close to you, hold a prominent public office?"),
        "choice",
        choices=(("no", said("No")), ("yes", said("Yes"))),
    ),
    Question("company_name", 4, said("Name of the company"), longest=200),
    Question("company_number", 4, said("Registration number"), longest=60),
    Question("company_country", 4, said("Country of registration"), "country"),
    Question("company_address", 4, said("Registered address"), "words", longest=500),
    Question(
        "owners",
        4,
        said("Owners of 25 % or more"),
        "words",
        longest=2_000,
        hint=said("One in a line: name, date of birth, country, share"),
    ),
    Question("compliance_officer", 4, said("Compliance officer")),
    Question("compliance_email", 4, said("Their e-mail"), "email"),
)
PAPERS = (
    Paper(
        "government_id",
        2,
        said("Government ID"),
        said("The page with your photo, all corners visible"),
    ),
    Paper("selfie", 2, said("Selfie with liveness"), said("You, holding your ID, in good light")),
    Paper(
        "address_proof",
        2,
        said("Proof of address"),
        said("A bill or statement younger than 3 months"),
    ),
    Paper(
        "funds_proof", 3, said("Proof of source of funds"), said("Payslips, accounts or a contract")
    ),
    Paper("company_papers", 4, said("Company papers"), said("Certificate and articles")),
    Paper(
        "owners_register",
        4,
        said("Register of owners"),
        said("Who holds what, not older than 3 months"),
    ),
    Paper(
        "board_resolution",
        4,
        said("Board resolution"),
        said("That names who may act for the company"),
    ),
)
QUESTION_BY_NAME = {question.name: question for question in QUESTIONS}
PAPER_BY_KIND = {paper.kind: paper for paper in PAPERS}

CLOCKS: dict[int, timedelta] = {
    1: timedelta(minutes=5),
    2: timedelta(hours=24),
    3: timedelta(days=5),  # Working days, see `clock`.
    4: timedelta(days=10),
}
CLOCK_WORDS = {
    1: said("5 minutes"),
    2: said("24 hours"),
    3: said("5 working days"),
    4: said("10 working days"),
}


def needs_of(tiers: frozenset[int]) -> Needs:
    """Return what an application has to bring that covers these tiers."""
    return Needs(
        questions=tuple(question for question in QUESTIONS if question.tier in tiers),
        papers=tuple(paper for paper in PAPERS if paper.tier in tiers),
    )
