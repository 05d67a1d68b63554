"""The doors that journeys begin at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.helpers.stack import Edge, Stack


@pytest.fixture(scope="module", params=["uvicorn", "daphne"])
def edge(stack: Stack, request: pytest.FixtureRequest) -> Iterator[Edge | Stack]:
    """Return an edge of each server: the supervisor's first one, and one more under Daphne."""
    if request.param == stack.environ.get("FAIRBOOK_ASGI", "uvicorn"):
        yield stack
    else:
        with stack.another_edge(FAIRBOOK_ASGI=request.param) as beside:
            yield beside
