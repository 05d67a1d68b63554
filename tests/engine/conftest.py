"""The stage that stories of one market play on."""

import pytest

from matching_worker.engine.limits import Limits
from tests.helpers.exchange import Exchange


@pytest.fixture
def exchange() -> Exchange:
    return Exchange().opened()


@pytest.fixture
def tight_exchange() -> Exchange:
    """A market whose limits a short story can reach."""
    limits = Limits(
        fills_per_taker=3,
        orders_per_account=4,
        orders_per_book=6,
        mass_cancel_steps=2,
        tombstones=4,
        tombstones_per_account=2,
    )
    return Exchange(limits=limits).opened()
