"""What everybody may fetch: heads that nobody can change, and segments once they are old enough."""

from __future__ import annotations

import time

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client

from apps.proofs import services, shelf
from apps.proofs.contracts import OutsideHead
from apps.proofs.models import Head
from tests.proofs.stage import MARKET

HEADS, SEGMENTS = "/api/v1/proofs/heads", "/api/v1/proofs/segments"


def head(batch, *, market=MARKET, outside=None):
    return OutsideHead(
        market=market,
        batch=batch,
        seq=batch * 10,
        at_ns=batch * 60 * 10**9,
        outside=outside or f"{batch:064d}",
        inside=f"{batch:064x}",
    )


@pytest.fixture
def keep(db):
    """Return what keeps heads inside the test's own transaction."""
    return services.keep_heads.__wrapped__


# ── Heads ───────────────────────────────────────────────────────────────────────────────────────


def test_a_head_is_kept_once_and_never_another_one(keep):
    keep([head(1), head(2)])
    keep([head(2), head(3)])
    with pytest.raises(services.HeadDiffers):
        keep([head(2, outside="f" * 64)])

    assert list(Head.objects.of(MARKET).values_list("batch", flat=True)) == [1, 2, 3]


@pytest.mark.parametrize(
    "statement",
    ["UPDATE proofs_head SET outside = repeat('f', 64)", "DELETE FROM proofs_head"],
)
def test_the_database_itself_refuses_to_change_a_head(keep, statement):
    keep([head(1)])
    with (
        pytest.raises(IntegrityError, match="only grows"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert Head.objects.get().outside == head(1).outside


def test_the_newest_head_of_each_market_stands_beside_the_inside_heads(keep, journal, cache):
    keep([head(1), head(2), head(7, market="ETH-USDT")])

    answer = Client().get(HEADS).json()

    assert answer["heads"] == []
    assert [(row["market"], row["batch"]) for row in answer["outside"]] == [
        (MARKET, 2),
        ("ETH-USDT", 7),
    ]
    assert answer["outside"][0] == {
        "market": MARKET,
        "batch": 2,
        "seq": 20,
        "at_ns": "120000000000",
        "outside": f"{2:064d}",
        "inside": f"{2:064x}",
    }


def test_a_markets_heads_are_paged_by_time_and_batch(keep, cache, monkeypatch):
    monkeypatch.setattr("apps.proofs.selectors.PAGE", 2)
    keep([head(batch) for batch in range(1, 6)])

    def page(**asked):
        answer = Client().get(HEADS, {"market": MARKET, **asked}).json()
        return [row["batch"] for row in answer["outside"]], answer["after"]

    assert page() == ([1, 2], 2)
    assert page(after=2) == ([3, 4], 4)
    assert page(after=4) == ([5], None)
    assert page(**{"from": 120_000, "to": 240_000}) == ([2, 3], 3)
    assert Client().get(HEADS, {"market": "../secrets"}).status_code == 400


# ── Segments ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def segment_of(tmp_path, monkeypatch, cache):
    """Return what lays a segment on the shelf whose cut ended so many seconds ago."""
    monkeypatch.setenv("FAIRBOOK_PROOF_DIR", str(tmp_path))
    monkeypatch.setenv("FAIRBOOK_PROOF_DELAY_S", "600")

    def lay(ended_s_ago, *, first=1):
        at_ns = (time.time_ns() // 10**9 - ended_s_ago - 1) * 10**9
        name = shelf.name_for(at_ns=at_ns, cut_s=1, first=first, last=first + 9)
        folder = shelf.folder_of(tmp_path, MARKET)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"lines of %d" % first)
        return name

    return lay


def test_only_segments_that_are_old_enough_are_listed_and_served(segment_of):
    old, young = segment_of(700, first=1), segment_of(500, first=11)

    listed = Client().get(SEGMENTS, {"market": MARKET}).json()

    assert [row["name"] for row in listed["segments"]] == [old]
    assert (listed["delay_s"], listed["markets"]) == (600, [MARKET])
    (row,) = listed["segments"]
    assert (row["first_batch"], row["last_batch"], row["to"] - row["from"]) == (1, 10, 1_000)
    served = Client().get(row["url"])
    assert b"".join(served.streaming_content) == b"lines of 1"
    assert Client().get(row["url"].replace(old, young)).status_code == 404


@pytest.mark.parametrize("name", ["open.part", "%2e%2e%2fsecrets.env", "x.jsonl.gz"])
def test_nothing_but_segments_is_served(segment_of, tmp_path, name):
    segment_of(700)
    (shelf.folder_of(tmp_path, MARKET) / shelf.OPEN).write_bytes(b"today")
    (tmp_path / "segments" / "secrets.env").write_text("secret")

    assert Client().get(f"{SEGMENTS}/{MARKET}/{name}").status_code == 404
    assert Client().get(f"{SEGMENTS}/../{name}").status_code == 404
