"""Takes listings further: the book up, partitions told, edges, open; delisting backwards.

Each step looks at what is so, does what is missing, and moves the row; a lister that dies anywhere
finds the row where it was and does the step again, which changes nothing twice. Commands to engines
ride in the transaction of the move. Before the partitions are told a listing may fail and leaves
nothing but its book's genesis; after that it waits, and says for what.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, cast

import msgspec
import redis
import structlog
from django.utils import timezone

from apps.common import outbox
from apps.common.config import config
from apps.common.kernel.ids import BEFORE_ALL
from apps.journals import atomic, directory, keys
from apps.journals.contracts import FrameRefused
from apps.journals.recorded import Damage, Diverged
from apps.journals.recovery import Blueprint, bring_up, catch_up
from apps.journals.replica import Replica
from apps.markets import listings, news, selectors, services
from apps.markets.contracts import BookHealth, BookTable
from apps.markets.models import Listing
from apps.risk.contracts.events import CommandRefused, RiskEvent
from matching_worker.codec import BOOK_CODEC
from matching_worker.contracts.market import MarketSpec, MarketState
from matching_worker.contracts.to_book import MarketDefine
from matching_worker.engine import BookMachine

BOOK_UP_S = 60.0  # A book that is not ready by then does not come up.
LOOK_BACK = 200  # Batches in which a refusal is looked for.
AGAIN_S = 2.0  # What may have been lost on its way is said again after so long.

State = Listing.State
NOTHING = msgspec.msgpack.encode([])
_risk_events = msgspec.msgpack.Decoder(list[RiskEvent | FrameRefused])
_raw_commands = msgspec.msgpack.Decoder(list[msgspec.Raw])
_define = msgspec.msgpack.Decoder(MarketDefine)

log = structlog.get_logger("fairbook.lister")


class Waits(Exception):
    """The next thing is not so yet. The message says what."""


class Fails(Exception):
    """The listing cannot go on. The message says why."""


class Processes(Protocol):
    """Whoever runs the books' processes."""

    def hold_to(self, table: BookTable) -> None:
        """Have these books' processes and no others. Starts none."""

    def bring_in(self, table: BookTable, market: str) -> None:
        """Have a book's processes, and start those that do not run."""

    def health_of(self, market: str) -> BookHealth:
        """Say how a book's processes are."""


