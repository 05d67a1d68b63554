"""What people apply for: the application, its answers, its checks, and what happened to it."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class State(models.TextChoices):
    """Where an application stands. Which may follow which is in the database (migration 0003)."""

    DRAFT = "draft"  # The person's turn: answers and papers come in.
    SUBMITTED = "submitted"  # The clock runs.
    CHECKING = "checking"  # A provider is asked.
    PASSED = "passed"  # Every check passed; from tier 3 on it waits for a person.
    REFERRED = "referred"  # A check wants a person to look.
    IN_REVIEW = "in_review"  # Somebody of the staff has it.
    MORE_WANTED = "more_wanted"  # The person's turn again.
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"  # The person's turn for too long.


OPEN = (
    State.DRAFT,
    State.SUBMITTED,
    State.CHECKING,
    State.PASSED,
    State.REFERRED,
    State.IN_REVIEW,
    State.MORE_WANTED,
)
QUEUED = (State.PASSED, State.REFERRED, State.IN_REVIEW)
DECIDED = (State.APPROVED, State.REFUSED)
NEVER_SUBMITTED = (State.DRAFT, State.WITHDRAWN, State.EXPIRED)


class ApplicationQuerySet(models.QuerySet["Application"]):
    """Named questions about applications."""

    def owned_by(self, user_id: int) -> ApplicationQuerySet:
        """Keep one person's."""
        return self.filter(user_id=user_id)

    def are_open(self) -> ApplicationQuerySet:
        """Keep those that are not over."""
        return self.filter(state__in=OPEN)

    def queued(self) -> ApplicationQuerySet:
        """Keep those that wait for somebody of the staff."""
        return self.filter(state__in=QUEUED)

    def waiting_for_checks(self) -> ApplicationQuerySet:
        """Keep those that no person has to look at yet."""
        return self.filter(state__in=(State.SUBMITTED, State.CHECKING))

    def on_the_clock(self) -> ApplicationQuerySet:
        """Keep those for which time runs."""
        return self.filter(state__in=(State.SUBMITTED, State.CHECKING, *QUEUED))


class Application(models.Model):
    """One person's wish for one tier. Nothing personal is in this row."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    tier = models.PositiveSmallIntegerField()
    covers = models.JSONField(default=list)  # The tiers whose needs it brings.
    state = models.CharField(max_length=12, choices=State.choices, default=State.DRAFT)
    round = models.PositiveSmallIntegerField(default=0)  # How often it was submitted.
    tries = models.PositiveSmallIntegerField(default=0)  # Of the checks, in this round.
    tried_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    moved_at = models.DateTimeField(default=timezone.now)
    submitted_at = models.DateTimeField(null=True, blank=True)  # The first time.
    clock_started_at = models.DateTimeField(null=True, blank=True)  # The last time.
    spent_s = models.PositiveIntegerField(default=0)  # On our side, in earlier rounds.
    due_at = models.DateTimeField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=40, blank=True)  # "system" or "staff:7".
    first_by = models.CharField(max_length=40, blank=True)  # Who approved before a second one did.
    taken_by = models.CharField(max_length=40, blank=True)  # Who has it in front of them.
    reason_code = models.CharField(max_length=40, blank=True)
    words = models.TextField(max_length=1_000, blank=True)  # What the person is told.
    breach_told_at = models.DateTimeField(null=True, blank=True)

    objects = ApplicationQuerySet.as_manager()

    class Meta:
        permissions = (
            ("review", "Can decide applications and see the papers, with a reason"),
            ("downgrade", "Can take a tier away"),
        )
        indexes = (
            models.Index(fields=("state", "due_at"), name="kyc_by_clock"),
            models.Index(fields=("user", "-id"), name="kyc_by_person"),
            models.Index(fields=("decided_at",), name="kyc_by_decision"),
        )
        constraints = (
            models.CheckConstraint(condition=Q(tier__gte=1, tier__lte=4), name="kyc_tier_is_known"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="kyc_state_is_known"),
            models.UniqueConstraint(
                fields=("user",), condition=Q(state__in=OPEN), name="kyc_one_open_per_person"
            ),
            models.CheckConstraint(
                condition=Q(state__in=NEVER_SUBMITTED)
                | Q(submitted_at__isnull=False, clock_started_at__isnull=False, round__gte=1),
                name="kyc_submitted_has_a_clock",
            ),
            models.CheckConstraint(
                condition=Q(state__in=DECIDED, decided_at__isnull=False)
                & ~Q(decided_by="")
                & ~Q(reason_code="")
                | ~Q(state__in=DECIDED) & Q(decided_at__isnull=True, decided_by=""),
                name="kyc_decision_is_whole",
            ),
            models.CheckConstraint(
                condition=~Q(state=State.APPROVED)
                | Q(tier__lte=2)
                | (~Q(first_by="") & ~Q(decided_by="system") & ~Q(decided_by=F("first_by"))),
                name="kyc_high_tier_has_two",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=(State.MORE_WANTED, State.REFERRED)) | ~Q(reason_code=""),
                name="kyc_asks_with_a_reason",
            ),
        )


class Answer(models.Model):
    """What a person said to one question, sealed by itself."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="answers")
    question = models.CharField(max_length=30)
    sealed = models.BinaryField()
    index = models.BinaryField(null=True)  # Blind; only where a search is needed.
    given_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("application", "question"), name="kyc_one_answer_per_question"
            ),
        )
        indexes = (models.Index(fields=("question", "index"), name="kyc_answer_by_index"),)


class Check(models.Model):
    """What a provider found in one round. Written once: asked again, the first word stands."""

    class Outcome(models.TextChoices):
        PASS = "pass"  # noqa: S105 - a word, no password # nosec B105
        FAIL = "fail"
        REFER = "refer"

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="checks")
    round = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=30)
    provider = models.CharField(max_length=30)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    codes = models.JSONField(default=list)
    reference = models.CharField(max_length=60, blank=True)  # The provider's own.
    valid_until = models.DateField(null=True, blank=True)  # What the paper says of its end.
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("application", "round", "kind"), name="kyc_one_word_per_check"
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=("pass", "fail", "refer")), name="kyc_outcome_is_known"
            ),
        )


class Step(models.Model):
    """What happened to an application: who moved it, where to, and why. It only grows."""

    application = models.ForeignKey(Application, on_delete=models.CASCADE, related_name="steps")
    state = models.CharField(max_length=12, choices=State.choices)
    by = models.CharField(max_length=40)
    reason_code = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(default=timezone.now)
