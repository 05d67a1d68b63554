"""Reads `matrix.txt`: what every caller gets at every door."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("matrix.txt")
CUSTOMERS = ("user", "other")
KEYS = ("sub", "read", "trade", "withdraw")
ROLES = ("support", "operator", "compliance", "risk", "admin")
STAFF = ("bare", *ROLES)
CALLERS = ("stranger", "forged", *CUSTOMERS, *KEYS, *STAFF)
GROUPS = {"keys": KEYS, "staff": STAFF, "any": CALLERS}
"""Columns that stand for several callers: all of them get what the cell says."""


@dataclass(frozen=True)
class Row:
    """A door, or one use of it, and what each caller gets there."""

    name: str
    cells: dict[str, str]

    @property
    def door(self) -> str:
        """The door as the URL conf has it: the name without its use in brackets."""
        return self.name.partition(" [")[0]


@dataclass(frozen=True)
class Table:
    """All of the file."""

    rows: dict[str, Row]
    models: dict[str, bool]
    """By name: whether the back office has a row of it to show in a test's world."""


@cache
def table() -> Table:
    """Read the file."""
    rows: dict[str, Row] = {}
    models: dict[str, bool] = {}
    columns: list[str] = []
    for number, line in enumerate(FILE.read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "door":
            columns = words[1:]
        elif words[0] == "model":
            models[words[1]] = words[2:] != ["empty"]
        else:
            row = _row(words, columns, number)
            if row.name in rows:
                raise ValueError(f"matrix.txt:{number}: {row.name} has a row already")
            rows[row.name] = row
    return Table(rows, models)


def _row(words: list[str], columns: list[str], number: int) -> Row:
    name, cells = words[: -len(columns)], words[-len(columns) :]
    if len(name) < 2:
        raise ValueError(f"matrix.txt:{number}: {len(columns)} cells are wanted: {columns}")
    said: dict[str, str] = {}
    for column, cell in zip(columns, cells, strict=True):
        said |= dict.fromkeys(GROUPS.get(column, (column,)), cell)
    return Row(" ".join(name), said)
