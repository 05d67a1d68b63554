"""The servers of the tests are the servers of the exchange."""

from __future__ import annotations

import psycopg
import pytest


def test_the_journal_is_durable_before_it_answers(journal):
    """A reply that leaves before the fsync would be a promise nobody kept."""
    wanted = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "io-threads": "1",
    }
    assert {name: journal.config_get(name)[name] for name in wanted} == wanted


def test_the_cache_keeps_nothing(cache):
    assert cache.config_get("appendonly") == {"appendonly": "no"}
    assert cache.config_get("save") == {"save": ""}


def test_the_app_role_uses_tables_and_cannot_make_them(servers):
    with psycopg.connect(servers.database_owner_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE seen (n int)")
    try:
        with psycopg.connect(servers.database_url) as app:
            app.execute("INSERT INTO seen VALUES (1)")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                app.execute("CREATE TABLE mine (n int)")
    finally:
        with psycopg.connect(servers.database_owner_url, autocommit=True) as owner:
            owner.execute("DROP TABLE seen")
