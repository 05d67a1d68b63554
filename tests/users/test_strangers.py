"""Invented keys cost an edge nothing that it knows."""

from __future__ import annotations

import pytest
from django.db import OperationalError

from apps.users import memory, selectors
from apps.users.contracts import Changed, KeyGrant, Standing

ALICE = KeyGrant(
    public_id="alices",
    secret=b"secret",
    standing=Standing(
        user_id=1,
        account=1025,
        partition=1,
        kyc_tier=2,
        vip_tier=0,
        may_read=True,
        may_trade=True,
        may_cancel=True,
    ),
)


@pytest.fixture
def keys(monkeypatch) -> dict[str, KeyGrant]:
    known = {"alices": ALICE}
    monkeypatch.setattr(selectors, "key_grant", known.get)
    monkeypatch.setattr(memory, "ENTRIES_MAX", 4)
    monkeypatch.setattr(memory, "STRANGERS_MAX", 3)
    return known


def away(_name: str) -> None:
    raise OperationalError("away")


def test_invented_keys_push_out_nobody_who_is_known(keys, monkeypatch):
    edge = memory.EdgeMemory(clock=lambda: 0.0)
    assert edge.key_now("alices") is ALICE

    assert [edge.key_now(f"invented-{number}") for number in range(20)] == [None] * 20

    monkeypatch.setattr(selectors, "key_grant", away)
    assert edge.key_now("alices") is ALICE
    assert edge.key_now("invented-19") is None  # Remembered, too: asked for once.


def test_a_key_that_is_made_after_somebody_guessed_its_name_opens_at_once(keys):
    edge = memory.EdgeMemory(clock=lambda: 0.0)
    assert edge.key_now("bobs") is None

    keys["bobs"] = ALICE
    edge.take(Changed("key", "bobs", False))

    assert edge.key_now("bobs") is ALICE


def test_a_key_that_ended_before_it_was_ever_used_here_stays_ended(keys, monkeypatch):
    edge = memory.EdgeMemory(clock=lambda: 0.0)
    edge.take(Changed("key", "alices", True))
    for number in range(20):
        edge.key_now(f"invented-{number}")

    monkeypatch.setattr(selectors, "key_grant", away)
    assert edge.key_now("alices") is None
