"""`manage.py verify` and `manage.py replay`, as the contract has them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
import redis
from django.core.management import call_command

from apps.common.config import config
from apps.journals.snapshots import Snapshots
from apps.monitoring import verify as verifying
from tests.replay.conftest import sql
from tests.replay.test_verify import busy_day

RISK, BOOK = "risk:0", "book:BTC-USDT"


@pytest.fixture
def settled(checked, monkeypatch):
    monkeypatch.setattr(verifying.verify, "__kwdefaults__", {"live_wait_s": 0.0})
    busy_day(checked)
    checked.settle()
    return checked


def run(*words: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it printed."""
    out = StringIO()
    try:
        call_command(*words, stdout=out, stderr=out)
    except SystemExit as left:
        return int(left.code or 0), out.getvalue()
    return 0, out.getvalue()


def test_verify_prints_the_contracts_json_and_leaves_with_0(settled):
    code, text = run("verify", "--json")

    found = json.loads(text)
    assert code == 0
    assert found["schema"] == "fairbook.verify/1"
    assert found["ok"] is True
    assert [one["id"] for one in found["invariants"]] == [f"I{n}" for n in range(1, 13)]
    assert set(found["invariants"][0]) == {
        "id",
        "ok",
        "checked",
        "violations",
        "first",
        "skipped",
    }
    assert found["imbalance_minor"] == {"BTC": "0", "USDT": "0"}
    assert set(found["hashes"][BOOK]) == {"live", "genesis", "snapshot"}
    assert found["hashes"][BOOK]["live"] is None
    assert found["at"][RISK] == settled.world.replicas[RISK].machine.seq
    assert found["seconds"] > 0


def test_verify_leaves_with_1_and_names_what_is_wrong(settled):
    sql("UPDATE ledger_balance SET amount = amount + 1 WHERE may_be_negative")

    code, text = run("verify")

    assert code == 1
    assert "I5   VIOLATED" in text
    assert "THE BOOKS DO NOT TIE" in text


def test_verify_leaves_with_2_when_it_cannot_look(settled, monkeypatch):
    def away(*_args, **_kwargs):
        raise redis.ConnectionError("away")

    monkeypatch.setattr(verifying, "verify", away)

    code, text = run("verify", "--json")

    assert code == 2
    assert "could not check" in text


def test_replay_at_a_sequence_has_the_hash_of_the_snapshot_of_that_sequence(settled):
    for worker in settled.world.replicas:
        for snapshot in Snapshots(config.path("FAIRBOOK_SNAPSHOT_DIR"), worker).whole():
            code, text = run(
                "replay",
                *("--from", "genesis", "--stream", worker, "--at", str(snapshot.seq)),
                *("--hash", "--json"),
            )
            (stream,) = json.loads(text)["streams"]
            assert code == 0
            assert stream["stream"] == worker
            assert stream["seq"] == stream["commands"] == snapshot.seq
            assert stream["hash"] == snapshot.state_hash.hex()


@pytest.mark.parametrize("start", ["genesis", "snapshot"])
def test_replay_of_everything_leads_to_where_the_workers_are(settled, start):
    _, text = run("replay", "--from", start, "--hash", "--json")

    streams = {one["stream"]: one for one in json.loads(text)["streams"]}
    for worker, replica in settled.world.replicas.items():
        assert streams[worker]["hash"] == replica.state_hash().hex()
        assert streams[worker]["seq"] == replica.machine.seq


def test_replay_at_a_moment_stops_before_what_came_later(settled):
    at_the_end = settled.world.now_ns
    settled.world.run(seconds=300)  # A cut falls due, maybe; people do nothing.
    before = settled.world.replicas[RISK].machine.seq
    settled.world.account(20, USDT=1)
    settled.world.run()
    moment = datetime.fromtimestamp(at_the_end // 10**9 + 60, UTC).isoformat()

    _, text = run("replay", "--from", "genesis", "--stream", RISK, "--at", moment, "--json")
    _, now = run("replay", "--from", "genesis", "--stream", RISK, "--json")

    then, now = json.loads(text)["streams"][0], json.loads(now)["streams"][0]
    assert then["seq"] <= before
    assert now["seq"] == before + 2


def test_a_snapshot_that_was_asked_for_between_commands_is_of_the_same_sequence(settled):
    """An idle worker's last batches hold no command; replay to its sequence ends where it does."""
    settled.world.run(seconds=11)
    settled.world.run(seconds=11)
    settled.snapshot()

    for worker, replica in settled.world.replicas.items():
        seq = replica.machine.seq
        for start in ("genesis", "snapshot"):
            _, text = run("replay", "--from", start, "--stream", worker, "--at", str(seq), "--json")
            (stream,) = json.loads(text)["streams"]
            assert (stream["seq"], stream["hash"]) == (seq, replica.state_hash().hex())
