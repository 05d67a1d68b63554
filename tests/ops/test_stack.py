"""The running exchange, as an operator sees and steers it."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from pathlib import Path

import pytest
import redis

from apps.common.config import SETTINGS
from exchange_site.ops import environs, processes, roles
from exchange_site.ops.environs import Need
from tests.helpers.stack import Stack

pytestmark = pytest.mark.stack


def test_everything_that_runs_is_ready_and_says_so(stack):
    rows = stack.services()
    assert {name: row["state"] for name, row in rows.items()} == dict.fromkeys(rows, "ready")
    for row in rows.values():
        assert set(row) >= {
            *("name", "kind", "shard", "role", "epoch", "pid", "state", "restarts"),
            *("restart_policy", "since", "log", "data_dirs", "health_url", "metrics_url"),
        }


def test_every_process_of_ours_serves_metrics(stack):
    for row in stack.services().values():
        if row["metrics_url"]:
            with urllib.request.urlopen(row["metrics_url"], timeout=5) as answer:
                assert b"process_start_time_seconds" in answer.read(), row["name"]


@pytest.fixture
def table(stack, monkeypatch):
    """Return the table of processes as the running exchange has it."""
    for name, value in stack.environ.items():
        monkeypatch.setenv(name, value)
    return processes.all_processes()


def test_a_process_is_given_the_secrets_that_its_row_names_and_no_others(stack, table):
    settings, running = stack.settings(), stack.services()
    users = roles.all_roles(row.acts_as for row in table if roles.is_worker(row.acts_as))
    words = {s.name: settings.text(s.name) for s in SETTINGS if s.generated}
    words |= {
        f"{server} as {user}": environs.password_of(user, server, settings)
        for user in {*users} - {roles.ADMIN}
        for server in (*roles.SERVERS, "db")
    }
    for row in table:
        proc = Path(f"/proc/{running[row.name]['pid']}")
        environ = (proc / "environ").read_text(errors="replace")
        found = {name for name, word in words.items() if word in environ}
        assert found == {_secret_of(need, row.acts_as) for need in row.needs} - {""}, row.name
        assert not [n for n, word in words.items() if word in (proc / "cmdline").read_text()]


def _secret_of(need, user):
    names = {
        Need.DATABASE: f"db as {user}",
        Need.COOKIES: "FAIRBOOK_SECRET_KEY",
        Need.SEALING: "FAIRBOOK_KEY_ENCRYPTION_KEY",
        Need.PSEUDONYMS: "FAIRBOOK_PROOF_SECRET",
        Need.MAIL: "",  # The demo has no mail server.
    }
    return names.get(need) if need in names else f"{need} as {user}"


def test_nobody_is_at_a_valkey_but_the_roles_whose_rows_need_it(stack, table):
    for server, url in (("journal", "JOURNAL_URL"), ("cache", "REDIS_URL")):
        with redis.Redis.from_url(stack.settings().text(url)) as admin:
            users = {client["user"] for client in admin.client_list()} - {roles.ADMIN}
        assert {"edge", "risk:0", "projector"} <= users
        assert users <= {row.acts_as for row in table if server in row.needs}


def test_a_killed_process_is_back_at_once(stack):
    before = stack.services()["edge-2"]
    dead = stack.kill("edge-2")
    started = time.monotonic()
    while stack.pid("edge-2") == dead:
        assert time.monotonic() - started < 3, "the supervisor starts it again at once"
        time.sleep(0.05)
    stack.wait_ready("edge-2", seconds=15)
    assert stack.services()["edge-2"]["restarts"] == before["restarts"] + 1


def test_what_an_operator_stops_stays_down_until_started(stack):
    assert stack.manage("services", "stop", "edge-2").returncode == 0
    time.sleep(1)
    assert stack.services()["edge-2"]["state"] == "stopped"

    assert stack.manage("services", "start", "edge-2").returncode == 0
    assert stack.services()["edge-2"]["state"] == "ready"


def test_a_wrong_name_is_answered_with_the_right_ones(stack):
    done = stack.manage("services", "restart", "edge-99")
    assert done.returncode == 1
    assert "edge-1" in done.stderr


def test_the_settings_are_shown_without_secrets(stack):
    done = stack.manage("config", "--json")
    rows = json.loads(done.stdout)
    assert {row["name"] for row in rows} >= {"FAIRBOOK_PORT", "JOURNAL_URL"}
    assert [row["value"] for row in rows if row["secret"]] == [None] * sum(
        r["secret"] for r in rows
    )


def test_up_again_changes_nothing(stack):
    before = {name: row["pid"] for name, row in stack.services().items()}
    stack.up()
    assert {name: row["pid"] for name, row in stack.services().items()} == before


def test_a_taken_port_stops_the_start_with_its_name():
    other = Stack()
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", int(other.environ["FAIRBOOK_JOURNAL_PORT"])))
        holder.listen()
        try:
            done = other._run("-m", "exchange_site.ops.up", "--detach", seconds=60)
        finally:
            other.down()
    assert done.returncode == 1
    assert f"port {other.environ['FAIRBOOK_JOURNAL_PORT']}, wanted by journal" in done.stderr
