"""The verifier, run as a trader runs it: what holds passes, each tampering is found and named."""

from __future__ import annotations

import gzip
import json
import random

import pytest

from apps.proofs.chain import canonical, hash_of
from tests.helpers.book_day import numbers
from tests.proofs.stage import (
    MARKET,
    Author,
    Day,
    in_process,
    published,
    random_batches,
    rechained,
    verify,
)

RIGHT, WRONG, NOT_CHECKED = 0, 1, 2


@pytest.fixture(scope="module")
def day():
    """Return a day with many trades."""
    return published(6)


def has_trade(line):
    return any(event[0] == "trade.v1" for event in line["outputs"])


def trade_of(line):
    return next(event for event in line["outputs"] if event[0] == "trade.v1")


def orders_in(line):
    """Return the runs of a batch that hold two plain orders or more, and their places."""
    for run in line["inputs"]:
        places = [i for i, message in enumerate(run[-1]) if message[0] == "held_order.v1"]
        if run[0] == "link" and len(places) > 1:
            return run[-1], places
    return None


# ── What holds ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("seed", range(8))
def test_random_days_hold(seed, tmp_path):
    day = published(seed, around_midnight=seed % 2 == 0)

    done = verify(tmp_path, day, heads=day.heads())

    assert done.returncode == RIGHT, done.stdout + done.stderr
    assert "all of it holds" in done.stdout


@pytest.mark.parametrize("seed", range(100, 160))
def test_random_days_at_their_limits_hold(seed, tmp_path, verifier):
    limits = numbers(seed)
    day = published(seed, limits=limits, around_midnight=seed % 3 == 0)

    findings = in_process(verifier, tmp_path, day, limits=limits)

    assert (findings.wrong, findings.open) == ([], []), f"seed={seed}"


def test_a_record_may_begin_on_any_day(tmp_path):
    day = published(4, around_midnight=True)
    second = max(i for i, raw in enumerate(day.lines) if b'"kind":"state"' in raw)

    done = verify(tmp_path, Day(day.lines[second:]))

    assert done.returncode == RIGHT, done.stdout


def test_without_saved_heads_it_says_what_was_not_checked(day, tmp_path):
    done = verify(tmp_path, day)

    assert done.returncode == RIGHT
    assert "whether history was rewritten was not checked" in done.stdout


# ── What was tampered with ──────────────────────────────────────────────────────────────────────


def change_price(line):
    trade_of(line)[3] += 1


def drop_trade(line):
    line["outputs"].remove(trade_of(line))


def drop_command(line):
    orders, places = orders_in(line)
    del orders[places[0]]


def resting_in(line):
    """Return the terms of an order of a batch that came to rest in it."""
    rested = {event[2] for event in line["outputs"] if event[0] == "order_added.v1"}
    for run in line["inputs"]:
        for message in run[-1]:
            if message[0] == "held_order.v1" and message[1] in rested:
                return message
    return None


def alter_command(line):
    resting_in(line)[9] += 1  # Its price.


def alter_deadline(line):
    resting_in(line)[12] += 1


def swap_commands(line):
    orders, (one, other, *_) = orders_in(line)
    orders[one], orders[other] = orders[other], orders[one]


