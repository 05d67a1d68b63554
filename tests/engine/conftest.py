"""The stages that stories of one market play on."""

import pytest

from tests.engine.stage import Stage
from tests.helpers.book_day import WAYS

PLAYERS = [*(way.name for way in WAYS), "twin"]


@pytest.fixture
def exchange() -> Stage:
    return Stage().opened()


@pytest.fixture(params=PLAYERS)
def market(request) -> Stage:
    """A market played by the book, in each way, and again by its obvious twin."""
    return Stage(request.param).opened()


@pytest.fixture(params=PLAYERS)
def market_of(request):
    """Make a market with tight limits, or a spec of its own; not opened yet."""
    return lambda **changes: Stage(request.param, **changes)


@pytest.fixture
def tight_exchange() -> Stage:
    """A market whose limits a short story can reach."""
    return Stage(
        fills_per_taker=3,
        orders_per_account=4,
        orders_per_book=6,
        mass_cancel_steps=2,
        tombstones=4,
        tombstones_per_account=2,
    ).opened()
