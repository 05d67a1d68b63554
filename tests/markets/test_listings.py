"""A market comes in step by step and goes the same way back, whatever dies on the way."""

from __future__ import annotations

import contextlib
import functools

import msgspec
import pytest
from django.db import connection

from apps.markets import listings, selectors
from apps.markets.listings import NoReason, NotListed
from apps.markets.models import Asset, Listing, ListingStep, Market
from apps.markets.terms import BadTerms
from apps.risk.contracts.events import CommandRefused
from tests.markets.conftest import BOOK, SOL

BY = "operator@fairbook.example"
WAY_IN = ["requested", "book_up", "told", "acknowledged", "known", "opening", "open"]
WAY_OUT = ["close_requested", "closing", "ending", "emptied", "delisted"]


class Died(Exception):
    """The lister's process, at that point."""


def ask(**changes) -> int:
    spec = msgspec.structs.replace(SOL, **changes)
    return listings.request_listing(spec, by=BY, reason="asked for by many")


def steps() -> list[str]:
    return [step.state for step in ListingStep.objects.order_by("pk")]


def test_a_listing_is_book_then_partitions_then_edges_then_open(world):
    ask()

    world.comes_to("open")

    assert steps() == WAY_IN
    assert Market.objects.get(pk="SOL-USDT").state == "trading"
    assert world.processes.running == {"SOL-USDT"}
    assert len(world.sent("risk:0", "market_add.v1")) == 3  # BTC, ETH, SOL.
    assert [command[1] for command in world.sent(BOOK, "market_state_set.v1")] == ["trading"]


def test_partitions_are_told_only_when_the_book_is_up(world):
    ask()
    world.processes.running = set()
    world.processes.bring_in = lambda table, market: None

    world.lister.turn()

    assert world.listing.state == "requested"
    assert not Market.objects.filter(pk="SOL-USDT").exists()
    assert len(world.sent("risk:0", "market_add.v1")) == 2


def test_it_waits_for_every_partition_and_says_for_which(world, monkeypatch):
    monkeypatch.setenv("FAIRBOOK_RISK_PARTITIONS", "2")
    ask()
    world.lister.turn()
    world.partition_greets("risk:0")

    world.lister.turn()

    assert world.listing.state == "told"
    assert world.listing.waits_for == "no hello of risk:1 yet"


def test_a_partition_that_refuses_the_market_is_shown_with_its_reason(world):
    ask()
    refusal = CommandRefused(7, 0, "SOL-USDT", "too_many_assets")
    outputs = msgspec.msgpack.encode([refusal])
    world.journal.xadd("{risk:0}:log", {"h": b"", "o": outputs}, id="1-0")

    world.lister.turn()

    assert world.listing.state == "told"
    assert world.listing.waits_for.startswith("risk:0 refused it: too_many_assets")
    assert listings.can_be_delisted("SOL-USDT")


def test_it_opens_only_when_every_living_edge_knows_the_market(world):
    ask()
    world.edges = {"edge-1"}
    world.edge_learns("edge-2")  # It lives, and learned before.

    with pytest.raises(AssertionError, match=r"acknowledged, waiting for 'edge-2"):
        world.comes_to("open")
    world.edges = {"edge-1", "edge-2"}

    world.comes_to("open")


def test_without_a_cache_it_waits_until_the_edges_have_read_by_themselves(world):
    ask()
    world.edges = set()
    with pytest.raises(AssertionError, match="acknowledged, waiting for 'all edges"):
        world.comes_to("open")

    long_ago = world.listing.moved_at.replace(year=2020)
    Listing.objects.update(moved_at=long_ago)
    world.lister.turn()

    assert world.listing.state == "opening"


def test_a_lister_that_dies_at_every_step_of_the_way_leaves_nothing_twice(world, monkeypatch):
    deaths = every_step_fails_once(monkeypatch)
    ask()

    comes_by_new_listers_to(world, "open")
    listings.request_delisting("SOL-USDT", by=BY, reason="nobody traded it")
    comes_by_new_listers_to(world, "delisted")

    assert deaths == [*WAY_IN[1:], *WAY_OUT[1:]]
    assert steps() == [*WAY_IN, *WAY_OUT]
    assert len(world.sent("risk:0", "market_add.v1")) == 3
    told = [command[1] for command in world.sent(BOOK, "market_state_set.v1")]
    assert told == ["trading", "cancel_only", "delisted"]
    assert world.processes.running == set()


def every_step_fails_once(monkeypatch) -> list[str]:
    """Let the lister die inside each of its moves, the first time; return where it died."""
    note, deaths = listings._note, []

    @functools.wraps(note)
    def note_or_die(listing_id, state, **said):
        if state not in deaths and said["by"] == listings.LISTER:
            deaths.append(str(state))
            raise Died
        note(listing_id, state, **said)

    monkeypatch.setattr(listings, "_note", note_or_die)
    return deaths


