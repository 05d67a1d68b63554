"""The servers of the tests are the servers of the exchange."""

from __future__ import annotations

import psycopg
import pytest

from apps.common.config import config
from exchange_site.ops import servers as servers_of


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


@pytest.mark.parametrize("name", ["journal", "cache"])
def test_a_data_directory_of_before_there_were_users_gets_them(monkeypatch, tmp_path, name):
    monkeypatch.setenv("FAIRBOOK_VAR", str(tmp_path))
    config.generate_secrets()
    word = config.text(f"FAIRBOOK_{name.upper()}_PASSWORD")
    conf = tmp_path / name / "valkey.conf"
    conf.parent.mkdir()
    conf.write_text(f"requirepass {word}\n")

    (server,) = (each for each in servers_of.all_servers() if each.name == name)
    server.prepare()

    assert config.text(f"FAIRBOOK_{name.upper()}_PASSWORD") == word
    assert word not in conf.read_text() + (conf.parent / "users.acl").read_text()
    assert "aclfile" in conf.read_text()
