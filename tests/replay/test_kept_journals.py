"""Journals of earlier builds decode and replay to the hashes they were kept with, for ever."""

import json
from pathlib import Path

import pytest

from apps.journals.recovery import Blueprint
from apps.journals.replay import replay_archive
from apps.risk.codec import RISK_CODEC
from apps.risk.engine import RiskMachine
from matching_worker.codec import BOOK_CODEC
from matching_worker.engine import BookMachine
from tests.replay.keep import KEPT

CASES = [
    (build, worker, expected)
    for build in sorted(path for path in KEPT.iterdir() if path.is_dir())
    for worker, expected in json.loads((build / "expected.json").read_text()).items()
]


def blueprint(folder: Path, worker: str) -> Blueprint:
    kind, _, shard = worker.partition(":")
    if kind == "risk":
        return Blueprint(worker, lambda: RiskMachine(int(shard)), RISK_CODEC, folder, folder)
    return Blueprint(worker, BookMachine, BOOK_CODEC, folder, folder)


def test_something_is_kept():
    assert CASES, "each build that changes what a batch means keeps a day of its journals"


@pytest.mark.parametrize(
    ("build", "worker", "expected"), CASES, ids=[f"{b.name}-{w}" for b, w, _ in CASES]
)
def test_a_kept_journal_replays_to_its_hash(build, worker, expected):
    replayed = replay_archive(blueprint(build, worker))

    assert (replayed.batch, replayed.seq) == (expected["batch"], expected["seq"])
    assert replayed.hash.hex() == expected["hash"]
    assert replayed.state_hash.hex() == expected["state_hash"]
