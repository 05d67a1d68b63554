"""Settings: one registry, and nothing unsafe by default where it counts."""

from __future__ import annotations

import stat

import pytest

from apps.common.config import SETTINGS, BadSetting, Config


@pytest.fixture
def settings_of(tmp_path):
    """Return settings as a process with just these variables would see them."""

    def make(**environ: str) -> Config:
        return Config({"FAIRBOOK_ENV": "test", "FAIRBOOK_VAR": str(tmp_path), **environ})

    return make


def test_an_unknown_environment_refuses(settings_of):
    with pytest.raises(BadSetting, match="FAIRBOOK_ENV"):
        _ = settings_of(FAIRBOOK_ENV="staging").env


@pytest.mark.parametrize("name", [s.name for s in SETTINGS if s.required])
def test_production_has_no_default_for_what_must_be_chosen(settings_of, name):
    with pytest.raises(BadSetting, match=name):
        settings_of(FAIRBOOK_ENV="production").get(name)


def test_secrets_are_made_once_and_only_their_owner_can_read_them(settings_of, tmp_path):
    config = settings_of()
    assert config.generate_secrets() is True
    first = config.text("FAIRBOOK_SECRET_KEY")

    assert config.generate_secrets() is False

    assert config.text("FAIRBOOK_SECRET_KEY") == first
    assert stat.S_IMODE((tmp_path / "secrets.env").stat().st_mode) == 0o600


def test_production_reads_no_secrets_from_the_data_directory(settings_of):
    settings_of().generate_secrets()
    with pytest.raises(BadSetting):
        settings_of(FAIRBOOK_ENV="production").get("FAIRBOOK_SECRET_KEY")


def test_the_table_shows_no_secret(settings_of):
    config = settings_of()
    config.generate_secrets()
    shown = str(config.table())
    assert not [s.name for s in SETTINGS if s.generated and config.text(s.name) in shown]
    assert {row["name"] for row in config.table()} == {s.name for s in SETTINGS}


def test_a_url_that_is_given_replaces_the_embedded_server(settings_of):
    config = settings_of(DATABASE_URL="postgresql://me:word@db.example/mine")
    assert config.is_set("DATABASE_URL")
    assert config.text("DATABASE_OWNER_URL") == "postgresql://me:word@db.example/mine"
    assert not config.is_set("JOURNAL_URL")


def test_embedded_urls_carry_ports_users_and_passwords(settings_of):
    config = settings_of(FAIRBOOK_JOURNAL_PORT="7001")
    config.generate_secrets()
    word = config.text("FAIRBOOK_JOURNAL_PASSWORD")
    assert config.text("JOURNAL_URL") == f"redis://admin:{word}@127.0.0.1:7001/0"


@pytest.mark.parametrize(
    ("name", "value"),
    [("FAIRBOOK_PORT", "80000"), ("FAIRBOOK_BOTS", "maybe"), ("FAIRBOOK_ASGI", "gunicorn")],
)
def test_a_malformed_value_is_named(settings_of, name, value):
    with pytest.raises(BadSetting, match=f"{name}='{value}'"):
        settings_of(**{name: value}).get(name)
