"""The lister's way to processes: the table (`exchange_site.ops.books`) and the supervisor.

Only the lister's process uses it. What serves the web writes rows, and never asks the supervisor
for anything to run.
"""

from __future__ import annotations

from apps.markets.contracts import BookHealth, BookTable
from apps.markets.lister import Waits
from exchange_site.ops import books, processes, status, supervision
from exchange_site.ops.supervision import NoSupervisor, Supervisor

DEATHS_TOO_MANY = 4  # Of one process, before its book was ever ready.


def write(table: BookTable) -> None:
    """Write the listings' part of the table of processes."""
    listed = books.Listed(
        tuple(books.Book(market, slot) for market, slot in table.books), frozenset(table.closed)
    )
    if listed != books.read():
        books.write(listed)


class SupervisedBooks:
    """Books whose processes our supervisor runs."""

    def hold_to(self, table: BookTable) -> None:
        """Have these books' processes and no others. Starts none."""
        write(table)
        try:
            supervision.adopt(processes.all_processes())
        except NoSupervisor as error:
            raise Waits(str(error)) from None

    def bring_in(self, table: BookTable, market: str) -> None:
        """Have a book's processes, and start those that do not run."""
        write(table)
        names = [row.name for row in processes.of_market(market)]
        try:
            supervisor = Supervisor()
            if not set(names) <= supervisor.states().keys():
                supervision.adopt(processes.all_processes())
            states = supervisor.states()
            supervisor.start(*(n for n in names if states[n]["statename"] == "STOPPED"))
        except NoSupervisor as error:
            raise Waits(str(error)) from None

    def health_of(self, market: str) -> BookHealth:
        """Say how a book's processes are."""
        rows = status.rows(*(row.name for row in processes.of_market(market)))
        broken = [
            row["name"]
            for row in rows
            if row["state"] == "failed" or row["restarts"] >= DEATHS_TOO_MANY
        ]
        lacks = [f"{row['name']} is {row['state']}" for row in rows if row["state"] != "ready"]
        if not lacks and not any(row["role"] == "owner" for row in rows):
            lacks = ["nobody owns the book yet"]
        return BookHealth(
            is_ready=not lacks,
            lacks=", ".join(lacks),
            failure=f"see the log of {', '.join(broken)}" if broken else "",
        )
