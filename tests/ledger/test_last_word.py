"""The database has the last word: what the services' own role can and cannot make it hold.

Every story here speaks plain SQL as that role, as somebody would who stole its password.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import IntegrityError, connection
from psycopg import errors

from apps.ledger import selectors
from apps.ledger.models import Balance, Posting
from tests.helpers.journal_world import COIN

FORBIDDEN = [
    "UPDATE ledger_posting SET amount = amount * 2",
    "DELETE FROM ledger_posting",
    "TRUNCATE ledger_posting",
    "UPDATE ledger_entry SET reference = 'other'",
    "DELETE FROM ledger_entry",
    "TRUNCATE ledger_entry CASCADE",
    "UPDATE ledger_ledgeraccount SET number = 2048 WHERE number = 1024",
    "DELETE FROM ledger_ledgeraccount",
    "UPDATE ledger_balance SET amount = amount + 1",
    "INSERT INTO ledger_balance VALUES (999999, 5, true)",
    "DELETE FROM ledger_balance",
    "TRUNCATE ledger_balance",
    "DELETE FROM ledger_cursor",
    "DELETE FROM ledger_halt",
    "UPDATE ledger_settledfill SET fee = 0",
    "ALTER TABLE ledger_posting DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "DROP TRIGGER ledger_entry_balances ON ledger_entry",
    "CREATE OR REPLACE FUNCTION ledger_postings_arrive() RETURNS trigger LANGUAGE plpgsql"
    " AS 'BEGIN RETURN NULL; END'",
]
GROWS_ONLY = [
    "UPDATE ledger_posting SET amount = amount * 2",
    "DELETE FROM ledger_posting",
    "UPDATE ledger_entry SET seq = 7",
    "DELETE FROM ledger_entry",
    "UPDATE ledger_settledfill SET fee = 0",
    "DELETE FROM ledger_ledgeraccount",
]


@pytest.fixture
def thief(servers, transactional_db) -> Iterator[psycopg.Connection]:
    """Connect as the services' role to the test's database."""
    url = servers.database_url.rpartition("/")[0] + "/" + connection.settings_dict["NAME"]
    with psycopg.connect(url) as session:
        yield session
        session.rollback()


@pytest.fixture
def alice(world, settle) -> int:
    """Give alice 100 USDT and bob 1 BTC, all of it settled."""
    number = world.account(1, USDT=100)
    world.account(2, BTC=1)
    world.run()
    settle()
    return number


def account_id(session: psycopg.Connection, kind: str, asset: str) -> int:
    row = session.execute(
        "SELECT id FROM ledger_ledgeraccount WHERE kind = %s AND asset = %s", [kind, asset]
    ).fetchone()
    assert row is not None
    return row[0]


def enter(session: psycopg.Connection, reference: str, *, legs: int) -> int:
    row = session.execute(
        "INSERT INTO ledger_entry (kind, reference, partition, seq, batch, legs, at)"
        " VALUES ('theft', %s, 0, 1, 1, %s, now()) RETURNING id",
        [reference, legs],
    ).fetchone()
    assert row is not None
    return row[0]


def post(session: psycopg.Connection, *legs: tuple[int, int, int, int]) -> None:
    values = ", ".join(
        f"({entry}, {leg}, {account}, {amount})" for entry, leg, account, amount in legs
    )
    session.execute(
        f"INSERT INTO ledger_posting (entry_id, leg, account_id, amount) VALUES {values}"
    )


def test_the_services_role_has_no_right_to_change_what_is_written(thief, alice):
    for statement in FORBIDDEN:
        with pytest.raises(errors.InsufficientPrivilege):
            thief.execute(statement)
        thief.rollback()


def test_not_even_the_owner_changes_it_by_accident(alice):
    for statement in GROWS_ONLY:
        with connection.cursor() as cursor, pytest.raises(IntegrityError, match="only grows"):
            cursor.execute(statement)


def test_an_entry_that_makes_value_does_not_get_in(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    entry = enter(thief, "r1", legs=2)
    with pytest.raises(errors.IntegrityConstraintViolation, match="is off by 1 USDT"):
        post(thief, (entry, 1, mine, 501), (entry, 2, external, -500))


def test_one_asset_does_not_balance_another(thief, alice):
    usdt, btc = account_id(thief, "customer", "USDT"), account_id(thief, "external", "BTC")
    entry = enter(thief, "r1", legs=2)
    with pytest.raises(errors.IntegrityConstraintViolation, match="is off by"):
        post(thief, (entry, 1, usdt, 500), (entry, 2, btc, -500))


def test_an_entry_without_its_legs_does_not_commit(thief, alice):
    enter(thief, "r1", legs=2)
    with pytest.raises(errors.IntegrityConstraintViolation, match="does not balance"):
        thief.commit()


def test_an_entry_has_two_legs_at_least(thief, alice):
    with pytest.raises(errors.CheckViolation):
        enter(thief, "r1", legs=1)


def test_nothing_is_added_to_an_entry_that_is_written(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    (old,) = thief.execute("SELECT min(id) FROM ledger_entry").fetchone()
    for legs in [(1, 2), (3, 4)]:
        with pytest.raises((errors.UniqueViolation, errors.IntegrityConstraintViolation)):
            post(thief, (old, legs[0], mine, 500), (old, legs[1], external, -500))
        thief.rollback()


def test_nothing_is_added_after_the_constraints_were_checked_early(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    entry = enter(thief, "r1", legs=2)
    post(thief, (entry, 1, mine, 500), (entry, 2, external, -500))
    thief.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pytest.raises(errors.IntegrityConstraintViolation):
        post(thief, (entry, 3, mine, 900))


def test_a_leg_that_comes_later_does_not_join(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    entry = enter(thief, "r1", legs=2)
    with pytest.raises(errors.IntegrityConstraintViolation):
        post(thief, (entry, 1, mine, 500))
    thief.rollback()
    entry = enter(thief, "r1", legs=4)
    with pytest.raises(errors.IntegrityConstraintViolation, match="did not come together"):
        post(thief, (entry, 1, mine, 500), (entry, 2, external, -500))


def test_the_same_reference_is_booked_once(thief, alice):
    (kind, reference) = thief.execute("SELECT kind, reference FROM ledger_entry LIMIT 1").fetchone()
    with pytest.raises(errors.UniqueViolation, match="ledger_one_entry"):
        thief.execute(
            "INSERT INTO ledger_entry (kind, reference, partition, seq, batch, legs, at)"
            " VALUES (%s, %s, 0, 1, 1, 2, now())",
            [kind, reference],
        )


def test_no_customer_falls_below_zero(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    entry = enter(thief, "r1", legs=2)
    with pytest.raises(errors.CheckViolation, match="ledger_customer_not_below_zero"):
        post(thief, (entry, 1, mine, -100 * COIN - 1), (entry, 2, external, 100 * COIN + 1))


def test_nothing_that_is_no_number_counts_as_an_amount(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    entry = enter(thief, "r1", legs=2)
    with pytest.raises(errors.IntegrityConstraintViolation):
        thief.execute(
            "INSERT INTO ledger_posting (entry_id, leg, account_id, amount)"
            " VALUES (%s, 1, %s, 'NaN'), (%s, 2, %s, 'NaN')",
            [entry, mine, entry, external],
        )


def test_a_table_of_the_same_name_fools_no_check(thief, alice):
    mine, external = account_id(thief, "customer", "USDT"), account_id(thief, "external", "USDT")
    entry = enter(thief, "r1", legs=2)
    thief.execute(
        "CREATE TEMP TABLE ledger_ledgeraccount AS SELECT * FROM public.ledger_ledgeraccount"
    )
    thief.execute("UPDATE pg_temp.ledger_ledgeraccount SET asset = 'X', partition = 0")
    with pytest.raises(errors.IntegrityConstraintViolation, match="is off by"):
        post(thief, (entry, 1, mine, 500), (entry, 2, account_id(thief, "external", "X"), -499))
    thief.rollback()
    assert external


def test_after_all_of_this_the_books_tie(alice):
    assert selectors.balances_of(alice) == {"USDT": 100 * COIN}
    assert set(selectors.imbalance_minor().values()) == {0}
    assert Posting.objects.count() == 4
    assert Balance.objects.count() == 4
