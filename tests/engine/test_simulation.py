"""Random days: the book and its obvious twin tell one story, and value is always conserved."""

import gc
import os
import subprocess
import sys
from typing import get_args

import msgspec
import pytest

from apps.journals.machine import Outputs
from matching_worker.contracts import from_book
from matching_worker.contracts.market import MarketState
from matching_worker.engine import BookMachine, codes
from matching_worker.engine.limits import SECOND_NS, Limits
from tests.helpers.book_day import (
    COMMANDS,
    TIGHT,
    WAYS,
    due,
    encode,
    fast_market,
    fingerprint,
    live,
    numbers,
    obvious_market,
    said,
)
from tests.helpers.random_day import SPEC, RandomDay
from tests.helpers.witness import Witness

in_each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


@pytest.mark.parametrize("seed", range(60))
def test_the_fast_market_tells_the_same_story_as_the_obvious_one(seed):
    fast, *others = [fast_market(numbers(seed), way) for way in WAYS]
    obvious = obvious_market(numbers(seed))
    witness = Witness(SPEC.quote_per_tick_lot)

    for number, batch in enumerate(RandomDay(seed).batches(COMMANDS)):
        out = live(fast, batch)

        where = f"batch={number}; `python -m tests.helpers.random_day_shrunk {seed}` tells a story"
        assert said(out) == said(live(obvious, batch)), where
        assert due(fast, batch) == due(obvious, batch), where
        assert fast.seq == obvious.seq, where
        fast.check()
        witness.saw(batch, out)
        assert dict(fast.book.bids.depth()) == witness.depth("B"), where
        assert dict(fast.book.asks.depth()) == witness.depth("S"), where
        for other in others:
            assert said(live(other, batch)) == said(out), f"compiled: {where}"
            assert encode(other.dump()) == encode(fast.dump()), f"compiled: {where}"
            other.check()


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_market_that_was_saved_and_loaded_has_the_same_future(seed):
    """Also if it is loaded by a machine that takes frames in the other way."""
    first = fast_market(numbers(seed), WAYS[seed % len(WAYS)])
    for number, batch in enumerate(RandomDay(seed).batches(COMMANDS)):
        if number % 10 == 0:
            saved = encode(first.dump())
            second = BookMachine(Limits(**numbers(seed)), WAYS[number // 10 % len(WAYS)])
            second.load(msgspec.msgpack.decode(saved))
            second.check()
            assert encode(second.dump()) == saved, f"seed={seed} batch={number}"

        assert said(live(first, batch)) == said(live(second, batch)), f"seed={seed} batch={number}"
        assert encode(first.dump()) == encode(second.dump()), f"seed={seed} batch={number}"


def test_the_same_day_twice_leaves_the_same_bytes():
    assert fingerprint(7) == fingerprint(7)


def test_a_day_does_not_depend_on_how_python_hashes():
    program = "from tests.helpers.book_day import fingerprint; print(fingerprint(7))"
    told = set()
    for hash_seed in ("1", "4242"):
        environ = {**os.environ, "PYTHONHASHSEED": hash_seed}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
        )
        told.add(done.stdout)
    assert told == {fingerprint(7) + "\n"}


@in_each_way
def test_how_frames_are_cut_changes_nothing(way):
    """A frame applied message by message (as after a fault) says what it says as a whole."""
    whole, cut = fast_market(TIGHT, way), fast_market(TIGHT, way)
    for batch in RandomDay(11).batches(COMMANDS):
        singly = [(origin, [command]) for origin, run in batch.runs for command in run]
        heard = [(origin, []) for origin, _ in batch.runs]

        out = live(whole, batch)

        assert said(out) == said(live(cut, type(batch)(batch.at_ns, heard + singly)))
        assert encode(whole.dump()) == encode(cut.dump())


@in_each_way
def test_a_random_day_leaves_no_reference_cycles(way):
    """Workers run without the cycle collector, so nothing that ends may need it."""
    book = fast_market(TIGHT, way)
    batches = list(RandomDay(3).batches(2_000))
    gc.collect()
    gc.disable()
    try:
        for batch in batches:
            live(book, batch)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_timers_alone_bring_a_quiet_market_to_rest():
    book = fast_market(TIGHT)
    for batch in RandomDay(5).batches(COMMANDS):
        live(book, batch)

    turns = 0
    while (due_ns := book.due_ns()) is not None:
        out = Outputs()
        book.begin(max(due_ns, book.at_ns), out)
        book.end(max(due_ns, book.at_ns), (0, 0), out)
        turns += 1
        assert turns < 400, "a timer that fires must move on"

    assert book.first_uncut_ns is None
    assert book.at_ns // SECOND_NS >= 0


@pytest.fixture(scope="module")
def all_said():
    """Return all that one set of random days says."""
    messages = []
    for seed in range(60):
        book = fast_market(numbers(seed))
        for batch in RandomDay(seed).batches(COMMANDS):
            out = live(book, batch)
            for some in (out.events, *out.links.values(), *out.replies.values()):
                messages += some
    return messages


def test_the_random_days_meet_every_code(all_said):
    met = {getattr(message, "code", "") for message in all_said}

    every = {code for name, code in vars(codes).items() if name.isupper()}
    assert every <= met, f"make random days that meet {every - met}"


def test_the_random_days_meet_every_message_a_book_can_say(all_said):
    met = {type(message) for message in all_said}

    unions = (from_book.BookEvent, from_book.ReportMessage, from_book.CancelReply)
    every = {kind for union in unions for kind in get_args(union)}
    assert met == every, f"make random days that meet {every - met}"


def test_the_random_days_meet_every_state(all_said):
    met = {message.state for message in all_said if isinstance(message, from_book.StateChanged)}

    assert met == set(get_args(MarketState))
