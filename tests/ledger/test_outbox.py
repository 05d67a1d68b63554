"""The outbox: a command leaves if, and only if, its change commits, and a worker takes it once."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
import redis
from django.db import transaction
from django.utils import timezone

from apps.common import outbox, relay
from apps.common.kernel.invariants import InvariantBroken
from apps.common.models import OutboxMessage, OutboxSource
from apps.journals import keys, wire
from apps.risk.contracts.commands import AccountOpen, Deposit

RISK = "risk:0"
ALICE = 1024


@pytest.fixture
def database(transactional_db) -> None:
    """Use real transactions: the relay's are durable."""


def deposit(reference: str, *, amount: int = 5) -> None:
    with transaction.atomic():
        outbox.send(Deposit(ALICE, "USDT", amount, reference), worker=RISK)


def frames(journal: redis.Redis) -> list[wire.CommandFrame]:
    entries = journal.xrange(keys.commands(RISK))
    return [msgspec.msgpack.decode(fields[b"f"], type=wire.CommandFrame) for _, fields in entries]


def balance(world) -> int:
    return world.replicas[RISK].machine.accounts[ALICE].balances["USDT"].total


def test_what_is_rolled_back_never_leaves(database, journal):
    def change_that_fails() -> None:
        with transaction.atomic():
            outbox.send(AccountOpen(ALICE), worker=RISK)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        change_that_fails()

    assert relay.publish_all(journal) == 0
    assert frames(journal) == []


def test_a_row_without_a_transaction_is_a_bug(database):
    with pytest.raises(InvariantBroken):
        outbox.send(AccountOpen(ALICE), worker=RISK)


def test_commands_leave_in_order_in_one_frame_and_are_marked(database, journal):
    deposit("d1")
    deposit("d2")

    assert relay.publish_all(journal) == 2

    (frame,) = frames(journal)
    assert frame.number == 1
    assert [msgspec.msgpack.decode(raw, type=Deposit).reference for raw in frame.commands] == [
        "d1",
        "d2",
    ]
    assert relay.publish_all(journal) == 0
    assert all(outbox.is_sent(row.pk) for row in OutboxMessage.objects.all())


def test_a_transaction_that_commits_late_is_not_skipped(database, journal):
    """Its row has the lower id, and becomes visible after the higher one was sent."""
    deposit("d1")
    late = OutboxMessage.objects.get()
    OutboxMessage.objects.all().delete()
    deposit("d2")
    relay.publish_all(journal)

    OutboxMessage.objects.create(pk=late.pk, worker=RISK, body=bytes(late.body))
    assert relay.publish_all(journal) == 1
    assert [frame.number for frame in frames(journal)] == [1, 2]


def test_a_relay_that_dies_after_sending_sends_the_same_frame_and_it_counts_once(
    database, world, journal, monkeypatch
):
    world.account(1, USDT=0)
    world.run()
    deposit("d1")
    monkeypatch.setattr(relay, "_mark_sent", lambda row, entry: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        relay.publish_all(journal)
    monkeypatch.undo()

    relay.publish_all(journal)
    world.run()

    mine = [frame for frame in frames(journal) if frame.source != b"a tester"]
    assert len(mine) == 2
    assert mine[0] == mine[1], "the same source, number and bytes"
    assert balance(world) == 5


def test_a_journal_that_is_away_loses_nothing(database, journal, servers):
    deposit("d1")
    away = redis.Redis(port=1)
    with pytest.raises(redis.ConnectionError):
        relay.publish_all(away)

    assert relay.publish_all(journal) == 1
    assert [frame.number for frame in frames(journal)] == [1]


def test_after_five_silent_minutes_the_relay_is_a_new_source(database, world, journal):
    world.account(1, USDT=0)
    world.run()
    deposit("d1")
    relay.publish_all(journal)
    world.run()
    OutboxSource.objects.update(numbered_at=timezone.now() - timedelta(minutes=11))

    deposit("d2")
    relay.publish_all(journal)
    world.run(seconds=660)

    first, second = [frame for frame in frames(journal) if frame.source != b"a tester"]
    assert first.source != second.source
    assert second.number == 1
    assert balance(world) == 10


@pytest.mark.parametrize("did_leave", [True, False])
def test_a_frame_from_long_ago_is_looked_for_before_it_is_sent_again(
    database, world, journal, monkeypatch, did_leave
):
    """Its source may be forgotten by now: then the same number would be refused, or taken twice."""
    world.account(1, USDT=0)
    world.run()
    deposit("d1")
    if did_leave:
        monkeypatch.setattr(relay, "_mark_sent", lambda row, entry: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            relay.publish_all(journal)
        monkeypatch.undo()
    else:
        relay._next_frame(RISK)
    OutboxSource.objects.update(numbered_at=timezone.now() - timedelta(minutes=11))
    world.run(seconds=660)

    if did_leave:  # The stream's ids are the server's clock, which the test cannot turn back.
        monkeypatch.setattr(relay, "CLOCKS_DIFFER", timedelta(minutes=20))
    relay.publish_all(journal)
    world.run()

    assert balance(world) == 5
    assert not OutboxMessage.objects.filter(sent_at=None).exists()


def test_a_frame_that_was_refused_is_given_again_under_a_new_source(database, world, journal):
    world.account(1, USDT=0)
    world.run()
    deposit("d1")
    OutboxSource.objects.create(worker=RISK, source=b"unknown!", number=7)
    relay.publish_all(journal)
    world.run()
    refused = OutboxMessage.objects.get()
    assert refused.frame == 8

    assert relay.give_again(RISK, entry=refused.entry) == 1
    relay.publish_all(journal)
    world.run()

    assert balance(world) == 5
