"""Somebody who applies: with answers and specimens that fit, unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from apps.kyc.models import Application, Document, State
from apps.kyc.papers import reading
from apps.kyc.providers import specimens
from apps.kyc.providers.sandbox import SandboxProvider
from apps.kyc.requirements import PAPER_BY_KIND, QUESTION_BY_NAME
from apps.kyc.services import answers, applications, checks, documents
from apps.users.services import accounts, people

PASSWORD = "correct horse battery"


def new_person(login: str, *, role: str = "", tier: int = 0) -> int:
    """Make somebody who can log in; a customer has an account."""
    number = people.register(email=f"{login}@example.org", password=PASSWORD, role=role)
    if not role:
        accounts.create_account(user_id=number, kyc_tier=tier)
    return number


def read_here(body: bytes) -> reading.Paper:
    """Open a specimen in this process: tests that send many do not wait for many processes."""
    from apps.kyc.papers import child

    media_type, pages = child.read(body)
    return reading.Paper(media_type, tuple(reading.Page(*page) for page in pages))


@dataclass
class Applicant:
    """A person, what they say, and when."""

    user_id: int
    name: str
    now: datetime
    size: tuple[int, int] = (600, 450)
    changes: dict[str, str] = field(default_factory=dict)

    def says(self) -> dict[str, str]:
        """Return good answers to every question, with this person's changes."""
        return {
            "legal_name": self.name,
            "birth_date": "1990-05-17",
            "country": "DE",
            "id_kind": "passport",
            "id_number": f"P{self.user_id:07}",
            "id_country": "DE",
            "id_expires_on": "2030-06-01",
            "address": "Main Street 1",
            "city": "Berlin",
            "postal_code": "10115",
            "address_country": "DE",
            "funds_source": "salary",
            "funds_words": "I work.",
            "occupation": "Engineer",
            "yearly_income": "50k_200k",
            "expected_volume": "under_50k",
            "is_exposed": "no",
            "company_name": "Example GmbH",
            "company_number": f"HRB {self.user_id}",
            "company_country": "DE",
            "company_address": "Main Street 1, Berlin",
            "owners": "Alice Example, 1990-05-17, DE, 100 %",
            "compliance_officer": "Carol Example",
            "compliance_email": "carol@example.org",
        } | self.changes

    def paper(self, kind: str, **says: str) -> bytes:
        """Draw a specimen that fits, with changes."""
        fitting = specimens.fitting(kind, self.says(), today=self.now.date().isoformat())
        return specimens.draw(kind, fitting | says, size=self.size)

    def begins(self, tier: int) -> Application:
        return applications.begin(user_id=self.user_id, tier=tier, at=self.now)

    def answers(self, application: Application, **changes: str) -> None:
        self.changes |= changes
        wanted = {q.name for q in answers.needs_questions(application)}
        given = {name: text for name, text in self.says().items() if name in wanted}
        applications.answer(
            user_id=self.user_id, public_id=application.public_id, given=given, at=self.now
        )

    def sends(self, application: Application, kind: str, body: bytes | None = None, **says: str):
        return documents.upload(
            user_id=self.user_id,
            public_id=application.public_id,
            kind=kind,
            body=self.paper(kind, **says) if body is None else body,
            at=self.now,
            reader=read_here,
        )

    def sends_all(self, application: Application, **changed: dict[str, str]) -> list[Document]:
        """Send every paper; `government_id={"number": "X"}` changes what one of them says."""
        kinds = [kind for kind, p in PAPER_BY_KIND.items() if p.tier in application.covers]
        return [self.sends(application, kind, **changed.get(kind, {})) for kind in kinds]

    def submits(self, application: Application) -> Application:
        return applications.submit(
            user_id=self.user_id, public_id=application.public_id, at=self.now
        )

    def applies(self, tier: int, *, papers: dict[str, Any] | None = None, **changes: str):
        """Do all of it up to the submission."""
        application = self.begins(tier)
        self.answers(application, **changes)
        self.sends_all(application, **(papers or {}))
        return self.submits(application)

    def waits(self, **delay: float) -> None:
        self.now += timedelta(**delay)


def checked(application: Application, at: datetime, provider: Any = None) -> State:
    """Let the checks run, as the worker would."""
    return checks.run(application_id=application.pk, provider=provider or SandboxProvider(), at=at)


def years_before(today: date, years: int) -> str:
    return today.replace(year=today.year - years).isoformat()


__all__ = ["QUESTION_BY_NAME", "Applicant", "checked", "new_person", "read_here", "years_before"]