TAMPERINGS = {
    "trade price": (has_trade, change_price, "a trade that does not follow"),
    "trade dropped": (has_trade, drop_trade, "a trade is missing"),
    "command dropped": (orders_in, drop_command, "a command was dropped"),
    "command altered": (resting_in, alter_command, "a command was dropped, altered or reordered"),
    "commands swapped": (orders_in, swap_commands, "a command was dropped, altered or reordered"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_line_that_was_changed_no_longer_chains(name, day, tmp_path):
    claim, change, _ = TAMPERINGS[name]

    done = verify(tmp_path, day.changed(day.place_of(claim), change, rehashed=False))

    assert done.returncode == WRONG
    assert "was altered after it was written" in done.stdout


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_change_that_is_chained_anew_does_not_follow_from_the_rules(name, day, tmp_path):
    claim, change, message = TAMPERINGS[name]
    tampered = day.changed(day.place_of(claim), change, rehashed=True)

    done = verify(tmp_path, tampered)

    assert done.returncode == WRONG
    assert message in done.stdout
    assert "altered after it was written" not in done.stdout


def test_a_change_that_nobody_could_see_is_found_by_saved_heads_alone(day, tmp_path):
    """An order's deadline a nanosecond later: the same trades, and another history."""
    tampered = day.changed(day.place_of(resting_in), alter_deadline, rehashed=True)

    assert verify(tmp_path, tampered).returncode == RIGHT
    assert verify(tmp_path, tampered, heads=day.heads()).returncode == WRONG


def test_a_dropped_command_is_missed_even_if_the_header_hides_it(day, tmp_path):
    def drop_and_hide(line):
        drop_command(line)
        line["last_seq"] -= 1

    done = verify(tmp_path, day.changed(day.place_of(orders_in), drop_and_hide, rehashed=True))

    assert done.returncode == WRONG


def test_a_dropped_batch_is_named(day, tmp_path):
    lines = [*day.lines[:20], *day.lines[21:]]

    done = verify(tmp_path, Day(lines), files=1)

    assert done.returncode == WRONG
    assert "batches 20 to 20 were dropped" in done.stdout


def test_swapped_batches_are_named(day, tmp_path):
    lines = list(day.lines)
    lines[20], lines[21] = lines[21], lines[20]

    done = verify(tmp_path, Day(lines), files=1)

    assert done.returncode == WRONG
    assert "reordered" in done.stdout


def rewritten(seed, *, since):
    """Return a day, and another history of it from a batch on: whole and consistent in itself."""
    batches = random_batches(seed)
    true, false = Author(), Author()
    for number, batch in enumerate(batches, 1):
        true.publish(batch)
        if number == since:
            batch.runs.clear()
        false.publish(batch)
    return Day(true.lines), Day(false.lines)


def test_a_rewritten_history_is_found_by_heads_that_were_saved_earlier(tmp_path):
    true, false = rewritten(6, since=45)
    assert verify(tmp_path, false).returncode == RIGHT  # In itself it is consistent.

    done = verify(tmp_path, false, heads=true.heads())

    assert done.returncode == WRONG
    assert "history was rewritten after you saved it, at or before batch 50" in done.stdout
    assert "(that of batch 40 still agrees)" in done.stdout


def test_inside_hashes_cannot_be_exchanged_under_an_outside_head(day, tmp_path):
    head = {**day.heads()[2], "inside": "0" * 64}

    done = verify(tmp_path, day, heads=[head])

    assert done.returncode == WRONG
    assert "the inside hash of batch 30 that you saved" in done.stdout


def test_a_forged_head_is_named(day, tmp_path):
    heads = day.heads()
    heads[3]["outside"] = hash_of(b"what never was")

    done = verify(tmp_path, day, heads=heads)

    assert done.returncode == WRONG
    assert done.stdout.count("WRONG") == 1
    assert "or the exchange never gave you this head" in done.stdout


def test_answers_of_the_api_may_be_saved_as_they_are(day, tmp_path):
    inside = {"engine": f"book:{MARKET}", "batch": 30, "hash": day.heads()[2]["inside"]}
    risk = {"engine": "risk:0", "batch": 3, "hash": "f" * 64}
    answer = {"heads": [inside, risk], "outside": day.heads()[:3]}
    assert verify(tmp_path, day, heads=[answer]).returncode == RIGHT

    inside["hash"] = "f" * 64

    assert verify(tmp_path, day, heads=[answer]).returncode == WRONG


def test_a_day_cannot_begin_with_another_book_than_the_last_one_left(tmp_path):
    day = published(4, around_midnight=True)
    place = max(i for i, raw in enumerate(day.lines) if b'"kind":"state"' in raw)

    def drop_order(line):
        del line["state"]["orders"][0]
        line["stateHash"] = hash_of(canonical(line["state"]))

    done = verify(tmp_path, day.changed(place, drop_order, rehashed=True))

    assert done.returncode == WRONG
    assert "begins with another book than the day before it left (its orders differ)" in done.stdout


def test_a_new_market_cannot_begin_with_orders(day, tmp_path):
    def slip_in(line):
        line["state"]["trades"] = 7
        line["stateHash"] = hash_of(canonical(line["state"]))

    done = verify(tmp_path, day.changed(0, slip_in, rehashed=True))

    assert done.returncode == WRONG
    assert "a market that has not begun" in done.stdout


def test_every_output_that_is_changed_is_found(tmp_path, verifier):
    """Change one field of one public event, chain all anew: sixty times, found each time."""
    for seed in range(60):
        dice, day = random.Random(seed), published(seed % 6)
        places = [i for i, raw in enumerate(day.lines) if json.loads(raw).get("outputs")]

        def change(line, dice=dice):
            event = dice.choice(line["outputs"])
            field = dice.randrange(1, len(event))
            event[field] = event[field] + 1 if isinstance(event[field], int) else "another word"

        tampered = day.changed(dice.choice(places), change, rehashed=True)
        assert in_process(verifier, tmp_path, tampered).wrong, f"seed={seed}"


# ── What cannot be checked ──────────────────────────────────────────────────────────────────────


def test_a_missing_file_is_never_passed_over(day, tmp_path):
    verify(tmp_path, day)
    (tmp_path / "segment-1.jsonl.gz").unlink()

    done = verify(tmp_path, Day([]), words=["segment-0.jsonl.gz", "segment-2.jsonl.gz"])

    assert done.returncode == NOT_CHECKED
    assert "are in no file given" in done.stdout


def test_a_record_from_the_middle_of_a_day_cannot_be_replayed(day, tmp_path):
    done = verify(tmp_path, Day(day.lines[10:]))

    assert done.returncode == NOT_CHECKED
    assert "fetch the segments from the start of that UTC day on" in done.stdout


def unknown_message(line):
    line["inputs"][0][-1].append(["iceberg_order.v1", 1])
    line["last_seq"] += 1


def unknown_rules(line):
    line["inputs"].append(["commands", [["rules_set.v1", 3]]])
    line["last_seq"] += 1


@pytest.mark.parametrize("change", [unknown_message, unknown_rules])
def test_what_it_does_not_know_is_refused_and_not_passed(change, day, tmp_path):
    place = day.place_of(lambda line: line["inputs"] and line["batch"] > 5)
    lines = day.changed(place, change, rehashed=True).lines[: place + 1]

    done = verify(tmp_path, Day(lines), files=1)

    assert done.returncode == NOT_CHECKED, done.stdout
    assert "not known here" in done.stdout


def test_a_state_with_an_unknown_part_is_refused(day, tmp_path):
    def add_part(line):
        line["state"]["icebergs"] = []
        line["stateHash"] = hash_of(canonical(line["state"]))

    done = verify(tmp_path, day.changed(0, add_part, rehashed=True))

    assert done.returncode == NOT_CHECKED
    assert "icebergs" in done.stdout


def test_heads_of_other_batches_prove_nothing(day, tmp_path):
    head = {**day.heads()[0], "batch": 99_999}

    done = verify(tmp_path, day, heads=[head])

    assert done.returncode == NOT_CHECKED
    assert "none of the saved heads" in done.stdout


def test_a_line_that_could_be_read_in_two_ways_is_wrong(day, tmp_path):
    lines = list(day.lines)
    lines[5] = lines[5].replace(b'{"at_ns"', b'{"at_ns":1,"at_ns"')

    done = verify(tmp_path, Day(rechained(lines[:5]) + lines[5:]))

    assert done.returncode == WRONG
    assert "not written as the exchange writes its lines" in done.stdout


def test_a_file_that_is_no_segment_is_refused(tmp_path):
    (tmp_path / "broken.jsonl.gz").write_bytes(gzip.compress(b"{}\n")[:-4])

    done = verify(tmp_path, Day([]), words=["broken.jsonl.gz"])

    assert done.returncode == NOT_CHECKED
