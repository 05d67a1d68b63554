"""What providers find, and what follows from it.

A round of checks may run twice, at once or after a crash: each finding is written once and the
first word stands, and only one run concludes. Providers are asked outside of any transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from queue import Empty, Queue
from threading import Thread

import structlog
from django.db import transaction

from apps.kyc import locks, selectors
from apps.kyc.models import Answer, Application, Check, State
from apps.kyc.providers.base import CHECKS, Case, Finding, Provider, ProviderAway
from apps.kyc.requirements import AUTOMATIC_UP_TO, PAPER_BY_KIND
from apps.kyc.services import answers, deciding, documents
from apps.kyc.services.moving import move, record

TRIES_MAX = 6  # Then a person looks, rather than nobody.
TIMEOUT_S = 10.0

_log = structlog.get_logger("fairbook.kyc")


def run(
    *, application_id: int, provider: Provider, at: datetime, timeout_s: float = TIMEOUT_S
) -> State:
    """Check what was submitted, and decide what needs no person; return the state it came to.

    Raises `ProviderAway` when a provider does not answer: come again later. After six tries the
    application is referred. One that waits for no checks is left as it is.
    """
    application = _take(application_id, at)
    if application is None:
        return State(Application.objects.values_list("state", flat=True).get(pk=application_id))
    try:
        _ask_all(application, provider, at=at, timeout_s=timeout_s)
    except ProviderAway as away:
        _log.warning(
            "kyc.provider.away",
            application=str(application.public_id),
            provider=provider.name,
            tries=application.tries,
        )
        if application.tries < TRIES_MAX:
            raise
        return _conclude(application, at=at, gave_up=str(away) or "away")
    return _conclude(application, at=at)


@transaction.atomic(durable=True)
def _take(application_id: int, at: datetime) -> Application | None:
    """Count a try; None if there is nothing to check."""
    application = locks.lock_application(application_id)
    if application.state == State.SUBMITTED:
        move(application, State.CHECKING, by="system", at=at)
    if application.state != State.CHECKING:
        return None
    application.tries += 1
    application.tried_at = at
    application.save(update_fields=["tries", "tried_at"])
    return application


def _ask_all(
    application: Application, provider: Provider, *, at: datetime, timeout_s: float
) -> None:
    kinds = [kind for tier in application.covers for kind in CHECKS[tier]]
    known = set(application.checks.filter(round=application.round).values_list("kind", flat=True))
    case = _case(application, at)
    for kind in kinds:
        if kind in known:
            continue
        finding = _ask(provider, kind, case, timeout_s)
        Check.objects.bulk_create(
            [
                Check(
                    application=application,
                    round=application.round,
                    kind=kind,
                    provider=provider.name,
                    outcome=finding.outcome,
                    codes=list(finding.codes),
                    reference=finding.reference,
                    valid_until=finding.valid_until,
                    at=at,
                )
            ],
            ignore_conflicts=True,
        )


def _ask(provider: Provider, kind: str, case: Case, timeout_s: float) -> Finding:
    """Ask, and wait no longer than the time, whatever the provider does."""
    answered: Queue[Finding | BaseException] = Queue()

    def ask() -> None:
        try:
            answered.put(provider.check(kind, case, timeout_s=timeout_s))
        except BaseException as error:
            answered.put(error)

    Thread(target=ask, name="kyc-provider", daemon=True).start()
    try:
        answer = answered.get(timeout=timeout_s)
    except Empty:
        raise ProviderAway("timeout") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _case(application: Application, at: datetime) -> Case:
    wanted = {kind for kind, paper in PAPER_BY_KIND.items() if paper.tier in application.covers}
    papers = {
        document.kind: documents.open_pages(document)
        for document in selectors.papers_of(application)
        if document.kind in wanted
    }
    return Case(
        name=f"{application.public_id}:{application.round}",
        tier=application.tier,
        answers=answers.all_of(application),
        papers=papers,
        today=at.date(),
    )


@transaction.atomic(durable=True)
def _conclude(application: Application, *, at: datetime, gave_up: str = "") -> State:
    """Take the step that the findings call for, once."""
    round_ = application.round
    application = locks.lock_application(application.pk)
    if application.state != State.CHECKING or application.round != round_:
        return State(application.state)  # Somebody else concluded.
    found = list(application.checks.filter(round=round_).order_by("pk"))
    failed = _codes(found, Check.Outcome.FAIL)
    doubts = _codes(found, Check.Outcome.REFER) + _signals(application)
    if gave_up:
        doubts.append("provider_away")
    is_automatic = application.tier <= AUTOMATIC_UP_TO
    if failed and is_automatic:
        reason = failed[0]
        deciding.refuse(application, by="system", reason=reason, words="", at=at)
    elif failed or doubts:
        reason = (failed + doubts)[0]
        move(application, State.REFERRED, by="system", at=at, reason=reason, reason_code=reason)
        record("kyc.referred", application, by="system", codes=failed + doubts)
    else:
        move(application, State.PASSED, by="system", at=at)
        if is_automatic:
            deciding.approve(application, by="system", reason="checks_passed", at=at)
        else:
            record("kyc.passed", application, by="system")
    return State(application.state)


def _codes(found: Sequence[Check], outcome: Check.Outcome) -> list[str]:
    return [
        code
        for check in found
        if check.outcome == outcome
        for code in (check.codes or [f"{check.kind}_{outcome.value}"])
    ]


def _signals(application: Application) -> list[str]:
    """Return what no provider can know: other people's papers, countries that do not agree."""
    signals = []
    if documents.seen_with_others(application):
        signals.append("document_seen_elsewhere")
    numbers = application.answers.exclude(index=None).values_list("question", "index")
    for question, index in numbers:
        others = Answer.objects.filter(question=question, index=bytes(index or b""))
        if others.exclude(application__user_id=application.user_id).exists():
            signals.append("number_seen_elsewhere")
    told = answers.all_of(application)
    countries = {
        told[name] for name in ("country", "id_country", "address_country") if name in told
    }
    if len(countries) > 1:
        signals.append("countries_disagree")
    return signals
