"""Applications, documents, what was verified, and limits. Private to this app."""

from apps.kyc.models.applications import (
    OPEN,
    QUEUED,
    Answer,
    Application,
    ApplicationQuerySet,
    Check,
    State,
    Step,
)
from apps.kyc.models.documents import Document, DocumentPage, Reveal
from apps.kyc.models.limits import LimitUse, TierTerms
from apps.kyc.models.verifications import ErasureRequest, Verification, VerificationQuerySet

__all__ = [
    "OPEN",
    "QUEUED",
    "Answer",
    "Application",
    "ApplicationQuerySet",
    "Check",
    "Document",
    "DocumentPage",
    "ErasureRequest",
    "LimitUse",
    "Reveal",
    "State",
    "Step",
    "TierTerms",
    "Verification",
    "VerificationQuerySet",
]
