"""What people say of themselves: checked, sealed one by one, and put together for a check."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from django.utils.translation import gettext_noop
from django_countries.data import COUNTRIES

from apps.common.errors import Refusal
from apps.kyc import sealed
from apps.kyc.models import Answer, Application, Verification
from apps.kyc.requirements import ADULT_AGE, QUESTION_BY_NAME, Question

INDEXED = ("id_number", "company_number")  # Looked for among other people's.
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s]{2,}")
_OLDEST = 120


class AnswersRefused(Refusal):
    """Some answers cannot be right; `data.fields` says which and why. Nothing was kept."""

    code = "answers_refused"

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("Some answers are not valid.", fields=fields)


def keep(application: Application, given: Mapping[str, str], *, at: datetime) -> None:
    """Seal and keep answers; those given before are replaced. All of them or none."""
    asked = {question.name: question for question in needs_questions(application)}
    problems = {name: gettext_noop("This is not asked.") for name in given if name not in asked}
    cleaned: dict[str, str] = {}
    for name in given.keys() & asked.keys():
        text, problem = _clean(asked[name], given[name], today=at.date())
        cleaned[name] = text
        if problem:
            problems[name] = problem
    if problems:
        raise AnswersRefused(problems)
    name_of = str(application.public_id)
    for name, text in cleaned.items():
        Answer.objects.update_or_create(
            application=application,
            question=name,
            defaults={
                "sealed": sealed.seal_answer(text, application=name_of, question=name),
                "index": sealed.blind(text, purpose=name) if name in INDEXED else None,
                "given_at": at,
            },
        )


def needs_questions(application: Application) -> list[Question]:
    """Return what this application asks."""
    return [each for each in QUESTION_BY_NAME.values() if each.tier in application.covers]


def own(application: Application) -> dict[str, str]:
    """Open the answers of one application."""
    name = str(application.public_id)
    return {
        row.question: sealed.open_answer(bytes(row.sealed), application=name, question=row.question)
        for row in application.answers.order_by("question")
    }


def all_of(application: Application) -> dict[str, str]:
    """Open what the person said in this application and in those that were approved before."""
    earlier = Verification.objects.owned_by(application.user_id).live().order_by("tier")
    told: dict[str, str] = {}
    for verification in earlier.select_related("application"):
        told |= own(verification.application)
    return told | own(application)


def _clean(question: Question, raw: str, *, today: date) -> tuple[str, str]:
    """Return an answer as it is kept, and what is wrong with it."""
    text = raw.strip() if question.kind == "words" else " ".join(raw.split())
    if question.kind == "country":
        text = text.upper()
    wrongs = (
        (not text, gettext_noop("Please answer this.")),
        (
            len(text) > question.longest,
            gettext_noop(f"At most {question.longest} characters, please."),
        ),
        (_has_controls(text), gettext_noop("There is a character in it that nobody can read.")),
        (
            question.kind == "choice" and text not in dict(question.choices),
            gettext_noop("Please choose one of the answers."),
        ),
        (
            question.kind == "country" and text not in COUNTRIES,
            gettext_noop("Please name a country by its two letters."),
        ),
        (
            question.kind == "email" and not _EMAIL.fullmatch(text),
            gettext_noop("That is no e-mail address."),
        ),
    )
    problem = next((words for is_wrong, words in wrongs if is_wrong), "")
    if not problem and question.kind == "date":
        problem = _date_problem(question.name, text, today)
    return text, problem


def _has_controls(text: str) -> bool:
    return any(ord(sign) < 32 and sign not in "\n\r\t" for sign in text)


def _date_problem(name: str, text: str, today: date) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return gettext_noop("Please write the date as 1990-12-31.")
    if name == "birth_date":
        age = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
        if age < ADULT_AGE:
            return f"You must be {ADULT_AGE} or older."
        return gettext_noop("Please check the year.") if age > _OLDEST else ""
    if name == "id_expires_on" and day <= today:
        return "This ID is no longer valid. Please use another one."
    return ""
