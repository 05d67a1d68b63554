"""What each tier asks of a person, what it may take, and by when it is decided. Data, no rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

TIERS = (1, 2, 3, 4)
TIER_NAMES = {0: "Unverified", 1: "Lite", 2: "Standard", 3: "Enhanced", 4: "Institutional"}
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
    ("under_50k", "Under 50,000 USD"),
    ("50k_200k", "50,000 to 200,000 USD"),
    ("200k_1m", "200,000 to 1 million USD"),
    ("over_1m", "Over 1 million USD"),
)
QUESTIONS = (
    Question("legal_name", 1, "Full legal name", hint="As in your passport"),
    Question("birth_date", 1, "Date of birth", "date"),
    Question("country", 1, "Country of residence", "country"),
    Question(
        "id_kind",
        2,
        "Kind of ID",
        "choice",
        choices=(
            ("passport", "Passport"),
            ("id_card", "ID card"),
            ("driving_licence", "Driving licence"),
        ),
    ),
    Question("id_number", 2, "Number of the ID", longest=40),
    Question("id_country", 2, "Country that issued it", "country"),
    Question("id_expires_on", 2, "Valid until", "date"),
    Question("address", 2, "Street and number"),
    Question("city", 2, "City"),
    Question("postal_code", 2, "Postal code", longest=20),
    Question("address_country", 2, "Country of this address", "country"),
    Question(
        "funds_source",
        3,
        "Where your funds come from",
        "choice",
        choices=(
            ("salary", "Salary"),
            ("business", "Business"),
            ("savings", "Savings or investments"),
            ("sale", "Sale of property"),
            ("inheritance", "Inheritance or gift"),
            ("other", "Something else"),
        ),
    ),
    Question("funds_words", 3, "Tell us more about them", "words", longest=2_000),
    Question("occupation", 3, "Occupation"),
    Question("yearly_income", 3, "Yearly income", "choice", choices=_INCOME),
    Question("expected_volume", 3, "Expected deposits per year", "choice", choices=_INCOME),
    Question(
        "is_exposed",
        3,
        "Do you, or does somebody close to you, hold a prominent public office?",
        "choice",
        choices=(("no", "No"), ("yes", "Yes")),
    ),
    Question("company_name", 4, "Name of the company", longest=200),
    Question("company_number", 4, "Registration number", longest=60),
    Question("company_country", 4, "Country of registration", "country"),
    Question("company_address", 4, "Registered address", "words", longest=500),
    Question(
        "owners",
        4,
        "Owners of 25 % or more",
        "words",
        longest=2_000,
        hint="One in a line: name, date of birth, country, share",
    ),
    Question("compliance_officer", 4, "Compliance officer"),
    Question("compliance_email", 4, "Their e-mail", "email"),
)
PAPERS = (
    Paper("government_id", 2, "Government ID", "The page with your photo, all corners visible"),
    Paper("selfie", 2, "Selfie with liveness", "You, holding your ID, in good light"),
    Paper("address_proof", 2, "Proof of address", "A bill or statement younger than 3 months"),
    Paper("funds_proof", 3, "Proof of source of funds", "Payslips, accounts or a contract"),
    Paper("company_papers", 4, "Company papers", "Certificate and articles"),
    Paper("owners_register", 4, "Register of owners", "Who holds what, not older than 3 months"),
    Paper("board_resolution", 4, "Board resolution", "That names who may act for the company"),
)
QUESTION_BY_NAME = {question.name: question for question in QUESTIONS}
PAPER_BY_KIND = {paper.kind: paper for paper in PAPERS}

CLOCKS: dict[int, timedelta] = {
    1: timedelta(minutes=5),
    2: timedelta(hours=24),
    3: timedelta(days=5),  # Working days, see `clock`.
    4: timedelta(days=10),
}
CLOCK_WORDS = {1: "5 minutes", 2: "24 hours", 3: "5 working days", 4: "10 working days"}


def needs_of(tiers: frozenset[int]) -> Needs:
    """Return what an application has to bring that covers these tiers."""
    return Needs(
        questions=tuple(question for question in QUESTIONS if question.tier in tiers),
        papers=tuple(paper for paper in PAPERS if paper.tier in tiers),
    )
