"""Every door, asked by everybody: `matrix.txt` says what each of them gets."""

from __future__ import annotations

import re
from typing import Any

import pytest

from apps.users.contracts import STAFF_ACTS, STAFF_ROLES
from tests.security import parts
from tests.security.doors import all_doors, all_models
from tests.security.table import KEYS, ROLES, STAFF, Row, table

pytestmark = pytest.mark.django_db

ROWS = list(table().rows.values())
WRITES = [row for row in ROWS if not row.name.startswith(("GET ", "WS "))]
OUTSIDE = [row for row in ROWS if "/admin/" not in row.door]  # Staff see everybody's.
NAMED = [row for row in OUTSIDE if parts.names_something(row.name)]
SENDS = [row for row in OUTSIDE if row in WRITES and "/api/v" in row.door]
NOTHING = {
    "order": 2**40 - 1024,
    "order_name": "nobodys-order",
    "list": 2**40 - 1024,
    "transfer": "00000000-0000-4000-8000-000000000000",
    "key": "n" * 64,
    "device": 2**40,
    "desk": 2**40,
    "application": "00000000-0000-4000-8000-000000000000",
    "document": "00000000-0000-4000-8000-000000000000",
    "account": 2**40,
    "listen_key": "0" * 64,
}
"""Names that look like Alice's, of nothing."""
_NAMES = re.compile(r"\b([0-9]{4,}|[0-9a-f-]{36}|[\w-]{64}|(alices|nobodys)-order[-0-9]*)\b")
ALICES = ("alice-the-owner", "Alice Allowed", "alices-label", "alices-order", "alices-transfer")


def told(row: Row, found: dict[str, set[str]]) -> str:
    """Write what was got as a row of the file, for whoever adds one."""
    return " ".join([row.name, *("/".join(sorted(found[name])) for name in row.cells)])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_everybody_gets_what_the_table_says(site, row):
    found = site.survey(row)

    wrong = {name: got for name, got in found.items() if got != {row.cells[name]}}
    assert not wrong, f"{row.name}: {wrong}; all that was got:\n{told(row, found)}"


def test_every_door_has_a_row_and_every_row_a_door():
    doors, written = set(all_doors()), {row.door for row in ROWS}

    assert not doors - written, "write a row (the head of matrix.txt says how)"
    assert not written - doors, "these doors are gone: so should their rows be"


def test_every_model_of_the_back_office_is_named():
    assert set(all_models()) == set(table().models), "name it under `model` in matrix.txt"


def test_what_is_sent_is_sent_to_rows():
    sent = {*parts.QUERIES, *parts.BODIES, *parts.UPLOADS}
    assert not sent - set(table().rows), "parts.py has something for a row that is not there"


def test_roles_without_a_column_have_no_acts():
    assert set(ROLES) < set(STAFF_ROLES)
    assert set(STAFF_ACTS) <= set(ROLES), "give the role a column (table.py, matrix.txt)"


# ── Others' things and nothing look the same ────────────────────────────────────────────────────


@pytest.mark.parametrize("row", NAMED, ids=lambda row: row.name)
@pytest.mark.parametrize("name", ["other", "sub"])
def test_anothers_thing_and_nothing_look_the_same(site, row, name):
    caller = site.world.callers[name]

    (real,) = site.ask(row.name, caller)
    sent = list(site.postbox.commands)
    (none,) = site.ask(row.name, caller, **NOTHING)

    assert real.cell == none.cell
    if not sent:  # Else it is an engine that answers, and of whom it was asked is tested below.
        assert without_names(real.text) == without_names(none.text)


def without_names(text: str) -> str:
    """Return an answer without what differs from one request to another: names and times."""
    return _NAMES.sub("*", text)


@pytest.mark.parametrize("row", OUTSIDE, ids=lambda row: row.name)
def test_nothing_of_alices_is_told_to_anybody_else(site, row):
    answers = site.answers(row)
    for name in {"stranger", "other", "support"} & set(answers):
        for answer in answers[name]:
            asked = [word for word in ALICES if word in answer.sent]
            said = [word for word in ALICES if word in answer.text and word not in asked]
            assert not said, f"{name} reads {said}"


@pytest.mark.parametrize("row", SENDS, ids=lambda row: row.name)
def test_what_leaves_for_the_engines_is_about_the_account_that_asked(site, row):
    for name in ("user", "other", *KEYS):
        account = site.world.callers[name].account
        for answer in site.answers(row).get(name, []):
            for command in answer.commands:
                assert {account} == accounts_in(command), f"{name} sent {command}"


def accounts_in(command: Any) -> set[int]:
    """Return the accounts that a command is about."""
    inner = [getattr(command, name, None) for name in ("order", "first", "second")]
    found = {account for one in inner if one is not None for account in accounts_in(one)}
    return found | ({command.account} if hasattr(command, "account") else set())


# ── Pages of other sites ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("row", WRITES, ids=lambda row: row.name)
def test_a_page_of_another_site_changes_nothing(site, row):
    """Its request carries the cookies of whoever looks at it, and no token of ours."""
    name = "admin" if "/admin/" in row.door else "user"
    caller = site.world.callers[name]
    token, caller.csrf_header = caller.csrf_header, ""
    try:
        found = {answer.cell for answer in site.ask(row.name, caller)}
    finally:
        caller.csrf_header = token

    assert found <= {"403", "403-2015"}, "only a door that changes nothing may be without a token"
    assert site.postbox.sent == []


def test_the_people_of_the_table_are_who_they_say(site):
    people = site.world.callers
    assert all(people[name].session for name in ("user", "other", *STAFF))
    assert all(people[name].key and not people[name].session for name in KEYS)
    assert len({caller.address for caller in people.values()}) == len(people)
