"""A stage for stories."""

import pytest

from tests.helpers.trading_stage import Stage


@pytest.fixture
def stage() -> Stage:
    """One partition, one open market without fees."""
    return Stage()
