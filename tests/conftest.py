"""Fixtures for every test.

servers         embedded PostgreSQL, journal and cache on free ports, for the whole session
journal, cache  redis clients of those two (bytes), emptied before each test
stack           the whole exchange under its supervisor, for the whole session (helpers/stack.py)
chromium_path   a headless Chromium
Tests that use the database take pytest-django's `db`; it starts `servers` by itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.helpers import environment

environment.apply()  # Before anything reads a setting.

import django  # noqa: E402

django.setup()

import pytest  # noqa: E402
import redis  # noqa: E402

from apps.common.config import config  # noqa: E402
from apps.common.redis_clients import cache_client, journal_client  # noqa: E402
from exchange_site.ops.servers import BareServers  # noqa: E402
from tests.helpers.browser import find_chromium  # noqa: E402
from tests.helpers.stack import Stack  # noqa: E402


class RunningServers:
    """Where the servers of this session are."""

    @property
    def journal_url(self) -> str:
        return config.text("JOURNAL_URL")

    @property
    def cache_url(self) -> str:
        return config.text("REDIS_URL")

    @property
    def database_url(self) -> str:
        """PostgreSQL as the app role: no DDL, no UPDATE or DELETE of ledger rows."""
        return config.text("DATABASE_URL")

    @property
    def database_owner_url(self) -> str:
        return config.text("DATABASE_OWNER_URL")


@pytest.fixture(scope="session")
def servers() -> Iterator[RunningServers]:
    """Run the embedded PostgreSQL, journal and cache (about 2 s, once)."""
    bare = BareServers()
    try:
        bare.start()
        yield RunningServers()
    finally:
        bare.stop()


@pytest.fixture
def journal(servers: RunningServers) -> Iterator[redis.Redis]:
    """Return an empty journal server's client (bytes, no retries)."""
    client = journal_client(servers.journal_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def cache(servers: RunningServers) -> Iterator[redis.Redis]:
    """Return an empty cache server's client (bytes, no retries)."""
    client = cache_client(servers.cache_url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(servers: RunningServers) -> None:
    """Start PostgreSQL before pytest-django makes its test database."""


@pytest.fixture
def transactional_db(django_db_serialized_rollback: None, transactional_db: None) -> None:
    """Empty tables after the test, then put back what migrations seed (fee tiers, content types).

    For all such tests or for none: a plain one would leave content types that clash with the next.
    """


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Run the whole exchange: one supervisor, every process, demo users (once a session)."""
    running = Stack()
    try:
        running.up()
        yield running
    finally:
        running.down()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of a Chromium that Playwright can drive; skip where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: install chromium, or the development packages of package.json")
    return path
