"""Small mistakes in the compiled way of whole frames, and that the days catch each.

As `test_mutants.py`, whose copy of the engine this compiles: `pytest -m chaos`.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.engine.test_mutants import days_of, engine  # noqa: F401  # The second is a fixture.
from tests.helpers.book_day import COMPILED

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = (
    "from tests.helpers.random_day_shrunk import hunt; "
    "from tests.helpers.book_day import COMPILED; print(hunt(range(80), COMPILED))"
)

MUTANTS = [  # What it says, what the mutant says, and the rule that it breaks.
    ("LEVEL_KEY) <= reach:", "LEVEL_KEY) < reach:", "5: never crossed"),
    ("LEVEL_KEY) > reach:", "LEVEL_KEY) >= reach:", "6: its price, too"),
    ("maker = get(top, LEVEL_FIRST)", "maker = get(top, LEVEL_LAST)", "2: oldest first"),
    ("            if not steps:\n", "            if steps < 0:\n", "14: so many fills"),
    ("if number_in(maker, ORDER_OTHER):", "if False:", "50: both end"),
    ("or number_in(order, ORDER_OTHER)\n", "or False\n", "50: both end by a cancel"),
    (" and PyDict_Contains(stones, account))", " and False)", "25: a cancel beats its order"),
    ("and not PyDict_Contains(<object>mine, name)", "", "19: its client id rests"),
    (
        "            self.core.note_trades(executions, self.turn)\n",
        "            pass\n",
        "31: the mean",
    ),
    ("put(newer, ORDER_OLDER, older)", "pass", "1: a chain"),
    ("put(newer, ORDER_OLDER, None)", "pass", "1: a chain's first"),
    ("if extras is not None and extras.expires_ns:", "if False:", "38: ends by time"),
    (
        "            gate.read()\n            continue\n        rest(",
        "            continue\n        rest(",
        "55: a pause in the middle of a frame",
    ),
    ("number_in(made, TERMS_ACCOUNT) == account_number", "False", "13: its own order"),
    ("len(<dict>mine) < gate", "len(<dict>mine) <= gate", "20: so many an account"),
    ("and len(self.orders) < gate.orders_per_book", "", "20: so many a book"),
    ("if get(terms, TERMS_POST_ONLY):", "if False:", "9: post-only never takes"),
    (
        "or number_in(terms, TERMS_ACCOUNT) != number_in(command, CANCEL_ACCOUNT)",
        "",
        "24: its own orders alone",
    ),
    ("if core.has_tripped or core.actions:", "if False:", "56: the breaker"),
    ("self.turn.note_turned_away(terms, ended, code)", "pass", "23: the market is told"),
]

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.skipif(COMPILED is None, reason="the compiled engine is not built here"),
]


def compile_in(folder: Path) -> None:
    """Compile the copy of the engine in a folder."""
    words = [sys.executable, "-m", "exchange_site.ops.compile", str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_compiled_engine_as_it_is_passes(engine):  # noqa: F811
    compile_in(engine.parents[1])

    assert days_of(engine.parents[1], PROGRAM) == "None"


@pytest.mark.parametrize(("old", "new", "rule"), MUTANTS, ids=[rule for *_, rule in MUTANTS])
def test_a_compiled_mutant_is_caught(engine, old, new, rule):  # noqa: F811
    source = engine / "quick.pyx"
    text = source.read_text()
    assert text.count(old) == 1, f"mend the list: it says {old!r} {text.count(old)} times"
    source.write_text(text.replace(old, new))
    compile_in(engine.parents[1])

    assert days_of(engine.parents[1], PROGRAM).isdigit(), f"no day sees that {rule} is broken"