class Lister:
    """Takes every listing that is under way one step at a time."""

    def __init__(self, journal: redis.Redis, cache: redis.Redis, processes: Processes) -> None:
        self._journal, self._cache, self._processes = journal, cache, processes
        self._said: dict[tuple[int, str], float] = {}
        self._refused: dict[int, str] = {}
        self._replicas: dict[str, Replica] = {}
        self._steps: dict[str, Callable[[Listing], None]] = {
            State.REQUESTED: self._bring_the_book_up,
            State.BOOK_UP: self._tell_the_partitions,
            State.TOLD: self._hear_the_partitions,
            State.ACKNOWLEDGED: self._tell_the_edges,
            State.KNOWN: self._open,
            State.OPENING: self._see_it_open,
            State.CLOSE_REQUESTED: self._close,
            State.CLOSING: self._end,
            State.ENDING: self._empty,
            State.EMPTIED: self._let_go,
        }

    def hold(self) -> None:
        """Have the processes that the listings call for: what a former life left undone."""
        self._processes.hold_to(selectors.book_table())

    def turn(self) -> int:
        """Take each listing as far as it goes now; return how many are still under way."""
        for listing in Listing.objects.under_way():
            while self.advance(listing):
                pass
        return Listing.objects.under_way().count()

    def advance(self, listing: Listing) -> bool:
        """Do what comes next for a listing; return whether it moved."""
        step = self._steps.get(listing.state)
        if step is None:
            return False
        before = listing.state
        try:
            step(listing)
        except (Waits, Damage, Diverged) as reason:  # Of a damaged record `verify` says more.
            listings.wait(listing, str(reason))
        except Fails as reason:
            self._give_up(listing, str(reason))
        if listing.state == before:
            return False
        log.info("lister.listing.moved", market=listing.market, state=listing.state)
        return True

    # -- in

    def _bring_the_book_up(self, listing: Listing) -> None:
        spec, worker = listings.spec_of(listing), _book(listing)
        if not self._journal.exists(keys.genesis(worker)):
            directory.found(self._journal, worker, services.genesis_of(spec), cache=self._cache)
        elif self._founded_as(worker) != spec:
            raise Fails("a book of this name was founded by other numbers; its genesis is for ever")
        self._processes.bring_in(selectors.book_table(), listing.market)
        health = self._processes.health_of(listing.market)
        if health.failure:
            raise Fails(f"the book does not stay up: {health.failure}")
        if not health.is_ready:
            if (timezone.now() - listing.moved_at).total_seconds() > BOOK_UP_S:
                raise Fails(f"the book is not ready after {BOOK_UP_S:.0f} s: {health.lacks}")
            raise Waits(health.lacks)
        listings.move(listing, State.BOOK_UP)

    def _founded_as(self, worker: str) -> MarketSpec:
        first, *_ = _raw_commands.decode(directory.genesis_of(self._journal, worker))
        return _define.decode(first).spec

    def _tell_the_partitions(self, listing: Listing) -> None:
        spec = listings.spec_of(listing)

        def tell() -> dict[str, Any]:
            services.tell_partitions(spec)
            return {}

        listings.move_with(listing, State.TOLD, tell)

    def _hear_the_partitions(self, listing: Listing) -> None:
        worker = _book(listing)
        heard = atomic.read_cursor(self._journal, worker).taken
        silent = [p for p in services.partitions() if keys.link(p, worker) not in heard]
        if silent:
            if self._is_time_to_say(listing):
                refused = [self._refusal_of(p, listing.market) for p in silent]
                self._refused[listing.pk] = "; ".join(filter(None, refused))
            raise Waits(self._refused[listing.pk] or f"no hello of {', '.join(silent)} yet")
        listings.move(listing, State.ACKNOWLEDGED)

    def _refusal_of(self, partition: str, market: str) -> str:
        """Say that a partition refused the market, if its newest batches tell so."""
        newest: Any = self._journal.xrevrange(keys.log(partition), count=LOOK_BACK)
        for _, fields in newest:
            for event in _risk_events.decode(fields[keys.LOG_FIELD_OUTPUTS] or NOTHING):
                if isinstance(event, CommandRefused) and event.reference == market:
                    return f"{partition} refused it: {event.code} (it can only be delisted)"
        return ""

    def _tell_the_edges(self, listing: Listing) -> None:
        self._edges_know(listing, "pre_open")
        listings.move(listing, State.KNOWN)

    def _open(self, listing: Listing) -> None:
        self._set_state(listing, State.OPENING, "trading")

    def _see_it_open(self, listing: Listing) -> None:
        self._book_has_taken(listing)
        self._edges_know(listing, "trading")
        listings.move(listing, State.OPEN)

    def _give_up(self, listing: Listing, reason: str) -> None:
        log.error("lister.listing.failed", market=listing.market, reason=reason)
        listings.move(listing, State.FAILED, reason=reason, slot=None)
        self.hold()

    # -- out

    def _close(self, listing: Listing) -> None:
        self._set_state(listing, State.CLOSING, "cancel_only")

    def _end(self, listing: Listing) -> None:
        self._book_has_taken(listing)
        self._edges_know(listing, "cancel_only")
        self._set_state(listing, State.ENDING, "delisted")

    def _empty(self, listing: Listing) -> None:
        """See every order off, and the book's last cut made: then sums over partitions tie."""
        self._book_has_taken(listing)
        self._edges_know(listing, "delisted")
        book = self._book_now(_book(listing))
        if book.state != "delisted":
            raise Waits("the book has not heard that it is delisted")
        if book.book.orders:  # It ends them by itself, some in each batch.
            raise Waits(f"{len(book.book.orders)} orders are still to be canceled")
        if book.first_uncut_ns is not None:
            raise Waits("the book's last cut is not made")
        self._replicas.pop(_book(listing), None)
        listings.move(listing, State.EMPTIED)

    def _let_go(self, listing: Listing) -> None:
        self.hold()
        listings.move(listing, State.DELISTED, slot=None)

    def _book_now(self, worker: str) -> BookMachine:
        """Return the book as its record has it up to now."""
        blueprint = Blueprint(
            worker,
            BookMachine,
            BOOK_CODEC,
            config.path("FAIRBOOK_ARCHIVE_DIR"),
            config.path("FAIRBOOK_SNAPSHOT_DIR"),
        )
        if worker not in self._replicas:
            self._replicas[worker] = bring_up(blueprint, self._journal)
        replica = self._replicas[worker]
        catch_up(replica, blueprint.history(self._journal), go_on=lambda: True)
        return cast(BookMachine, replica.machine)

    # -- what both ways share

    def _set_state(self, listing: Listing, to: Listing.State, state: MarketState) -> None:
        """Tell the book its state, and move, both or neither."""
        reason = listings.last_reason(listing)

        def tell() -> dict[str, Any]:
            return {"command": services.tell_book(listing.market, state, reason=reason)}

        listings.move_with(listing, to, tell)

    def _book_has_taken(self, listing: Listing) -> None:
        """Wait until the command of the last move stands in the book's record."""
        worker = _book(listing)
        entry = outbox.entry_of(listing.command or 0)
        taken = atomic.read_cursor(self._journal, worker).taken
        if entry is None or taken.get(keys.commands(worker), BEFORE_ALL) < entry:
            raise Waits("the book has not taken its command yet")

    def _edges_know(self, listing: Listing, state: MarketState) -> None:
        """Tell the edges, and wait until each one that lives knows."""
        if self._is_time_to_say(listing):
            news.announce()
        since = listing.moved_at.timestamp()
        missing = news.edges_without(self._cache, listing.market, state, since=since)
        if missing:
            raise Waits(f"{', '.join(missing)} cannot know yet that it is {state}")

    def _is_time_to_say(self, listing: Listing) -> bool:
        name, now = (listing.pk, listing.state), time.monotonic()
        if now - self._said.get(name, float("-inf")) < AGAIN_S:
            return False
        self._said[name] = now
        return True


def _book(listing: Listing) -> str:
    return keys.worker_of_market(listing.market)
