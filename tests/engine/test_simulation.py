"""Random days: the book and its obvious twin tell one story, and value is always conserved."""

import gc
import os
import subprocess
import sys

import msgspec
import pytest

from apps.journals.machine import Outputs
from matching_worker.engine import BookMachine, codes
from matching_worker.engine.limits import SECOND_NS, Limits
from tests.helpers.book_day import COMMANDS, TIGHT, encode, fingerprint, live, opened, said
from tests.helpers.obvious_book import ObviousBook
from tests.helpers.random_day import SPEC, RandomDay
from tests.helpers.witness import Witness


@pytest.mark.parametrize("seed", range(60))
def test_the_fast_market_tells_the_same_story_as_the_obvious_one(seed):
    limits = TIGHT if seed % 2 else Limits()
    fast, obvious = opened(BookMachine(limits)), opened(ObviousBook(limits))
    witness = Witness(SPEC.quote_per_tick_lot)

    for number, batch in enumerate(RandomDay(seed).batches(COMMANDS)):
        out = live(fast, batch)

        where = f"seed={seed} batch={number}"
        assert said(out) == said(live(obvious, batch)), where
        assert fast.due_ns() == obvious.due_ns(), where
        assert fast.seq == obvious.seq, where
        fast.check()
        witness.saw(batch, out)
        assert dict(fast.book.bids.depth()) == witness.depth("B"), where
        assert dict(fast.book.asks.depth()) == witness.depth("S"), where


@pytest.mark.parametrize("seed", range(100, 110))
def test_a_market_that_was_saved_and_loaded_has_the_same_future(seed):
    first = opened(BookMachine(TIGHT))
    for number, batch in enumerate(RandomDay(seed).batches(COMMANDS)):
        if number % 10 == 0:
            saved = encode(first.dump())
            second = BookMachine(TIGHT)
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


def test_how_frames_are_cut_changes_nothing():
    """A frame applied message by message (as after a fault) says what it says as a whole."""
    whole, cut = opened(BookMachine(TIGHT)), opened(BookMachine(TIGHT))
    for batch in RandomDay(11).batches(COMMANDS):
        singly = [(origin, [command]) for origin, run in batch.runs for command in run]
        heard = [(origin, []) for origin, _ in batch.runs]

        out = live(whole, batch)

        assert said(out) == said(live(cut, type(batch)(batch.at_ns, heard + singly)))
        assert encode(whole.dump()) == encode(cut.dump())


def test_a_random_day_leaves_no_reference_cycles():
    """Workers run without the cycle collector, so nothing that ends may need it."""
    book = opened(BookMachine(TIGHT))
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
    book = opened(BookMachine(TIGHT))
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


def test_the_random_days_meet_every_code():
    met = set()
    for seed in range(60):
        book = opened(BookMachine(TIGHT if seed % 2 else Limits()))
        for batch in RandomDay(seed).batches(COMMANDS):
            out = live(book, batch)
            for messages in (out.events, *out.links.values(), *out.replies.values()):
                met |= {getattr(message, "code", "") for message in messages}

    every = {code for name, code in vars(codes).items() if name.isupper()}
    assert every <= met, f"make random days that meet {every - met}"
