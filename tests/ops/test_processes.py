"""The table of processes, and what the supervisor makes of it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time

import pytest

from exchange_site.ops import books, leftovers, processes, supervision
from tests.helpers.ports import free_ports

ROOT = processes.ROOT


@pytest.fixture
def table(monkeypatch):
    """Return all rows for one market and one partition."""
    monkeypatch.setenv("FAIRBOOK_MARKETS", "BTC-USDT")
    return {row.name: row for row in processes.all_processes()}


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Return what writes the listings' part of the table, in a data directory of its own."""
    monkeypatch.setenv("FAIRBOOK_VAR", str(tmp_path))

    def write(*rows, closed=()):
        books.write(books.Listed(rows, frozenset(closed)))

    return write


def test_the_names_are_those_of_the_contract(table):
    assert set(table) == {
        *("edge-1", "edge-2", "risk-0-a", "risk-0-b", "book-BTC-USDT-a", "book-BTC-USDT-b"),
        *("projector", "archiver", "relay", "lister", "standing", "publisher", "beat"),
        *("celery-settlement-1", "celery-default-1"),
        *("marketdata", "prover", "bots", "journal", "cache", "postgres"),
    }


def test_partitions_and_markets_come_from_the_settings(table, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_RISK_PARTITIONS", "3")
    monkeypatch.setenv("FAIRBOOK_MARKETS", "BTC-USDT,ETH-USDT")
    monkeypatch.setenv("FAIRBOOK_STANDBYS", "0")
    names = {row.name for row in processes.all_processes()}
    assert {"risk-0-a", "risk-1-a", "risk-2-a", "book-ETH-USDT-a"} <= names
    assert "risk-0-b" not in names


def test_a_listed_market_adds_its_two_processes_and_moves_nobodys_port(table, listed):
    listed(books.Book("SOL-USDT", 1), books.Book("ADA-USDT", 0))
    now = {row.name: row for row in processes.all_processes()}

    added = set(now) - set(table)
    assert added == {f"book-{m}-USDT-{member}" for m in ("SOL", "ADA") for member in "ab"}
    assert {name: now[name].port for name in table} == {n: row.port for n, row in table.items()}
    ports = [row.port for row in now.values() if row.port]
    assert len(ports) == len(set(ports))
    assert [row.name for row in processes.of_market("SOL-USDT")] == [
        "book-SOL-USDT-a",
        "book-SOL-USDT-b",
    ]


def test_a_market_of_the_settings_that_is_listed_as_well_runs_once(table, listed):
    listed(books.Book("BTC-USDT", 0))
    assert [row.name for row in processes.all_processes()] == list(table)


def test_a_delisted_market_leaves_the_table_and_moves_nobodys_port(table, listed):
    listed(closed={"BTC-USDT"})
    now = {row.name: row.port for row in processes.all_processes()}
    assert set(table) - set(now) == {"book-BTC-USDT-a", "book-BTC-USDT-b"}
    assert now == {name: row.port for name, row in table.items() if name in now}


def test_no_two_processes_share_a_port(table):
    ports = [port for row in table.values() for port in (row.port, row.public_port) if port]
    assert len(ports) == len(set(ports))


def test_a_server_that_is_given_is_not_run(table, monkeypatch):
    monkeypatch.setenv("JOURNAL_URL", "redis://journal.example/0")
    names = {row.name for row in processes.all_processes()}
    assert "journal" not in names
    assert "cache" in names


def test_production_runs_no_bots(table, monkeypatch):
    for name, value in {
        "FAIRBOOK_ENV": "production",
        "DATABASE_URL": "postgresql://a:b@db/x",
        "JOURNAL_URL": "redis://j/0",
        "REDIS_URL": "redis://c/0",
    }.items():
        monkeypatch.setenv(name, value)
    assert not [row.name for row in processes.all_processes() if row.kind in {"bot", "postgres"}]


def test_the_supervisor_leaves_stopped_who_asks_for_it(table):
    text = supervision.write_configuration(table.values()).read_text()
    assert text.count("exitcodes=78") == len(table)
    assert "password" not in text.lower()


def test_the_launcher_writes_the_start_down_and_becomes_the_process(tmp_path):
    launch = ROOT / "exchange_site/ops/launch.py"
    command = [sys.executable, "-S", "-E", str(launch), str(tmp_path), "x", "0"]
    command += ["sh", "-c", "echo $$"]
    pids = [int(subprocess.check_output(command)) for _ in range(3)]
    record = json.loads((tmp_path / "x.json").read_text())
    assert record["pid"] == pids[-1]
    assert record["restarts"] == 2


def test_a_port_that_a_closed_connection_holds_is_waited_for(monkeypatch):
    port, other = free_ports(2)
    monkeypatch.setattr(leftovers, "SETTLES_S", 0.5)  # A minute is the kernel's, not ours to take.
    with socket.create_server(("127.0.0.1", other)) as server:
        caller = socket.create_connection(server.getsockname(), source_address=("127.0.0.1", port))
        answerer, _ = server.accept()
        caller.close()  # Whoever closes first keeps the port for a while.
        answerer.close()
        row = processes.Process("cache", "valkey", processes.DOORS, [], public_port=port)
        told = []
        said = leftovers.taken_ports([row], say=told.append)
    assert told == [f"  waiting for closed connections on {port}"]
    assert said == [f"port {port}, wanted by cache, is taken by a closed connection, for a minute"]


def test_a_taken_port_is_named_with_its_holder(table):
    (port,) = free_ports(1)
    holder = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        row = processes.Process("edge-9", "edge", processes.DOORS, [], public_port=port)
        for _ in range(100):
            if said := leftovers.taken_ports([row]):
                break
            holder.poll()
            time.sleep(0.05)
        assert said
        assert f"port {port}, wanted by edge-9" in said[0]
        assert str(holder.pid) in said[0]
    finally:
        holder.kill()
        holder.communicate()


def test_a_stranger_with_a_recorded_pid_is_left_alone(tmp_path, monkeypatch):
    """Pids are given out again: the record of a dead service may name somebody else's process."""
    monkeypatch.setenv("FAIRBOOK_VAR", str(tmp_path))
    stranger = subprocess.Popen(["sleep", "30"], cwd="/", env={"PATH": "/usr/bin:/bin"})
    try:
        (tmp_path / "run").mkdir()
        record = {"name": "edge-1", "pid": stranger.pid, "starts": [], "since": 0}
        (tmp_path / "run" / "edge-1.json").write_text(json.dumps(record))
        assert leftovers.clean_up() == []
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
