"""Pseudonyms hide accounts, differ from day to day, and change nothing of what a book decides."""

from __future__ import annotations

import json
from typing import get_args

import msgspec
import pytest

from apps.common.kernel.invariants import InvariantBroken
from apps.journals.contracts import LinkAdd, RulesSet, RuntimeCommand
from apps.journals.machine import Input, Origin
from apps.proofs import hiding
from apps.proofs.pseudonyms import DayNames, day_secret
from matching_worker.contracts import from_book
from matching_worker.contracts.to_book import BookCancel, BookCommand, LinkMessage
from matching_worker.engine import BookMachine
from matching_worker.engine.limits import Limits
from tests.helpers.book_day import live, numbers
from tests.helpers.random_day import Batch
from tests.helpers.random_day_orders import ACCOUNTS
from tests.proofs.stage import SECRET, published

ROOT = bytes(range(32))


def names(day="2026-11-23", market="BTC-USDT", root=ROOT):
    return DayNames(day_secret(root, market=market, day=day))


@pytest.mark.parametrize("partition", [0, 1, 1023])
def test_pseudonyms_are_of_the_accounts_partition_and_never_shared(partition):
    today = names()
    accounts = [n * 1024 + partition for n in range(1, 3_000)]

    given = [today.account(account) for account in accounts]

    assert {number % 1024 for number in given} == {partition}
    assert len(set(given)) == len(accounts)
    assert all(0 < number < 2**53 for number in given)
    assert given != accounts


def test_pseudonyms_differ_between_days_markets_and_secrets():
    account, client = 7 * 1024, "my order"
    everyone = [
        names(),
        names(day="2026-11-24"),
        names(market="ETH-USDT"),
        names(root=bytes(32)),
    ]

    assert len({one.account(account) for one in everyone}) == 4
    assert len({one.client(account, client) for one in everyone}) == 4
    assert len({one.group(5) for one in everyone}) == 4
    assert names().account(account) == names().account(account)


def test_client_ids_stay_equal_and_as_valid_as_they_were():
    today = names()

    assert today.client(1024, "") == ""
    assert today.client(1024, "x") == today.client(1024, "x") != today.client(2048, "x")
    assert len(today.client(1024, "x" * 36)) == 32
    assert len(today.client(1024, "x" * 37)) > 36


def test_edges_of_the_numbers_stay_numbers_of_accounts():
    today = names()
    for account in (1, 1023, 1024, 2**53 - 1, 2**53):
        shown = today.account(account)
        assert shown % 1024 == account % 1024
        assert 0 < shown <= 2**53


def test_no_account_and_no_client_id_stands_in_what_is_published():
    day = published(2, around_midnight=True)
    text = b"".join(day.lines).decode()

    assert "order-1" not in text
    assert "edge-one" not in text
    found = {number for line in day.lines for number in accounts_in(json.loads(line))}
    assert len(found) > len(ACCOUNTS)  # Other names on the second day.
    assert not found & set(ACCOUNTS)


def accounts_in(line):
    """Yield every number in a line that names an account."""
    for event in line.get("outputs", ()):
        yield from event[8:10] if event[0] == "trade.v1" else ()
        yield from event[3:4] if event[0] == "order_added.v1" else ()
    for terms, *_ in line.get("state", {}).get("orders", ()):
        yield terms[3]


# ── What decides does not see them ──────────────────────────────────────────────────────────────


def heard_again(line):
    """Return a published batch as a book would be given it."""
    runs = []
    for kind, *rest in line["inputs"]:
        peer, passed = (rest[0], tuple(rest[1])) if kind == "link" else ("", (0, 0))
        union = {
            "link": LinkMessage,
            "cancels": BookCancel,
            "commands": BookCommand | RuntimeCommand,
        }[kind]
        messages = msgspec.convert(rest[-1], list[union], strict=False)
        runs.append((Origin(Input(kind), (1, 0), b"edge", peer, passed, b""), messages))
    return Batch(line["at_ns"], runs)


@pytest.mark.parametrize("seed", range(24))
def test_the_engine_itself_decides_the_same_under_pseudonyms(seed):
    limits = numbers(seed)
    day = published(seed, limits=limits, around_midnight=seed % 2 == 0)
    book = None
    for line in map(json.loads, day.lines):
        if line["kind"] == "state":
            book = BookMachine(Limits(**limits))
            book.load(line["state"])
            continue
        out = live(book, heard_again(line))
        events = [msgspec.to_builtins(event) for event in out.events]
        assert events == line["outputs"], f"seed={seed} batch={line['batch']}"
        book.check()


# ── Nothing new leaks by itself ─────────────────────────────────────────────────────────────────


def every_struct():
    unions = (LinkMessage, BookCancel, BookCommand, RuntimeCommand, from_book.BookEvent)
    return sorted({kind for union in unions for kind in get_args(union)}, key=lambda k: k.__name__)


@pytest.mark.parametrize("kind", every_struct(), ids=lambda kind: kind.__name__)
def test_somebody_decided_about_every_field_of_every_message(kind):
    decided = hiding.ACCOUNTS | hiding.CLIENT_IDS | hiding.GROUPS | hiding.INSIDE | hiding.BLANK
    decided |= hiding.PUBLIC | hiding.BLANK_OF.get(kind, frozenset())

    assert set(kind.__struct_fields__) <= decided, "say in apps/proofs/hiding.py what is public"


def test_a_field_that_nobody_decided_about_is_not_published():
    class Iceberg(msgspec.Struct, frozen=True, array_like=True, tag="iceberg.v1"):
        hidden_lots: int

    with pytest.raises(InvariantBroken, match="hidden_lots"):
        hiding.public_message(Iceberg(5), names())


def test_a_part_of_the_state_that_nobody_decided_about_is_not_published():
    book = BookMachine()
    with pytest.raises(InvariantBroken, match="icebergs"):
        hiding.public_state({"icebergs": [book.seq]}, names())


def test_messages_without_secrets_are_published_as_they_are():
    assert hiding.public_message(LinkAdd("risk:0"), names()) == ["link_add.v1", "risk:0"]
    assert hiding.public_message(RulesSet(2), names()) == ["rules_set.v1", 2]
    assert SECRET not in repr(names()).encode()
