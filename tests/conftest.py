"""Fixtures for every test.

servers         embedded PostgreSQL, journal and cache on free ports, for the whole session
journal, cache  redis clients of those two (bytes), emptied before each test
stack           the whole exchange under its supervisor, for the whole session (helpers/stack.py)
chromium_path   a headless Chromium
Tests that use the database take pytest-django's `db`; it starts `servers` by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from tests.helpers import environment

environment.apply()  # Before anything reads a setting.

import django  # noqa: E402

django.setup()
# A worker of pytest-xdist inherits the environment. By this name its pytest-django would read the
# settings before that worker has an environment, and servers, of its own.
del os.environ["DJANGO_SETTINGS_MODULE"]

# Its plugin imports it at the very end otherwise, rewritten by pytest, and there a collection in
# the middle of a syntax tree can break the tree (helpers/source_tree.py tells how).
import hypothesis  # noqa: E402, F401
import pytest  # noqa: E402
import pytest_django  # noqa: E402
import redis  # noqa: E402
from django.test import TransactionTestCase  # noqa: E402

from apps.common.config import config  # noqa: E402
from apps.common.redis_clients import cache_client, journal_client  # noqa: E402
from exchange_site.ops.servers import BareServers  # noqa: E402
from tests.helpers.browser import find_chromium  # noqa: E402
from tests.helpers.seeds import Seeds  # noqa: E402
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


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None, django_db_blocker: pytest_django.DjangoDbBlocker
) -> Iterator[None]:
    """After each test that commits, tables hold again what migrations seed, and nothing else."""
    with django_db_blocker.unblock():
        seeds = Seeds()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _test: seeds.put_back())
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Run the whole exchange: one supervisor, every process, demo users (once a session)."""
    running = Stack()
    try:
        running.up()
        yield running
        assert running.refused() == []  # Nobody lacked a right, and nobody tried what is not its.
    finally:
        running.down()


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Return the path of a Chromium that Playwright can drive; skip where there is none."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium: install chromium, or the development packages of package.json")
    return path
