"""Which books run beside those of FAIRBOOK_MARKETS: listed markets, as the database has them.

The table of processes has no database. `$FAIRBOOK_VAR/books.json` holds what it must know, and is
written anew from the listings by `make up` and by the lister (`manage.py write_books`,
`manage.py run_lister`). Losing the file loses nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from exchange_site.ops import places


class Book(NamedTuple):
    """A listed market that has processes, and the place of their ports behind all others."""

    market: str
    slot: int


class Listed(NamedTuple):
    """What listings add to the table of processes, and what delistings take out of it."""

    books: tuple[Book, ...] = ()
    closed: frozenset[str] = frozenset()

    def without(self, markets: Iterable[str]) -> Listed:
        """Return the same but for books that these settings run anyway."""
        kept = tuple(book for book in self.books if book.market not in set(markets))
        return Listed(kept, self.closed)


def path() -> Path:
    """Return where it is written."""
    return places.var() / "books.json"


def read() -> Listed:
    """Return what was written last; nothing is listed where nothing was written."""
    try:
        found: dict[str, Any] = json.loads(path().read_text())
    except FileNotFoundError:
        return Listed()
    books = tuple(Book(row["market"], row["slot"]) for row in found["books"])
    return Listed(books, frozenset(found["closed"]))


def write(listed: Listed) -> None:
    """Write the table down, whole or not at all."""
    content = {
        "books": [book._asdict() for book in listed.books],
        "closed": sorted(listed.closed),
    }
    draft = path().with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(content) + "\n")
    draft.replace(path())