def comes_by_new_listers_to(world, state: str) -> None:
    for _ in range(20):
        with contextlib.suppress(Died):
            world.comes_to(state)
            return
        world.another_lister()
    raise AssertionError(world.listing.state)


def test_a_book_that_does_not_come_up_fails_the_listing_with_its_reason(world):
    ask()
    world.processes.failure = "see the log of book-SOL-USDT-a"

    world.lister.turn()

    assert world.listing.state == "failed"
    assert "see the log of book-SOL-USDT-a" in ListingStep.objects.latest("pk").reason
    assert world.processes.running == set()
    assert not Market.objects.filter(pk="SOL-USDT").exists()
    assert selectors.book_table().books == ()


def test_what_failed_can_be_asked_for_again_by_the_same_numbers_only(world):
    ask()
    world.processes.failure = "broken"
    world.lister.turn()
    world.processes.failure = ""

    with pytest.raises(BadTerms) as refused:
        ask(reference_ticks=16_000)
    assert "symbol" in refused.value.fields
    ask()

    world.comes_to("open")


def test_a_market_is_asked_for_once(world):
    ask()
    with pytest.raises(BadTerms):
        ask()
    with pytest.raises(BadTerms):  # Another market that the dialect would call SOLUSDT.
        ask(symbol="SOLU-SDT", base="SOLU", quote="SDT")
    assert Listing.objects.count() == 1


def test_an_asset_is_counted_one_way_for_ever(world):
    Asset.objects.create(code="SOL", name="Solana", decimals=6)
    with pytest.raises(BadTerms) as refused:
        ask()
    assert set(refused.value.fields) == {"base_decimals"}


def test_without_a_reason_nothing_is_done(world):
    with pytest.raises(NoReason):
        listings.request_listing(SOL, by=BY, reason="  ")
    with pytest.raises(NoReason):
        listings.request_delisting("BTC-USDT", by=BY, reason="")
    assert not Listing.objects.exists()


def test_a_market_of_the_seed_can_be_delisted_and_its_processes_leave_the_table(world):
    world.journal.hset("{book:BTC-USDT}:cursor", "{book:BTC-USDT}:commands", "9999999999999-0")
    listings.request_delisting("BTC-USDT", by=BY, reason="a test")

    world.comes_to("delisted")

    assert selectors.book_table().closed == ("BTC-USDT",)
    assert Market.objects.get(pk="BTC-USDT").state == "delisted"


def test_its_processes_stay_until_its_last_order_is_off_the_book(world):
    ask()
    world.comes_to("open")
    world.resting = {1024: "an order"}
    listings.request_delisting("SOL-USDT", by=BY, reason="done")

    with pytest.raises(AssertionError, match="ending, waiting for '1 orders are still"):
        world.comes_to("delisted")
    assert world.processes.running == {"SOL-USDT"}
    world.resting = {}

    world.comes_to("delisted")
    assert world.processes.running == set()


def test_delisting_is_for_ever_and_only_of_what_is_listed(world):
    with pytest.raises(NotListed):
        listings.request_delisting("SOL-USDT", by=BY, reason="never was")
    ask()
    world.comes_to("open")
    listings.request_delisting("SOL-USDT", by=BY, reason="done")
    with pytest.raises(NotListed):
        listings.request_delisting("SOL-USDT", by=BY, reason="again")
    world.comes_to("delisted")
    with pytest.raises(BadTerms):
        ask()


def test_the_ports_of_a_delisted_market_go_to_the_next_one(world):
    ask()
    world.comes_to("open")
    ask(symbol="DOT-USDT", base="DOT")
    assert selectors.book_table().books == (("SOL-USDT", 0), ("DOT-USDT", 1))
    listings.request_delisting("SOL-USDT", by=BY, reason="done")
    Listing.objects.filter(market="DOT-USDT").update(state="open")
    for _ in range(8):
        world.lister.turn()
        world.goes_on()
    assert selectors.book_table().books == (("DOT-USDT", 1),)

    ask(symbol="ADA-USDT", base="ADA")

    assert selectors.book_table().books == (("ADA-USDT", 0), ("DOT-USDT", 1))


def test_the_record_keeps_who_and_why(world):
    ask()
    step = ListingStep.objects.get()
    assert (step.by, step.reason) == (BY, "asked for by many")


def test_the_record_only_grows(world):
    """By the rights of the role that services have, in the database that is deployed."""
    ask()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT has_table_privilege('fairbook_app', 'markets_listingstep', right_)"
            " FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) right_"
        )
        assert [row[0] for row in cursor.fetchall()] == [True, False, False]
