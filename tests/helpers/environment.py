"""The environment that every test runs in: FAIRBOOK_ENV=test, a private data directory, free ports.

Imported (and applied) by tests/conftest.py before Django's settings are read. What a developer has
in the shell or in `.env` changes no test: FAIRBOOK_* variables and server URLs are dropped.
Only FAIRBOOK_TEST_DATABASE_URL, FAIRBOOK_TEST_JOURNAL_URL and FAIRBOOK_TEST_REDIS_URL go through;
they put real servers under the tests in place of the embedded ones.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from collections.abc import Mapping

from apps.common.config import config
from tests.helpers.ports import free_ports

_SERVER_URLS = {
    "DATABASE_URL": "FAIRBOOK_TEST_DATABASE_URL",
    "JOURNAL_URL": "FAIRBOOK_TEST_JOURNAL_URL",
    "REDIS_URL": "FAIRBOOK_TEST_REDIS_URL",
}


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment without anything that configures an exchange."""
    dropped = {*_SERVER_URLS, "DATABASE_OWNER_URL"}
    kept = {
        name: value
        for name, value in environ.items()
        if name not in dropped and not name.startswith("FAIRBOOK_")
    }
    kept |= {ours: environ[given] for ours, given in _SERVER_URLS.items() if environ.get(given)}
    return kept | {"FAIRBOOK_ENV": "test", "PYTHONUNBUFFERED": "1"}


def apply() -> None:
    """Give this process a test environment of its own, removed when it ends."""
    postgres, journal, cache = free_ports(3)
    folder = tempfile.mkdtemp(prefix="fairbook-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    environ = clean_environ(os.environ) | {
        "FAIRBOOK_VAR": folder,
        "FAIRBOOK_POSTGRES_PORT": str(postgres),
        "FAIRBOOK_JOURNAL_PORT": str(journal),
        "FAIRBOOK_CACHE_PORT": str(cache),
        "FAIRBOOK_DB_ROLE": "owner",  # The test database is created by the role of this process.
        "DJANGO_SETTINGS_MODULE": "exchange_site.settings",
    }
    os.environ.clear()
    os.environ.update(environ)
    config.generate_secrets()  # Settings put the passwords into URLs as soon as they are read.
