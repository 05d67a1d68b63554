"""A process is given the secrets that its row of the table needs, and finds no others."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from apps.common.config import ROOT, SETTINGS, BadSetting, Config
from exchange_site.ops import environs, processes
from exchange_site.ops.check import PRODUCTION
from exchange_site.ops.environs import Need, environ_of

SECRETS = [setting.name for setting in SETTINGS if setting.secret]
GIVEN = {
    "DATABASE_URL": "postgresql://app:w1@db.example/x",
    "DATABASE_OWNER_URL": "postgresql://owner:w2@db.example/x",
    "JOURNAL_URL": "redis://:w3@journal.example/0",
    "REDIS_URL": "redis://:w4@cache.example/0",
    "FAIRBOOK_SECRET_KEY": "w5" * 32,
    "FAIRBOOK_KEY_ENCRYPTION_KEY": "e6" * 32,
    "FAIRBOOK_PROOF_SECRET": "e7" * 32,
    "FAIRBOOK_SMTP_PASSWORD": "w8",
}


@pytest.fixture
def base(tmp_path):
    """Return the environment of an exchange whose secrets are made."""
    environ = {"FAIRBOOK_ENV": "test", "FAIRBOOK_VAR": str(tmp_path), "FAIRBOOK_PORT": "7000"}
    Config(environ).generate_secrets()
    return environ


def secrets_in(environ):
    """Return the secrets that a process of this environment knows or finds, by name."""
    found = Config(environ)
    return {name for name in SECRETS if found.get(name) and not name.endswith("_URL")}


def test_without_needs_there_is_no_secret_and_none_is_found(base):
    environ = environ_of(base | GIVEN, needs=())
    assert secrets_in(environ) == set()
    assert not [word for word in GIVEN.values() if word in str(environ)]
    assert environ["FAIRBOOK_PORT"] == "7000"


@pytest.mark.parametrize(
    ("need", "name"),
    [
        (Need.JOURNAL, "FAIRBOOK_JOURNAL_PASSWORD"),
        (Need.CACHE, "FAIRBOOK_CACHE_PASSWORD"),
        (Need.DATABASE, "FAIRBOOK_DB_PASSWORD"),
        (Need.COOKIES, "FAIRBOOK_SECRET_KEY"),
        (Need.SEALING, "FAIRBOOK_KEY_ENCRYPTION_KEY"),
        (Need.PSEUDONYMS, "FAIRBOOK_PROOF_SECRET"),
    ],
)
def test_a_need_is_answered_by_one_secret(base, need, name):
    assert secrets_in(environ_of(base, needs=[need], role="edge")) == {name}


def test_while_the_key_of_keys_is_changed_who_seals_knows_both(base):
    second = base | {"FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY": "0" * 64}
    environ = environ_of(second, needs=[Need.SEALING])
    assert environ["FAIRBOOK_SECOND_KEY_ENCRYPTION_KEY"] == "0" * 64
    assert environ["FAIRBOOK_KEY_ENCRYPTION_KEY"]
    assert "0" * 64 not in str(environ_of(second, needs=[Need.COOKIES]))


def test_a_process_logs_in_as_its_role_and_by_its_own_word(base):
    environ = environ_of(base, needs=[Need.JOURNAL], role="risk:0")
    url = Config(environ).text("JOURNAL_URL")
    assert url.startswith("redis://risk%3A0:")
    assert Config(base).text("FAIRBOOK_JOURNAL_PASSWORD") not in str(environ)


def test_servers_that_a_person_gives_are_used_as_given(base):
    environ = environ_of(base | GIVEN, needs=[*Need], role="edge")
    given = {name: value for name, value in GIVEN.items() if name != "DATABASE_OWNER_URL"}
    assert {name: environ.get(name) for name in given} == given
    assert "DATABASE_OWNER_URL" not in environ
    assert "FAIRBOOK_JOURNAL_PASSWORD" not in environ


def test_a_person_may_give_each_role_its_own(base, tmp_path):
    (tmp_path / "book.env").write_text("JOURNAL_URL=redis://book:mine@journal.example/0\n")
    (tmp_path / "edge.env").write_text("FAIRBOOK_PROOF_SECRET=not-for-edges\n")
    settings = base | GIVEN | {"FAIRBOOK_ROLE_FILES": str(tmp_path)}

    book = environ_of(settings, needs=[Need.JOURNAL], role="book:BTC-USDT")
    edge = environ_of(settings, needs=[Need.JOURNAL], role="edge")

    assert book["JOURNAL_URL"] == "redis://book:mine@journal.example/0"
    assert edge["JOURNAL_URL"] == GIVEN["JOURNAL_URL"]
    assert "not-for-edges" not in str(edge)


def test_what_a_shell_holds_besides_stays_out(base):
    environ = environ_of(base | {"CLOUD_TOKEN": "x", "PATH": "/bin", "LC_ALL": "C"}, needs=[*Need])
    assert "CLOUD_TOKEN" not in environ
    assert (environ["PATH"], environ["LC_ALL"]) == ("/bin", "C")


def test_production_refuses_to_start_what_lacks_its_secret_and_asks_nobody_else_for_it(base):
    production = base | GIVEN | {"FAIRBOOK_ENV": "production", "FAIRBOOK_SECRET_KEY": ""}
    with pytest.raises(BadSetting, match="FAIRBOOK_SECRET_KEY"):
        environ_of(production, needs=[Need.COOKIES])
    relay = Config(environ_of(production, needs=[Need.JOURNAL, Need.DATABASE]))
    assert relay.get("FAIRBOOK_SECRET_KEY") is None
    assert relay.text("JOURNAL_URL") == GIVEN["JOURNAL_URL"]


@pytest.mark.parametrize("needs", [(Need.JOURNAL, Need.CACHE, Need.DATABASE), ()])
def test_a_production_process_of_few_needs_starts_and_passes_its_checks(tmp_path, needs):
    """Settlement, for one: Celery runs all checks at its start, and knows no key of cookies."""
    given = dict(os.environ) | PRODUCTION | {"FAIRBOOK_VAR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT, env=environ_of(given, needs=needs, role="settlement"),
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_only_who_uses_a_secret_needs_it():
    """The rows that are given more than servers, and what; whoever adds to it says why."""
    servers = {Need.JOURNAL, Need.CACHE, Need.DATABASE}
    beyond = {row.name: {*row.needs} - servers for row in processes.all_processes()}
    assert {name: needs for name, needs in beyond.items() if needs} == {
        "edge-1": {Need.COOKIES, Need.SEALING},
        "edge-2": {Need.COOKIES, Need.SEALING},
        "celery-default-1": {Need.SEALING, Need.MAIL},
        "prover": {Need.PSEUDONYMS},
    }


def test_engines_and_what_follows_them_know_no_database():
    without = {"book", "risk", "projector", "archiver", "publisher", "beat", "bot"}
    for row in processes.all_processes():
        if row.phase != processes.SERVERS:
            assert (environs.Need.DATABASE in row.needs) == (row.kind not in without), row.name
