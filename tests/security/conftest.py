"""The site with everybody in front of it, made once a file.

What it is made of is imported by the fixture: the site's application names its settings in the
environment, which the workers of pytest-xdist would inherit (tests/conftest.py says why not).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from apps.common.redis_clients import cache_client, journal_client
from tests.helpers.seeds import Seeds

if TYPE_CHECKING:
    from tests.security.site import Site


@pytest.fixture(scope="module")
def site(servers, django_db_setup, django_db_blocker) -> Iterator[Site]:
    """Run an edge in this process, with its people; put the tables back behind it."""
    from apps.users.views import passwords, sign_up
    from tests.security.site import Site

    journal, cache = journal_client(servers.journal_url), cache_client(servers.cache_url)
    journal.flushall()
    cache.flushall()
    with django_db_blocker.unblock(), pytest.MonkeyPatch.context() as patch:
        seeds = Seeds()
        patch.setattr(sign_up, "SIGN_UP_S", 0)  # What they wait for is tested elsewhere.
        patch.setattr(passwords, "RESET_S", 0)
        running = Site(journal, cache)
        yield running
        running.close()
        seeds.put_back()
    journal.close()
    cache.close()
