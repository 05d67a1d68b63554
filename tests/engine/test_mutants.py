"""Small mistakes in the engine, and that the random days catch each: `pytest -m chaos`.

A test that has never failed proves nothing. Each mutant is one line changed in a copy of the
engine; its process lives through the first days, with the twin beside it, until both differ.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "from tests.helpers.random_day_shrunk import hunt; print(hunt([*range(80), *range(100, 220)]))"
)

MUTANTS = [  # File, what it says, what the mutant says, and the rule that it breaks.
    ("matching.py", "top.key > key:", "top.key >= key:", "6: its price, too"),
    (
        "matching.py",
        "        maker = top.first\n",
        "        maker = top.last\n",
        "2: oldest first",
    ),
    (
        "matching.py",
        "or (group and _group_of(maker) == group):\n            code",
        ":\n            code",
        "13: groups",
    ),
    ("frames.py", "if far.best <= reach:", "if far.best < reach:", "5: never crossed"),
    ("frames.py", "            and account not in stones\n", "", "25: a cancel beats its order"),
    ("frames.py", "            or order.other\n", "", "50: both end"),
    ("frames.py", "            and name not in mine\n", "", "19: its client id rests"),
    ("gate.py", 'if state != "trading":', 'if state == "halted":', "55: post-only alone"),
    ("matching.py", 'if mode == "N" or not has_steps:', 'if mode == "N":', "35: counts as a fill"),
    ("matching.py", '_GONE if mode == "M" else', '_GONE if mode != "T" else', "36: both end"),
    (
        "matching.py",
        '"M":\n                fills += 1',
        '"M":\n                fills += 0',
        "37: the look counts, too",
    ),
    (
        "matching.py",
        "if took.lots == 0 and budget < price",
        "if took.lots == 0 and budget <= price",
        "12: to the last lot",
    ),
    (
        "matching.py",
        "        if maker.other:\n",
        "        if maker.other and maker.open_lots:\n",
        "50: the last fill, too",
    ),
    ("acting.py", "[0][0] > turn.at_ns:", "[0][0] >= turn.at_ns:", "38: from that time on"),
    ("acting.py", "core.actions_left -= 1", "core.actions_left -= 0", "46: so many a batch"),
    ("acting.py", "if is_limit and not core", "if not is_limit and not core", "45: the band"),
    (
        "acting.py",
        "    if order.other:\n",
        "    if order.other and not order.extras:\n",
        "50: before it acts",
    ),
    (
        "placing.py",
        "0 < extras.expires_ns <= at_ns",
        "0 < extras.expires_ns < at_ns",
        "38: reached already",
    ),
    (
        "placing.py",
        "_refusal(core, leg.order, leg.extras, at_ns, room=2)",
        "_refusal(core, leg.order, leg.extras, at_ns, room=1)",
        "49: room for two",
    ),
    (
        "placing.py",
        "        return terms.post_only\n",
        "        return True\n",
        "55: post-only alone",
    ),
    (
        "placing.py",
        'far.best <= key and core.state != "auction"\n    if',
        "far.best <= key\n    if",
        "58: nothing takes",
    ),
    (
        "triggers.py",
        "rising.peekitem(0)[0][0] <= price",
        "rising.peekitem(0)[0][0] < price",
        "40: at its trigger",
    ),
    (
        "triggers.py",
        "order.best = max(order.best, price)",
        "order.best = price",
        "43: the best price",
    ),
    (
        "triggers.py",
        "price <= order.best * (PPM - trail_ppm) // PPM",
        "price <= -(-order.best * (PPM - trail_ppm) // PPM)",
        "43: never early",
    ),
    (
        "triggers.py",
        "order.best = self.sources[extras_of(order).trigger_by].price",
        "order.best = 0",
        "43: the price then included",
    ),
    (
        "core.py",
        "(first,) if last == first else (first, last)",
        "(last,)",
        "44: the first price, too",
    ),
    (
        "core.py",
        "sorted(fired, key=lambda order: order.number)",
        "fired",
        "45: as they were placed",
    ),
    (
        "amends.py",
        "asked.lots <= order.filled_lots",
        "asked.lots < order.filled_lots",
        "52: above what is filled",
    ),
    (
        "amends.py",
        "        if not order.number:\n",
        "        if order.number or not order.number:\n",
        "51: who waits is no depth",
    ),
    (
        "amends.py",
        "version=asked.version, lots",
        "version=terms.version, lots",
        "51: the version is the amend's",
    ),
    (
        "switches.py",
        "peekitem(0)[0][0] <= at_ns",
        "peekitem(0)[0][0] < at_ns",
        "53: in its time's batch",
    ),
    ("cancels.py", "self.steps_left -= 1", "self.steps_left -= 0", "28: so many steps"),
    (
        "machine.py",
        "told.account % PARTITIONS_MAX != peer.partition",
        "peer is None",
        "54: only its own accounts",
    ),
    ("machine.py", "        self.breaker.forget()\n", "", "56: an operator's word ends it"),
    ("machine.py", "            self.end_everything()\n", "", "57: all ends"),
    (
        "machine.py",
        "command.number > self.mark_number",
        "command.number >= self.mark_number",
        "61: only a newer one",
    ),
    ("breaker.py", ">= reference * ppm", "> reference * ppm", "56: that far or more"),
    ("auction.py", "abs(buyers - sellers), abs", "0, abs", "59: the least left over"),
    ("auction.py", "abs(price - reference)", "0", "59: the nearest the reference"),
    (
        "auction.py",
        "is_ask_older = arrival[ask.terms.order_id] <",
        "is_ask_older = arrival[ask.terms.order_id] >",
        "60: the younger takes",
    ),
    ("reference.py", "self.window_s + 1", "self.window_s", "31: when its second is so old"),
]

pytestmark = pytest.mark.chaos


def days_of(folder: Path, program: str = PROGRAM) -> str:
    """Live through the days with the engine of a folder; return the first that was caught."""
    environ = {**os.environ, "PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or done.stderr


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """Return a copy of the engine, in a folder that is imported first."""
    ignored = shutil.ignore_patterns("__pycache__", "*.so")
    shutil.copytree(ROOT / "matching_worker", tmp_path / "matching_worker", ignore=ignored)
    return tmp_path / "matching_worker/engine"


def test_the_engine_as_it_is_passes(engine):
    assert days_of(engine.parents[1]) == "None"


def test_it_is_the_copy_that_is_tried(engine):
    (engine / "book.py").write_text("raise RuntimeError('this is the copy')")

    assert "this is the copy" in days_of(engine.parents[1])


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"), MUTANTS, ids=[f"{file}-{rule}" for file, _, _, rule in MUTANTS]
)
def test_a_mutant_is_caught(engine, file, old, new, rule):
    source = (engine / file).read_text()
    assert source.count(old) == 1, f"mend the list: {file} says {old!r} {source.count(old)} times"
    (engine / file).write_text(source.replace(old, new))

    assert days_of(engine.parents[1]).isdigit(), f"no day sees that rule {rule} is broken"
