"""People who apply, what they say, and the papers they send."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.kyc.stage import Applicant, new_person

NOON = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)  # A Wednesday.


@pytest.fixture
def at() -> datetime:
    return NOON


@pytest.fixture
def alice(db, cache) -> Applicant:
    return Applicant(new_person("alice"), "Alice Example", NOON)


@pytest.fixture
def bob(db, cache) -> Applicant:
    return Applicant(new_person("bob"), "Bob Example", NOON)
